//! The fuzzed parsers, with the properties that must hold for any bytes. `fuzz_targets` run these
//! under libFuzzer, `tests/faults` runs them on the corpus and on random mutations of it.

use std::fs;
use std::path::PathBuf;

use spillover::domain::record::Rule;
use spillover::domain::types::Period;
use spillover::estimate::formula::Formula;
use spillover::feed::amount::{CENTS_MAX, cents};
use spillover::feed::frame::{Blocks, Dialect, Framed, Lines};
use spillover::feed::layout::FileFormat;
use spillover::feed::pattern::FilePattern;
use spillover::feed::period_format::PeriodFormat;
use spillover::feed::places::Places;
use spillover::feed::profile::Profile;
use spillover::feed::read::{ReadLimits, read};
use spillover::feed::reference::{ReferenceTexts, TablesBeside};
use spillover::feed::source::FeedFile;
use spillover::feed::split::fields_of;
use spillover::feed::successions::Successions;
use spillover::feed::supply::Supply;
use spillover::home::definition::{Definition, DefinitionTexts};
use spillover::home::options::Config;
use spillover::panel::{ReadOptions, Table, Wanted};
use spillover::specification::Specification;

/// A parser and its name, which is also the name of its corpus.
pub type Target = (&'static str, fn(&[u8]));

/// Every parser of bytes from outside.
pub const ALL: [Target; 17] = [
    ("profile", profile),
    ("options", options),
    ("places", places),
    ("supply", supply),
    ("period", period),
    ("number", number),
    ("lines", lines),
    ("feed", feed),
    ("access", access),
    ("arrow", arrow),
    ("dbase", dbase),
    ("excel", excel),
    ("parquet", parquet),
    ("stata", stata),
    ("formula", formula),
    ("specification", specification),
    ("panel", panel),
];

/// The targets that read binary tables.
pub const TABLES: [&str; 6] = ["access", "arrow", "dbase", "excel", "parquet", "stata"];

/// An accepted profile is unchanged after the manifest stores it.
pub fn profile(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(profile) = Profile::from_toml(text, "fuzz") {
        let (choices, profile) = Definition::of_new_home(&Config::default(), profile);
        let texts = DefinitionTexts::new(choices, profile.clone(), Vec::new());
        assert_eq!(texts.options().expect("what was written is read"), (choices, profile));
    }
}

/// A text is options or an error.
pub fn options(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = toml::from_str::<Config>(text);
    let recorded = DefinitionTexts { options: text.to_owned(), references: Vec::new() };
    let _ = recorded.options();
}

/// Four reference tables, divided by NUL; each code of a city leads back to the city.
pub fn places(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut tables = text.split('\0').map(str::to_owned);
    let cities = tables.next().unwrap_or_default();
    let (regions, countries, firms) = (tables.next(), tables.next(), tables.next());
    if let Some(firms) = &firms {
        let _ = Successions::parse(firms);
    }
    let texts = ReferenceTexts { cities, regions, countries, firms };
    if let Ok(places) = Places::parse(&texts) {
        for city in places.cities() {
            assert_eq!(places.city(places.code(city)), Some(city));
            assert!(places.area_m2(city) > 0);
        }
    }
}

/// A text is a firm-year file or an error.
pub fn supply(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Supply::parse(text);
    }
}

/// The format of periods, the pattern of file names, and a text for each.
pub fn period(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let mut parts = text.splitn(3, '\n').map(str::to_owned);
    let mut next = || parts.next().unwrap_or_default();
    let (pattern, text) = (next(), next());
    if let Ok(format) = PeriodFormat::try_from(pattern.clone())
        && let Some(period) = format.read(&text)
    {
        assert!(text.contains(&format!("{:02}", period.month())));
    }
    if let Ok(pattern) = FilePattern::try_from(pattern) {
        let _ = pattern.month_of(&text);
    }
}

/// A number equals its value as a decimal, parsed here in another way.
pub fn number(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let layout = Profile::bundled("canonical").expect("a shipped profile").value;
    let expected = as_decimal(text);
    match cents(text.as_bytes(), &layout) {
        Ok(found) => assert_eq!(Some(i128::from(found)), expected),
        Err(Rule::Range) => {
            assert!(expected.is_none_or(|value| value.abs() > i128::from(CENTS_MAX)));
        }
        Err(_) => assert_eq!(expected, None),
    }
}

