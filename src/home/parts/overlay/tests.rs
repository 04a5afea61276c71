use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, Int64Array, StringArray};

use super::*;
use crate::domain::types::Year;
use crate::home::parts::{
    Fold, FoldedRows, Folding, Folds, Part, PartKind, PartWriter, UndoPart, chains, fold,
};

type Line = (bool, &'static str, Option<&'static str>, i64);

fn part(home: &Path, publication: u32, kind: PartKind, lines: &[Line]) -> Part {
    let texts = |text: fn(&Line) -> Option<&'static str>| -> ArrayRef {
        Arc::new(lines.iter().map(text).collect::<StringArray>())
    };
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        (REMOVED, Arc::new(lines.iter().map(|line| Some(line.0)).collect::<BooleanArray>()), false),
        ("city", texts(|line| Some(line.1)), false),
        ("country", texts(|line| line.2), true),
        ("cents", Arc::new(Int64Array::from_iter_values(lines.iter().map(|l| l.3))), false),
    ];
    let rows = RecordBatch::try_from_iter_with_nullable(columns).expect("columns of one length");
    let (year, publication) = (Year(2010), Publication(publication));
    let mut writer =
        PartWriter::create(home, Table::City, year, publication, rows.schema()).expect("created");
    writer.write(&rows).expect("written");
    writer.finish(kind, 12).expect("finished")
}

type Row = (String, Option<String>, i64);

fn rows(home: &Path, chains: &[Chain]) -> Vec<Row> {
    let years = chains.iter().map(|chain| YearStream::open(home, Table::City, chain));
    let batches = years.flat_map(|year| year.expect("a year"));
    let mut rows: Vec<Row> = batches.flat_map(|batch| spelled(&batch.expect("rows"))).collect();
    rows.sort();
    rows
}

fn spelled(batch: &RecordBatch) -> Vec<Row> {
    assert_eq!(batch.num_columns(), 3, "removed is left out");
    let [city, country] = [0, 1].map(|at| batch.column(at).as_string::<i32>());
    let cents = batch.column(2).as_primitive::<Int64Type>();
    let text =
        |country: &StringArray, row| country.is_valid(row).then(|| country.value(row).to_owned());
    (0..batch.num_rows())
        .map(|row| (city.value(row).to_owned(), text(country, row), cents.value(row)))
        .collect()
}

fn line(city: &str, country: Option<&str>, cents: i64) -> Row {
    (city.to_owned(), country.map(str::to_owned), cents)
}

/// A whole part and changes that replace, remove, add and restore rows.
fn story(home: &Path) -> ([Part; 4], [Vec<Row>; 4]) {
    let whole = [(false, "a", Some("1"), 1), (false, "a", None, 2), (false, "b", Some("1"), 3)];
    let second = [(false, "a", Some("1"), 11), (true, "a", None, 0), (false, "c", Some(""), 14)];
    let third = [(false, "a", None, 22), (true, "c", Some(""), 0)];
    let fourth = [(false, "a", Some("1"), 1), (false, "d", Some("1"), 9)];
    let parts = [
        part(home, 1, PartKind::Whole, &whole),
        part(home, 3, PartKind::Changes, &second),
        part(home, 4, PartKind::Changes, &third),
        part(home, 7, PartKind::Changes, &fourth),
    ];
    let (a, b) = (Some("1"), line("b", Some("1"), 3));
    let states = [
        vec![line("a", None, 2), line("a", a, 1), b.clone()],
        vec![line("a", a, 11), b.clone(), line("c", Some(""), 14)],
        vec![line("a", None, 22), line("a", a, 11), b.clone()],
        vec![line("a", None, 22), line("a", a, 1), b, line("d", a, 9)],
    ];
    (parts, states)
}

#[test]
fn later_changes_replace_remove_and_bring_back_rows() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let (parts, states) = story(home.path());
    for (n, expected) in (1..).zip(states) {
        assert_eq!(rows(home.path(), &Chain::of_parts(&parts[..n])), expected, "{n} parts");
    }
}

#[test]
fn a_newer_whole_part_makes_earlier_ones_irrelevant() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let home = home.path();
    let parts = [
        part(home, 1, PartKind::Whole, &[(false, "a", Some("1"), 1)]),
        part(home, 2, PartKind::Changes, &[(false, "b", Some("1"), 2)]),
        part(home, 3, PartKind::Whole, &[(false, "c", Some("1"), 3)]),
    ];
    std::fs::remove_file(home.join(&parts[0].file.path)).expect("not needed any more");
    assert_eq!(rows(home, &Chain::of_parts(&parts)), vec![line("c", Some("1"), 3)]);
}

