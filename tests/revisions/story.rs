//! The events in the life of a home, played in two homes and checked after each.

use std::collections::BTreeMap;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use proptest::prelude::*;
use spillover::check::verify::verify;
use spillover::domain::span::Joint;
use spillover::domain::types::{Period, Vintage, Year};
use spillover::engine::replay::Standing;
use spillover::engine::{Engine, Request, Unwatched};
use spillover::feed::profile::Profile;
use spillover::feed::reference::TablesBeside;
use spillover::feed::source::discover;
use spillover::home::options::Config;
use spillover::home::parts::Table;
use spillover::home::{CompactionRules, FileEntry, Home};
use spillover::reader::moves::between;
use spillover::tables::export::TableAt;

use super::common::span_oracle::compare;
use super::common::{HEADER, Sandbox};

pub const CITIES: &str =
    "city,province,area_km2\n1101,11,100\n1102,11,200\n2101,21,50\n3101,31,400\n";
pub const REGIONS: [&str; 4] = ["11011", "11021", "21011", "31011"];

/// A line of a file.
#[derive(Clone, Debug)]
pub struct Line {
    pub firm: u8,
    pub region: usize,
    pub country: u16,
    pub months_late: u32,
    pub dollars: i16,
}

/// An event in the life of a home.
#[derive(Clone, Debug)]
pub enum Event {
    /// Files ingested together, each with its distance in months from the next month to close.
    Files(Vec<(u32, Vec<Line>)>),
    /// The withdrawal of a file.
    Withdrawal(prop::sample::Index),
    /// A stop and a start of the engine.
    Restart,
    /// The saving of a snapshot.
    Snapshot,
    /// A fold of parts: of all possible ones, or of those with more changes than this number.
    Compaction(Option<usize>),
    /// A changed byte in the newest snapshot, and a restart.
    Damage(prop::sample::Index),
}

pub fn line() -> impl Strategy<Value = Line> {
    let late = prop_oneof![4 => Just(0_u32), 2 => 1..15_u32];
    let dollars = prop_oneof![6 => 1..400_i16, 2 => -400..0_i16];
    (0..4_u8, 0..REGIONS.len(), 301..304_u16, late, dollars).prop_map(
        |(firm, region, country, months_late, dollars)| Line {
            firm,
            region,
            country,
            months_late,
            dollars,
        },
    )
}

pub fn event() -> impl Strategy<Value = Event> {
    let months_before = prop_oneof![8 => Just(0_u32), 2 => 1..14_u32];
    let file = (months_before, prop::collection::vec(line(), 0..12));
    prop_oneof![
        6 => prop::collection::vec(file, 1..9).prop_map(Event::Files),
        3 => any::<prop::sample::Index>().prop_map(Event::Withdrawal),
        2 => Just(Event::Restart),
        2 => Just(Event::Snapshot),
        3 => prop::option::of(0..3_usize).prop_map(Event::Compaction),
        1 => any::<prop::sample::Index>().prop_map(Event::Damage),
    ]
}

/// The options and the profile of a story.
#[derive(Clone, Debug)]
pub struct Rules {
    pub options: String,
    /// `None` for the profile `canonical`.
    pub profile: Option<Profile>,
}

impl Rules {
    pub fn canonical(options: &str) -> Self {
        Self { options: options.to_owned(), profile: None }
    }

    /// Files replace the months and flows that they contain.
    pub fn replacing() -> Self {
        let canonical = include_str!("../../streams/profiles/canonical.toml");
        let pattern = "pattern = \"{YYYY}{MM}*.csv\"";
        assert!(canonical.contains(pattern), "{canonical}");
        let text = canonical.replace(pattern, "pattern = \"*.csv\"\ncovers = \"contents\"");
        let profile = Profile::from_toml(&text, "feed.toml").expect("a profile");
        let years = (2000..2020).flat_map(|year| (1..=12).map(move |month| (year, month)));
        let months: Vec<String> =
            years.map(|(year, month)| format!("\"{year}-{month:02}\"")).collect();
        let shrinking = months.join(", ");
        let options = format!("revision = \"replace-periods\"\nallow_shrink = [{shrinking}]\n");
        Self { options, profile: Some(profile) }
    }
}

