//! Stories of a home: files that are accepted, superseded, lost to a crash, and read during a
//! write.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use arrow_array::{ArrayRef, BooleanArray, RecordBatch, StringArray};

use super::parts::{PartKind, PartWriter, REMOVED, YearStream};
use super::*;
use crate::domain::record::{Counts, Exclusion, Intake, Rule};
use crate::domain::types::{Flow, Year};

fn month(text: &str) -> Period {
    text.parse().expect("a month")
}

fn city_of(text: &str) -> Option<City> {
    (text == "1101").then_some(City(0))
}

/// A file with two accepted records (one of them late), an excluded record and a rejected line.
fn intake(period: &str, late: &str) -> Intake {
    let mut texts = Texts::default();
    let record = Record {
        firm: texts.firms.intern("F1"),
        name: texts.names.intern("工厂"),
        region: texts.regions.intern("11011"),
        country: texts.countries.intern("502"),
        product: texts.products.intern("85171200"),
        trade_mode: texts.trade_modes.intern("10"),
        line: 2,
        city: Some(City(0)),
        period: month(period),
        flow: Flow::Export,
        exclusion: None,
        value_cents: 100,
    };
    let late = Record { line: 3, period: month(late), value_cents: -30, ..record };
    let excluded = Record { line: 4, exclusion: Some(Exclusion::Country), ..record };
    let reject =
        Reject { line: 5, column: "value_usd".into(), rule: Rule::Number, raw: "…,x".into() };
    let mut counts = Counts { lines: 4, accepted: 2, ..Counts::default() };
    counts.excluded[Exclusion::Country as usize] = 1;
    counts.rejected[Rule::Number as usize] = 1;
    Intake {
        columns: Vec::new(),
        coverage: None,
        findings: Vec::new(),
        shown: Vec::new(),
        name: format!("{period}.csv"),
        period: month(period),
        hash: format!("hash of {period}"),
        n_bytes: 1234,
        texts,
        records: vec![record, late, excluded],
        rejects: vec![reject],
        counts,
    }
}

fn accepted(home: &Path, vintage: u32, intake: &Intake) -> AcceptedFile {
    let vintage = Vintage(vintage);
    let mut records = intake.records.clone();
    segment::sort(&mut records, intake.texts.firms.len());
    let segment = segment::encode(1, &intake.texts, &mut records, &|_| "1101");
    let segment =
        segment.expect("records that fit their columns").store(home, vintage).expect("a segment");
    let path = Path::new("feed").join(&intake.name);
    AcceptedFile {
        vintage,
        path,
        summary: Summary::of(intake),
        segment,
        run: None,
        supersedes: Vec::new(),
        coverage: None,
        new_codes: None,
        new_regions: Vec::new(),
        replaces: Vec::new(),
    }
}

fn part(home: &Path, publication: u32, kind: PartKind, firms: &[(bool, u32)]) -> Part {
    let removed: BooleanArray = firms.iter().map(|row| Some(row.0)).collect();
    let n = firms.len();
    let firms = StringArray::from_iter_values(firms.iter().map(|row| row.1.to_string()));
    let columns: [(&str, ArrayRef); 4] = [
        (REMOVED, Arc::new(removed)),
        ("firm", Arc::new(firms)),
        ("city", Arc::new(StringArray::from(vec!["1101"; n]))),
        ("country", Arc::new(StringArray::from(vec!["502"; n]))),
    ];
    let rows = RecordBatch::try_from_iter(columns).expect("columns of one length");
    let publication = Publication(publication);
    let mut writer = PartWriter::create(home, Table::Plant, Year(2001), publication, rows.schema())
        .expect("a part");
    writer.write(&rows).expect("written");
    writer.finish(kind, 3).expect("finished")
}