#[test]
fn a_damaged_part_is_named() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let part = part(home.path(), 1, PartKind::Whole, &[(false, "a", Some("1"), 1)]);
    let path = home.path().join(&part.file.path);
    let mut bytes = std::fs::read(&path).expect("the part");
    bytes[20] ^= 1;
    std::fs::write(&path, bytes).expect("damaged");
    let error = read_part(home.path(), &part.file).expect_err("a damaged part");
    assert!(error.to_string().contains("published/city/2010/000001.parquet is damaged"));
}

/// Folds up to one publication and then up to the last, like a growing home; the publications in
/// `wanted` stay.
fn folded(home: &Path, parts: &[Part], first: usize, wanted: &[u32]) -> (Fold, Vec<UndoPart>) {
    let is_wanted = |at: Publication| wanted.contains(&at.0);
    let (table, year) = (Table::City, Year(2010));
    let mut base = (parts[0].file.clone(), parts[0].publication);
    let mut undo: Vec<UndoPart> = Vec::new();
    let mut rows = None;
    for (name, changes) in [("one", &parts[1..=first]), ("two", &parts[first + 1..])] {
        let folding = Folding {
            table,
            year,
            first: parts[0].publication,
            base: (&base.0, base.1),
            changes,
            undo: &undo,
            is_wanted: &is_wanted,
            name: name.to_owned(),
        };
        let done = fold(home, &folding).expect("folded");
        undo = done.undo.into_iter().collect();
        if let Some(FoldedRows { n_rows, file }) = done.rows {
            base = (file.clone(), changes[changes.len() - 1].publication);
            rows = Some(FoldedRows { n_rows, file });
        }
    }
    (Fold { table, year, first: parts[0].publication, last: base.1, rows }, undo)
}

#[test]
fn folded_parts_have_every_state_that_is_wanted_and_no_other() {
    for first in 1..4 {
        for kept in 0..8_u32 {
            let home = tempfile::tempdir().expect("a temporary folder");
            let (parts, states) = story(home.path());
            let publications = [1, 3, 4, 7];
            let is_kept = |at: usize| at == 3 || kept & (1 << at) != 0;
            let wanted: Vec<u32> =
                (0..4).filter(|at| is_kept(*at)).map(|at| publications[at]).collect();
            let (fold, undo) = folded(home.path(), &parts, first, &wanted);
            for part in &parts {
                std::fs::remove_file(home.path().join(&part.file.path)).expect("not needed");
            }
            for (at, expected) in states.iter().enumerate() {
                let as_of = &parts[..=at];
                let folds = Folds { folds: std::slice::from_ref(&fold), undo: &undo };
                let chains = chains(as_of, folds);
                assert_eq!(chains.is_some(), is_kept(at), "state {at} of {wanted:?}, {first}");
                if let Some(chains) = chains {
                    let found = rows(home.path(), &chains);
                    assert_eq!(found, *expected, "state {at} of {wanted:?}, {first}");
                }
            }
        }
    }
}

/// Several row groups, each with changed rows.
#[test]
fn a_fold_of_several_row_groups_has_the_rows_before_and_after() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let home = home.path();
    let cities: Vec<String> = (0..70_000).map(|city| format!("{city:05}")).collect();
    let cities: Vec<&'static str> =
        cities.into_iter().map(|city| &*Box::leak(city.into_boxed_str())).collect();
    let whole: Vec<Line> = cities.iter().map(|city| (false, *city, Some("1"), 1)).collect();
    let every = |n: usize| cities.iter().enumerate().filter(move |(at, _)| at % n == 0);
    let mut changes: Vec<Line> =
        every(1000).map(|(at, city)| (at % 2000 == 0, *city, Some("1"), 2)).collect();
    changes.push((false, "new", Some("1"), 3));
    let parts =
        [part(home, 1, PartKind::Whole, &whole), part(home, 3, PartKind::Changes, &changes)];
    let expected = [1, 2].map(|n| rows(home, &Chain::of_parts(&parts[..n])));
    assert_eq!(expected.each_ref().map(Vec::len), [70_000, 70_000 - 35 + 1]);
    let folding = Folding {
        table: Table::City,
        year: Year(2010),
        first: Publication(1),
        base: (&parts[0].file, Publication(1)),
        changes: &parts[1..],
        undo: &[],
        is_wanted: &|_| true,
        name: "one".to_owned(),
    };
    let done = fold(home, &folding).expect("folded");
    assert_eq!(done.rows.as_ref().map(|rows| rows.n_rows), Some(70_000 - 35 + 1));
    let undo: Vec<UndoPart> = done.undo.into_iter().collect();
    let (table, year, first, last) = (Table::City, Year(2010), Publication(1), Publication(3));
    let folds = [Fold { table, year, first, last, rows: done.rows }];
    let folds = Folds { folds: &folds, undo: &undo };
    for (n, expected) in (1..).zip(expected) {
        let chains = chains(&parts[..n], folds).expect("stored");
        assert!(rows(home, &chains) == expected, "{n} parts");
    }
}