/// A separate home.
pub struct Played {
    pub sandbox: Sandbox,
    pub engine: Option<Engine>,
    pub rules: Rules,
}

impl Played {
    pub fn new(rules: &Rules) -> Self {
        let mut played = Self { sandbox: Sandbox::new(), engine: None, rules: rules.clone() };
        played.restart();
        played
    }

    pub fn restart(&mut self) {
        self.engine = None;
        let config: Config = toml::from_str(&self.rules.options).expect("options");
        let references = TablesBeside { cities: Some(CITIES.into()), ..TablesBeside::default() };
        let profile = self.rules.profile.clone();
        let request = Request { config, references, n_workers: 1, profile };
        let home = self.sandbox.home();
        self.engine = Some(
            Engine::open(&home, request, |_| ControlFlow::Continue(())).expect("the home opens"),
        );
    }

    pub fn engine(&mut self) -> &mut Engine {
        self.engine.as_mut().expect("it is running")
    }

    pub fn ingest(&mut self, paths: &[PathBuf]) {
        let found = discover(paths, self.engine().profile()).expect("files of the feed");
        let outcomes = self.engine().ingest(&found.files, &mut Unwatched).expect("ingested");
        assert!(outcomes.iter().all(|outcome| !outcome.is_refused()), "{outcomes:?}");
        self.engine().snapshot_if_due().expect("kept");
    }

    pub fn home(&self) -> Home {
        Home::read(&self.sandbox.home()).expect("a home")
    }
}

/// The same story in two homes: one with files ingested together and restarts, the other with files
/// one by one.
pub struct Story {
    pub many: Played,
    pub single: Played,
    pub live: LiveLines,
    pub n_files: usize,
    pub n_withdrawals: usize,
    pub n_damaged: usize,
}

/// The lines that count under `replace-periods`: of each month and flow, those of the newest file
/// that contains the month and the flow, by the number of the file. A file that contains both, but
/// no line of the flow in the month, leaves none.
#[derive(Default)]
pub struct LiveLines(BTreeMap<(String, char), (usize, Vec<String>)>);

impl LiveLines {
    /// Replaces the months and flows of a file.
    pub fn replace(&mut self, number: usize, text: &str) {
        let mut of_file: BTreeMap<(String, char), Vec<String>> = BTreeMap::new();
        for line in text.lines().skip(1) {
            let flow = line.chars().nth(7).expect("a flow after the month");
            of_file.entry((line[..6].to_owned(), flow)).or_default().push(line.to_owned());
        }
        let is_replaced = |(month, flow): &(String, char)| {
            of_file.keys().any(|(own, _)| own == month)
                && of_file.keys().any(|(_, own)| own == flow)
        };
        self.0.retain(|cell, _| !is_replaced(cell));
        self.0.extend(of_file.into_iter().map(|(cell, lines)| (cell, (number, lines))));
    }

    /// Removes the lines of a withdrawn file, by its name: `200101-0007.csv`.
    pub fn withdraw(&mut self, name: &str) {
        let number: usize = name[7..11].parse().expect("the number of a file");
        self.0.retain(|_, (of, _)| *of != number);
    }

    /// A home that reads these lines once, in a file for each closed month.
    pub fn read_once(&self, closed: &[Period]) -> Played {
        let mut played = Played::new(&Rules::canonical("revision = \"append\""));
        let write = |month: &Period| {
            let own = ['E', 'I'].into_iter().filter_map(|flow| {
                self.0.get(&(month.to_string(), flow)).map(|(_, lines)| lines.join("\n") + "\n")
            });
            let text = format!("{HEADER}\n{}", own.collect::<String>());
            played.sandbox.write(&format!("{month}.csv"), text)
        };
        let paths: Vec<PathBuf> = closed.iter().map(write).collect();
        played.ingest(&paths);
        played
    }
}