/// Cents, if the text is a decimal with at most two digits after the mark and at most 30 digits
/// without leading zeros, since more exceed any range.
fn as_decimal(text: &str) -> Option<i128> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, part) = digits.split_once('.').unwrap_or((digits, "0"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if !is_number(whole) || !is_number(part) || part.len() > 2 {
        return None;
    }
    let whole = whole.trim_start_matches('0');
    let whole = if whole.len() > 30 { &whole[..30] } else { whole };
    let magnitude = format!("{whole}{part:0<2}").parse::<i128>().ok()?;
    Some(if text.starts_with('-') { -magnitude } else { magnitude })
}

/// Lines have only bytes of the input, and a good line equals the result of the `csv` crate.
pub fn lines(bytes: &[u8]) {
    let mut blocks = Blocks::new(bytes, Dialect::quoted(b','));
    let mut lines = Lines::new(b',');
    let (mut n_lines, mut n_bytes) = (0, 0);
    while !lines.is_at_end() || blocks.fill(&mut lines).expect("memory can be read") {
        let Some(framed) = lines.next_line() else { continue };
        let (line, raw) = match framed {
            Framed::Line(line) => (line.line, line.raw),
            Framed::Broken { line, raw, .. } => (line, raw),
        };
        assert!(line > n_lines, "lines are in order");
        n_lines = line;
        n_bytes += raw.len();
        if let Framed::Line(line) = framed {
            assert_eq!(fields_of(raw, b',').len(), line.fields.len());
        }
    }
    assert!(n_bytes <= bytes.len());
    assert!(n_lines <= bytes.split(|byte| *byte == b'\n').count() as u64);
}

/// A file of a feed under one of the shipped profiles: every line ends in one way.
pub fn feed(bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let names: Vec<_> = Profile::bundled_names().collect();
    let profile = Profile::bundled(names[usize::from(*choice) % names.len()]).expect("shipped");
    count(bytes, &profile);
}

/// Reads a file of a feed, and counts how its lines end.
fn count(bytes: &[u8], profile: &Profile) {
    let texts = ReferenceTexts::of(TablesBeside::default(), profile);
    let places = Places::parse(&texts).expect("shipped");
    let path = scratch("201001.csv");
    fs::write(&path, bytes).expect("written");
    let period = Period::new(2010, 1).expect("a month");
    let file = FeedFile { name: "201001.csv".to_owned(), ..FeedFile::new(period, path) };
    let limits = ReadLimits { max_rejected_share: 1.0, ..ReadLimits::default() };
    if let Ok(intake) = read(&file, profile, &places, &limits) {
        let counts = intake.counts;
        let ended = counts.accepted + counts.excluded_total() + counts.rejected_total();
        assert_eq!(counts.lines, ended);
        assert_eq!(intake.records.len() as u64, counts.accepted + counts.excluded_total());
        assert_eq!(intake.rejects.len() as u64, counts.rejected_total());
    }
}

/// A database of Access: every row ends in one way.
pub fn access(bytes: &[u8]) {
    table(FileFormat::Access, bytes);
}

/// An Arrow file or stream: every row ends in one way.
pub fn arrow(bytes: &[u8]) {
    table(FileFormat::Arrow, bytes);
}

/// A table of dBase: every row ends in one way.
pub fn dbase(bytes: &[u8]) {
    table(FileFormat::Dbase, bytes);
}

/// A workbook of Excel or OpenDocument: every row ends in one way.
pub fn excel(bytes: &[u8]) {
    table(FileFormat::Excel, bytes);
}

/// A Parquet file: every row ends in one way.
pub fn parquet(bytes: &[u8]) {
    table(FileFormat::Parquet, bytes);
}

/// A dataset of Stata: every row ends in one way.
pub fn stata(bytes: &[u8]) {
    table(FileFormat::Stata, bytes);
}

/// A binary table; files of other formats are refused. The first byte chooses value labels.
fn table(format: FileFormat, bytes: &[u8]) {
    let Some((choice, bytes)) = bytes.split_first() else { return };
    let mut profile = Profile::bundled("canonical").expect("shipped");
    profile.file.format = format;
    profile.file.encoding = "gb18030".to_owned().try_into().expect("a label");
    profile.file.value_labels = choice % 2 == 1;
    count(bytes, &profile);
}

/// A formula written as text parses to the same formula.
pub fn formula(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(formula) = Formula::parse(text) {
        let again = Formula::parse(&formula.to_string()).expect("what is written out is read");
        assert_eq!(again.to_string(), formula.to_string());
    }
}

/// A text is a specification or an error.
pub fn specification(bytes: &[u8]) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Specification::parse("fuzz", text);
    }
}

/// A file is a panel or an error; its columns have equal lengths.
pub fn panel(bytes: &[u8]) {
    let path = scratch("panel.csv");
    fs::write(&path, bytes).expect("written");
    let wanted = Wanted::default().numbers(["y", "x"]).levels(["x", "firm"]);
    if let Ok(table) = Table::read(&path, &wanted, &ReadOptions::default()) {
        table.panel().expect("columns of one length");
    }
}

/// A file of this process and thread.
fn scratch(name: &str) -> PathBuf {
    let of = format!("spillover-fuzz-{}-{:?}", std::process::id(), std::thread::current().id());
    let folder = std::env::temp_dir().join(of);
    fs::create_dir_all(&folder).expect("a temporary folder");
    folder.join(name)
}
