//! Garbage in the lines of a feed: every line ends in exactly one way, good lines next to bad ones
//! are accepted, and nothing panics.

use std::collections::HashSet;
use std::fs;

use spillover::domain::record::Intake;
use spillover::domain::types::Period;
use spillover::feed::layout::TextEncoding;
use spillover::feed::places::Places;
use spillover::feed::profile::Profile;
use spillover::feed::read::{ReadLimits, read};
use spillover::feed::reference::ReferenceTexts;
use spillover::feed::refused::Refused;
use spillover::feed::source::FeedFile;

use super::common::HEADER;
use super::common::n_points;
use super::common::nasty_feed::{CITIES, Random};

const LINES_A_FILE: usize = 1000;

/// Pieces that have broken parsers before.
const PIECES: [&[u8]; 20] = [
    b"",
    b",",
    b"\0",
    b"\r",
    b";",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xe8\xbf\x9b",
    b"\xb9\xab\xcb\xbe",
    b"99999999999999999999999999",
    b"-9223372036854775808",
    b"1e308",
    b"NaN",
    b"-",
    b"0.001",
    b"000013",
    b" ",
    b"\t",
    b"\x1a",
    b"\xf0\x9f\x9a\xa2",
];

fn good(at: usize) -> String {
    format!("200101,E,good{at},Firm,1101,301,01012100,10,{at}.25")
}

fn position(random: &mut Random, n: usize) -> usize {
    usize::try_from(random.below(n as u64)).expect("a position")
}

/// A line with one to three errors, or changes without effect; adds no line feed.
fn mutated(line: &str, with_quotes: bool, random: &mut Random) -> Vec<u8> {
    let mut bytes = line.as_bytes().to_vec();
    for _ in 0..=random.below(3) {
        let at = position(random, bytes.len() + 1);
        let end = at + position(random, bytes.len() - at + 1).min(8);
        match random.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 => drop(bytes.drain(at..end)),
            2 => bytes.truncate(at),
            3 if with_quotes => bytes.insert(at, b'"'),
            4 => {
                let copy = bytes[at..end].repeat(1 + position(random, 40));
                bytes.splice(at..at, copy).for_each(drop);
            }
            _ => {
                let piece = PIECES[position(random, PIECES.len())];
                bytes.splice(at..end, piece.iter().copied()).for_each(drop);
            }
        }
    }
    let is_end = |byte: &u8| *byte == b'\n' || (!with_quotes && *byte == b'"');
    bytes.retain(|byte| !is_end(byte));
    bytes
}

struct Feed {
    folder: tempfile::TempDir,
    places: Places,
    profiles: Vec<Profile>,
}

impl Feed {
    fn new() -> Self {
        let cities = CITIES.to_owned();
        let texts = ReferenceTexts { cities, regions: None, countries: None, firms: None };
        let canonical = Profile::bundled("canonical").expect("a shipped profile");
        let mut detected = canonical.clone();
        detected.file.encoding = TextEncoding::Detect;
        Self {
            folder: tempfile::tempdir().expect("a temporary folder"),
            places: Places::parse(&texts).expect("places"),
            profiles: vec![canonical, detected],
        }
    }

    fn read(&self, profile: &Profile, bytes: &[u8]) -> Result<Intake, Refused> {
        let path = self.folder.path().join("200101.csv");
        fs::write(&path, bytes).expect("written");
        let period = Period::new(2001, 1).expect("a month");
        let file = FeedFile { name: "200101.csv".to_owned(), ..FeedFile::new(period, path) };
        let limits = ReadLimits { max_rejected_share: 1.0, ..ReadLimits::default() };
        read(&file, profile, &self.places, &limits)
    }
}

/// The number of lines read, each of which ended in one way.
fn n_lines(intake: &Intake) -> u64 {
    let counts = &intake.counts;
    assert_eq!(
        counts.lines,
        counts.accepted + counts.excluded_total() + counts.rejected_total(),
        "every line ends in one way"
    );
    assert_eq!(counts.rejected_total(), intake.rejects.len() as u64);
    assert_eq!(counts.accepted + counts.excluded_total(), intake.records.len() as u64);
    counts.lines
}

#[test]
fn mutated_lines_end_in_one_way_each_and_leave_their_neighbours_alone() {
    let (feed, seed) = (Feed::new(), 31);
    println!("seed {seed}");
    let mut random = Random::new(seed);
    let (mut n_mutated, mut n_accepted, mut n_rejected) = (0_usize, 0, 0);
    for round in 0..n_points(8000, 1_000_000).div_ceil(LINES_A_FILE) {
        let with_quotes = round % 2 == 1;
        let mut bytes = format!("{HEADER}\n").into_bytes();
        for at in 0..LINES_A_FILE {
            let line = good(position(&mut random, LINES_A_FILE)).replace("good", "bad");
            bytes.extend(mutated(&line, with_quotes, &mut random));
            bytes.extend(format!("\n{}\n", good(at)).bytes());
        }
        let profile = &feed.profiles[round / 2 % feed.profiles.len()];
        let intake = feed.read(profile, &bytes).expect("nothing is refused for its lines");
        let n = n_lines(&intake);
        n_mutated += LINES_A_FILE;
        n_accepted += intake.counts.accepted;
        n_rejected += intake.counts.rejected_total();
        if !with_quotes {
            // An emptied line is not a line.
            assert!(n <= 2 * LINES_A_FILE as u64 && n >= LINES_A_FILE as u64, "{n} lines");
            let firms: HashSet<&str> = intake.texts.firms.iter().collect();
            let missing =
                (0..LINES_A_FILE).find(|at| !firms.contains(format!("good{at}").as_str()));
            assert_eq!(missing, None, "round {round}: a good line is not accepted");
        }
    }
    println!("{n_mutated} mutated lines; {n_accepted} lines accepted, {n_rejected} rejected");
    assert!(n_rejected > n_mutated as u64 / 4, "hardly any mutated line is rejected");
    assert!(n_accepted > n_mutated as u64, "hardly any mutated line is accepted");
}

#[test]
fn a_file_of_garbage_is_refused_or_counted() {
    let feed = Feed::new();
    let mut random = Random::new(37);
    let whole = (0..40).map(good).fold(format!("{HEADER}\n"), |text, line| text + &line + "\r\n");
    let (n_files, mut n_refused, mut n_with_rejects) = (n_points(300, 100_000), 0, 0);
    for _ in 0..n_files {
        let mut bytes = whole.clone().into_bytes();
        for _ in 0..=random.below(20) {
            let at = position(&mut random, bytes.len());
            let end = at + position(&mut random, bytes.len() - at).min(30);
            let piece = PIECES[position(&mut random, PIECES.len())];
            let with: Vec<u8> = match random.below(4) {
                0 => piece.to_vec(),
                1 => b"\"".to_vec(),
                2 => b"\n".to_vec(),
                _ => bytes[at..end].iter().map(|byte| byte ^ 0x20).collect(),
            };
            bytes.splice(at..end, with).for_each(drop);
        }
        for profile in &feed.profiles {
            match feed.read(profile, &bytes) {
                Ok(intake) => {
                    n_lines(&intake);
                    n_with_rejects += usize::from(intake.counts.rejected_total() > 0);
                }
                Err(_) => n_refused += 1,
            }
        }
    }
    println!("{n_files} files, read in two ways: {n_refused} refused, {n_with_rejects} counted");
    assert!(n_refused >= n_files / 20, "hardly any file of garbage is refused");
    assert!(n_with_rejects >= n_files / 2, "hardly any line of garbage is rejected");
}