impl Story {
    pub fn new(rules: &Rules) -> Self {
        let [many, single] = [Played::new(rules), Played::new(rules)];
        let live = LiveLines::default();
        Self { many, single, live, n_files: 0, n_withdrawals: 0, n_damaged: 0 }
    }

    pub fn play(&mut self, event: &Event) {
        match event {
            Event::Files(files) => self.take_in(files),
            Event::Withdrawal(which) => self.withdraw(*which),
            Event::Restart => self.many.restart(),
            Event::Snapshot => drop(self.many.engine().snapshot().expect("kept")),
            Event::Compaction(n_changes_max) => self.compact(*n_changes_max),
            Event::Damage(which) => self.damage(*which),
        }
    }

    pub fn take_in(&mut self, new: &[(u32, Vec<Line>)]) {
        let first = period(200_001);
        let mut next = self.many.engine().next_to_close().unwrap_or(first);
        let mut files = Vec::new();
        for (months_before, lines) in new {
            let month = back(next, *months_before, first);
            if month == next {
                next = next.next();
            }
            self.n_files += 1;
            // A line that no other file has, because a file with known bytes would be skipped.
            let own = format!("{month},I,F0,F0,11011,301,84713000,10,{}.00\n", self.n_files);
            let text = lines.iter().fold(format!("{HEADER}\n{own}"), |text, line| {
                let Line { firm, region, country, months_late, dollars } = line;
                let (month, region) = (back(month, *months_late, first), REGIONS[*region]);
                let product = "84713000,10";
                text + &format!(
                    "{month},E,F{firm},F{firm},{region},{country},{product},{dollars}\n"
                )
            });
            // Files are ingested by month and then by name.
            let name = format!("{month}-{:04}.csv", self.n_files);
            files.push((name, self.n_files, text));
        }
        files.sort();
        let mut paths = Vec::new();
        for (name, number, text) in files {
            self.live.replace(number, &text);
            paths.push(self.many.sandbox.write(&name, text));
        }
        self.many.ingest(&paths);
        for path in &paths {
            self.single.ingest(std::slice::from_ref(path));
        }
    }

    pub fn withdraw(&mut self, which: prop::sample::Index) {
        let files = self.many.home().files().expect("asked");
        let live: Vec<_> = files.iter().filter(|file| file.counts_now()).collect();
        if live.is_empty() {
            return;
        }
        let FileEntry { vintage: file, name, .. } = live[which.index(live.len())].clone();
        self.live.withdraw(&name);
        self.n_withdrawals += 1;
        for played in [&mut self.many, &mut self.single] {
            played.engine().withdraw(&[file], &mut Unwatched).expect("withdrawn");
        }
    }

    pub fn compact(&mut self, n_changes_max: Option<usize>) {
        let rules = n_changes_max.map_or(CompactionRules::ALL, |n_changes_max| CompactionRules {
            n_changes_max,
            changes_max_percent: 50,
        });
        let done = self.many.engine().compact(rules).expect("folded");
        assert!(done.damaged.is_empty(), "{:?}", done.damaged);
        let home = self.many.home();
        for (vintage, is_stored) in home.stored_vintages().expect("asked") {
            assert_eq!(is_stored, home.is_stored(vintage).expect("asked"), "{vintage}");
        }
    }

    pub fn damage(&mut self, which: prop::sample::Index) {
        let home = self.many.sandbox.home();
        let snapshots = self.many.home().snapshots().expect("asked");
        let Some(newest) = snapshots.first() else { return };
        self.n_damaged += 1;
        let path = home.join(&newest.file.path);
        let mut bytes = fs::read(&path).expect("the snapshot");
        let at = which.index(bytes.len());
        bytes[at] ^= 1;
        fs::write(&path, bytes).expect("damaged");
        self.many.restart();
        let restored = self.many.engine().restored();
        assert_eq!(restored.damaged[0].0, newest.publication);
        assert_ne!(restored.from, Some(newest.publication));
        // The next snapshot replaces it.
        self.many.engine().snapshot().expect("kept");
    }