/// A home with one publication of one file: `200103.csv` with a record of `200101`.
fn first(home: &Path) -> Home {
    let mut opened = Home::open(home).expect("a new home");
    let definition = DefinitionTexts {
        options: "close = \"file\"".into(),
        references: vec![("cities.csv".into(), "city\n1101\n".into())],
    };
    opened
        .commit(&Commit {
            publication: Publication(1),
            files: vec![accepted(home, 1, &intake("200103", "200101"))],
            closed: vec![month("200103")],
            parts: vec![part(home, 1, PartKind::Whole, &[(false, 7), (false, 8)])],
            definition: Some(definition),
            ..Commit::default()
        })
        .expect("the first commit");
    opened
}

fn firms(home: &Home, as_of: Option<Vintage>) -> usize {
    let chains = home.chains(Table::Plant, as_of).expect("asked").expect("stored");
    let years = chains.iter().map(|of| YearStream::open(home.folder(), Table::Plant, of));
    let batches = years.flat_map(|year| year.expect("a year"));
    batches.map(|batch| batch.expect("rows").num_rows()).sum()
}

#[test]
fn what_was_committed_is_there_when_the_home_is_opened_again() {
    let home = tempfile::tempdir().expect("a temporary folder");
    drop(first(home.path()));
    let opened = Home::open(home.path()).expect("the home");
    let files = opened.files().expect("the files");
    let intake = intake("200103", "200101");
    assert_eq!(files.len(), 1);
    assert_eq!((&files[0].counts, files[0].absolute_cents), (&intake.counts, 130));
    assert_eq!(files[0].path, Path::new("feed").join("200103.csv"));
    let known = opened.known_files().expect("asked");
    assert_eq!((known.len(), &known[0].hash), (1, &intake.hash));
    assert_eq!(opened.vintages_of(month("200101")).expect("asked"), []);
    assert_eq!(opened.vintages_with(month("200101")).expect("asked"), [Vintage(1)]);
    assert_eq!(opened.rejects(Vintage(1)).expect("asked"), intake.rejects);
    assert_eq!(opened.closed().expect("asked"), [(month("200103"), Publication(1))]);
    assert_eq!(opened.first_period().expect("asked"), Some(month("200103")));
    assert_eq!(opened.last_publication().expect("asked"), Some((Publication(1), Vintage(1))));
    let definition = opened.definition().expect("asked").expect("recorded");
    assert_eq!(definition.options, "close = \"file\"");
    assert_eq!(definition.references.len(), 1);
    let sizes = opened.sizes().expect("asked");
    assert_eq!((sizes.n_segments, sizes.n_parts), (1, 1));
    let (_, records) = opened.segment(Vintage(1), Fields::All, &city_of).expect("the segment");
    assert_eq!(records.len(), 3);
}

#[test]
fn a_commit_that_fails_leaves_nothing() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let home = home.path();
    let mut opened = first(home);
    let mut twice = accepted(home, 3, &intake("200105", "200105"));
    twice.vintage = Vintage(1);
    let commit = Commit {
        publication: Publication(2),
        files: vec![accepted(home, 2, &intake("200104", "200104")), twice],
        closed: vec![month("200104")],
        ..Commit::default()
    };
    let error = opened.commit(&commit).expect_err("a vintage twice");
    assert!(matches!(error, HomeError::Commit { .. }), "{error}");
    assert_eq!(opened.files().expect("asked").len(), 1);
    assert_eq!(opened.closed().expect("asked").len(), 1);
    assert_eq!(opened.last_publication().expect("asked"), Some((Publication(1), Vintage(1))));
    drop(opened);
    drop(Home::open(home).expect("the home"));
    let left = fs::read_dir(home.join("segments")).expect("the folder").count();
    assert_eq!(left, 1, "the segments of the failed commit are orphans");
}

#[test]
fn the_same_bytes_count_once_unless_withdrawn() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let home = home.path();
    let mut opened = first(home);
    let mut commit = Commit {
        publication: Publication(2),
        files: vec![accepted(home, 2, &intake("200103", "200102"))],
        ..Commit::default()
    };
    opened.commit(&commit).expect_err("bytes that count already");
    commit.files[0].supersedes = vec![Vintage(1)];
    opened.commit(&commit).expect("they take the place of the first");
    assert_eq!(opened.vintages_of(month("200103")).expect("asked"), [Vintage(2)]);
    assert_eq!(opened.vintages_with(month("200101")).expect("asked"), []);
    assert_eq!(opened.files().expect("asked")[0].superseded_by, Some(Vintage(2)));
    assert_eq!(opened.absolute_cents().expect("asked"), 130);
    commit.publication = Publication(3);
    commit.files = vec![accepted(home, 3, &intake("200104", "200104"))];
    commit.files[0].supersedes = vec![Vintage(1)];
    let error = opened.commit(&commit).expect_err("withdrawn already");
    assert!(matches!(error, HomeError::NotLive { vintage: Vintage(1) }), "{error}");
}

#[test]
fn definitions_are_recorded_once() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut opened = first(home.path());
    let definition = Some(DefinitionTexts::default());
    let commit = Commit { publication: Publication(2), definition, ..Commit::default() };
    let error = opened.commit(&commit).expect_err("a second time");
    assert!(matches!(error, HomeError::Recorded { .. }), "{error}");
}

#[test]
fn a_commit_names_only_what_is_on_the_disk() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut opened = first(home.path());
    let file = accepted(home.path(), 2, &intake("200104", "200104"));
    fs::remove_file(home.path().join(&file.segment.path)).expect("removed");
    let commit = Commit { publication: Publication(2), files: vec![file], ..Commit::default() };
    let error = opened.commit(&commit).expect_err("no segment");
    assert!(matches!(error, HomeError::NotWritten { .. }), "{error}");
}

#[test]
fn a_reader_sees_each_commit_of_an_open_writer_whole() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let home = home.path();
    let mut writer = first(home);
    let reader = Home::read(home).expect("a reader");
    let follower = Home::follow(home).expect("a follower");
    assert_eq!(firms(&reader, None), 2);
    let commit = Commit {
        publication: Publication(2),
        files: vec![accepted(home, 2, &intake("200104", "200104"))],
        parts: vec![part(home, 2, PartKind::Changes, &[(true, 7)])],
        ..Commit::default()
    };
    writer.commit(&commit).expect("a commit beside a reader");
    assert_eq!(reader.files().expect("asked").len(), 1, "it reads what was when it began");
    assert_eq!(follower.files().expect("asked").len(), 2, "it reads what is");
    assert_eq!(firms(&reader, None), 2);
    let reader = Home::read(home).expect("a reader that begins later");
    assert_eq!(reader.files().expect("asked").len(), 2);
    assert_eq!(firms(&reader, None), 1);
    assert_eq!(firms(&reader, Some(Vintage(1))), 2, "an earlier vintage stays what it was");
    drop(writer);
    assert_eq!(Home::read(home).expect("a reader alone").files().expect("asked").len(), 2);
}

#[test]
fn a_second_writer_is_refused_and_a_reader_is_not() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let _writer = first(home.path());
    let error = Home::open(home.path()).expect_err("a second writer");
    assert!(matches!(error, HomeError::Locked { pid: Some(_), .. }), "{error}");
    Home::read(home.path()).expect("a reader");
}

#[test]
fn a_damaged_segment_is_named_with_both_hashes() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let opened = first(home.path());
    let path = home.path().join("segments/000001.parquet");
    let mut bytes = fs::read(&path).expect("the segment");
    bytes[40] ^= 1;
    fs::write(&path, bytes).expect("damaged");
    let error = opened.segment(Vintage(1), Fields::Figures, &city_of).expect_err("damaged");
    let HomeError::Corrupt { path: found, .. } = &error else { panic!("{error}") };
    assert_eq!(*found, path);
}

#[test]
fn a_folder_without_a_manifest_is_no_home_to_read() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let error = Home::read(home.path()).expect_err("no home");
    assert!(matches!(error, HomeError::NoHome { .. }), "{error}");
}