    pub fn check(&self) {
        for played in [&self.many, &self.single] {
            if has_files(&played.sandbox.home()) {
                let verification = verify(&played.home(), || {}).expect("verified");
                assert_eq!(verification.n_findings, 0, "{:?}", verification.findings);
            }
        }
    }

    /// Asserts that every vintage of the one home equals that of the other, which published each;
    /// returns the number of compared rows.
    pub fn check_vintages(&self) -> usize {
        if !has_files(&self.single.sandbox.home()) {
            return 0;
        }
        let mut n_rows = 0;
        let (many, single) = (self.many.home(), self.single.home());
        let newest = single.last_vintage().expect("asked").expect("there is a file");
        assert_eq!(many.last_vintage().expect("asked"), Some(newest));
        for vintage in (1..=newest.0).map(Vintage).filter(|vintage| vintage.0 % 3 == newest.0 % 3) {
            for home in [&many, &single] {
                compare(home, Some(vintage), Joint::default());
            }
        }
        for vintage in (0..=newest.0).map(Vintage) {
            let standing = Standing::at(&many, Some(vintage), 1).expect("replayed");
            let published = Standing::at(&single, Some(vintage), 1).expect("published");
            for table in [Table::City, Table::Plant] {
                let replayed = standing.table(&many, table).expect("a table");
                let published = published.table(&single, table).expect("a table");
                let rows_then = rows(&published);
                assert_eq!(rows(&replayed), rows_then, "{table:?} as of {vintage}");
                n_rows += rows_then.iter().map(|(_, rows)| rows.num_rows()).sum::<usize>();
                for year in between(&replayed, &published, None) {
                    let moves = year.expect("a year").next_moves();
                    assert!(moves.is_none_or(|moves| moves.expect("figures").is_empty()));
                }
            }
        }
        n_rows
    }

    /// Asserts that the tables equal those of a home that reads the live lines once; returns the
    /// number of compared rows.
    pub fn check_live_lines(&self) -> usize {
        let home = self.many.home();
        let closed: Vec<Period> =
            home.closed().expect("asked").into_iter().map(|(month, _)| month).collect();
        let right = self.live.read_once(&closed);
        let once = right.home();
        let mut n_rows = 0;
        for table in [Table::City, Table::Plant] {
            let [ours, right] = [&home, &once].map(|home| {
                let standing = Standing::at(home, None, 1).expect("the newest vintage");
                rows(&standing.table(home, table).expect("a table"))
            });
            n_rows += right.iter().map(|(_, rows)| rows.num_rows()).sum::<usize>();
            assert_eq!(ours, right, "{table:?}");
        }
        n_rows
    }
}

pub fn has_files(home: &Path) -> bool {
    Home::read(home).is_ok_and(|home| home.files().is_ok_and(|files| !files.is_empty()))
}

pub fn rows(table: &TableAt) -> Vec<(Year, RecordBatch)> {
    let rows = table.rows(None).map(|year| year.expect("a year"));
    rows.filter(|(_, rows)| rows.num_rows() > 0).collect()
}

pub fn period(yyyymm: u32) -> Period {
    Period::from_yyyymm(yyyymm).expect("a month")
}

/// The month `n_months` before another, but not before the first.
pub fn back(from: Period, n_months: u32, first: Period) -> Period {
    let months = |of: Period| u32::from(of.year().0) * 12 + u32::from(of.month()) - 1;
    let at = months(from) - n_months.min(months(from) - months(first));
    period(at / 12 * 100 + at % 12 + 1)
}

/// Plays a story; returns the numbers of withdrawals, damages and compared rows.
pub fn play(options: &str, events: &[Event]) -> [usize; 3] {
    play_under(&Rules::canonical(options), events).0
}

/// Plays a story; returns the counts of [`play`], and the story.
pub fn play_under(rules: &Rules, events: &[Event]) -> ([usize; 3], Story) {
    let mut story = Story::new(rules);
    for event in events {
        story.play(event);
        story.check();
    }
    story.many.restart();
    ([story.n_withdrawals, story.n_damaged, story.check_vintages()], story)
}