#[test]
fn a_home_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("file"), "").expect("written");
    let error = Home::open(&folder.path().join("file/home")).expect_err("a file in the way");
    assert!(matches!(error, HomeError::CreateFolder { .. }), "{error}");
}

#[test]
fn a_manifest_of_another_layout_is_refused() {
    let home = tempfile::tempdir().expect("a temporary folder");
    drop(first(home.path()));
    let manifest = rusqlite::Connection::open(home.path().join("manifest.sqlite")).expect("opened");
    manifest.pragma_update(None, "user_version", 99).expect("changed");
    drop(manifest);
    for opened in [Home::open(home.path()), Home::read(home.path())] {
        let error = opened.expect_err("another layout");
        assert!(matches!(error, HomeError::Layout { found: 99, .. }), "{error}");
    }
}

#[test]
fn bytes_are_news_again_once_the_file_or_what_took_its_place_is_withdrawn() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let home = home.path();
    let mut opened = first(home);
    let mut second = accepted(home, 2, &intake("200103", "200102"));
    second.summary.hash = "another hash".to_owned();
    second.supersedes = vec![Vintage(1)];
    let publication = Publication(2);
    let commit = Commit { publication, files: vec![second], ..Commit::default() };
    opened.commit(&commit).expect("it takes the place of the first");
    assert_eq!(opened.known_files().expect("asked").len(), 2);
    let mut commit = Commit {
        publication: Publication(3),
        withdrawn: vec![Withdrawn { file: Vintage(2), at: Vintage(3) }],
        ..Commit::default()
    };
    opened.commit(&commit).expect("it is withdrawn");
    assert_eq!(opened.known_files().expect("asked").len(), 0);
    assert_eq!(opened.last_vintage().expect("asked"), Some(Vintage(3)));
    assert_eq!(opened.last_publication().expect("asked"), Some((Publication(3), Vintage(3))));
    assert_eq!(opened.closed().expect("asked").len(), 1, "a closed month stays closed");
    let files = opened.files().expect("asked");
    let counted = |vintage| files.iter().map(|file| file.counted_at(vintage)).collect::<Vec<_>>();
    assert_eq!(counted(Vintage(1)), [true, false]);
    assert_eq!(counted(Vintage(2)), [false, true]);
    assert_eq!(counted(Vintage(3)), [false, false]);
    commit.publication = Publication(4);
    let error = opened.commit(&commit).expect_err("withdrawn already");
    assert!(matches!(error, HomeError::NotLive { vintage: Vintage(2) }), "{error}");
}

#[test]
fn a_publication_before_the_first_rows_is_no_stored_vintage() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let mut opened = Home::open(home.path()).expect("a new home");
    for (publication, months) in [(1, "200101"), (2, "200102"), (3, "200103")] {
        let file = accepted(home.path(), publication, &intake(months, months));
        let kind = [PartKind::Whole, PartKind::Changes][usize::from(publication == 3)];
        let part = || part(home.path(), publication, kind, &[(false, publication)]);
        let parts = (publication > 1).then(part).into_iter().collect();
        let publication = Publication(publication);
        opened
            .commit(&Commit { publication, files: vec![file], parts, ..Commit::default() })
            .expect("committed");
    }
    let stored = |opened: &Home| opened.stored_vintages().expect("asked");
    assert_eq!(stored(&opened), [(Vintage(2), true), (Vintage(3), true)]);
    let wanted = BTreeSet::from([Publication(3)]);
    let rules = CompactionRules::ALL;
    let unwanted = opened.unwanted(rules, &wanted).expect("asked");
    assert_eq!(unwanted, BTreeSet::from([Publication(2)]), "publication 1 has no rows");
    opened.compact(rules, Some(&wanted)).expect("folded");
    assert_eq!(stored(&opened), [(Vintage(2), false), (Vintage(3), true)]);
    assert_eq!(opened.unwanted(rules, &wanted).expect("asked"), BTreeSet::new(), "it is gone");
}
