use proptest::prelude::*;

use super::*;

fn comma() -> Style {
    Style { delimiter: b',', terminator: b'\n', skips_spaces: false }
}

/// A reader that returns a few bytes at a time.
struct Trickle<'t>(&'t [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.0.len().min(buffer.len()).min(3);
        buffer[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

/// All records of a text as (line, fields), quoted fields with a leading `"`; `None` if a record is
/// broken.
fn records(text: &[u8], style: Style) -> Option<Vec<(u64, Vec<String>)>> {
    let mut records = Records::new(Trickle(text)).expect("memory can be read");
    let terminator = records.style().terminator;
    records.set_style(Style { terminator, ..style });
    let mut all = Vec::new();
    while let Some(record) = records.next().ok()? {
        let field = |&field: &Field| {
            let text = record.lossy(field);
            if field.quoted { format!("\"{text}") } else { text }
        };
        all.push((record.line, record.fields.iter().map(field).collect()));
    }
    Some(all)
}

fn rows(text: &str, style: Style) -> Vec<(u64, Vec<String>)> {
    records(text.as_bytes(), style).expect("whole records")
}

#[test]
fn fields_are_told_apart_with_their_lines_and_quotes() {
    let text = "a,\"b\"\n\n1,\"x\"\"y\n,z\"\r\n\r\n\"\",\n";
    let expected = [
        (1, vec!["a".to_owned(), "\"b".to_owned()]),
        (3, vec!["1".to_owned(), "\"x\"y\n,z".to_owned()]),
        (6, vec!["\"".to_owned(), String::new()]),
    ];
    assert_eq!(rows(text, comma()), expected);
    assert_eq!(rows(text.trim_end_matches('\n'), comma()), expected);
}

#[test]
fn a_text_without_line_feeds_ends_its_lines_in_carriage_returns() {
    let two = [(1, vec!["a".to_owned()]), (2, vec!["b".to_owned()])];
    assert_eq!(rows("a\rb\r", comma()), two);
    assert_eq!(rows("a\r\nb\r\n", comma()), two);
}

#[test]
fn a_space_after_a_delimiter_belongs_to_it_only_where_the_style_is_so() {
    let spaced = Style { skips_spaces: true, ..comma() };
    let fields = |style| rows("a, \"b, c\",  d\n e, f,g\n", style);
    assert_eq!(fields(spaced)[0].1, ["a", "\"b, c", "d"]);
    assert_eq!(fields(spaced)[1].1, [" e", "f", "g"]);
    assert_eq!(fields(comma())[1].1, [" e", " f", "g"]);
}

#[test]
fn what_cannot_be_framed_is_named_with_its_line() {
    let broken = |text: &str| {
        let mut records = Records::new(text.as_bytes()).expect("memory can be read");
        loop {
            match records.next() {
                Ok(Some(_)) => {}
                Ok(None) => panic!("{text:?} is whole"),
                Err(broken) => return broken,
            }
        }
    };
    assert!(matches!(broken("a\n\"b\nc\n"), Broken::OpenQuote(2)));
    assert!(matches!(broken("a\n\n\"b\"c\n"), Broken::AfterQuote(3)));
}

proptest! {
    /// Quotes only around whole fields: this module refuses text after a closing quote, and the
    /// `csv` crate keeps it.
    #[test]
    fn what_is_well_formed_is_read_as_the_csv_crate_reads_it(
        rows in prop::collection::vec(
            prop::collection::vec("[ab ;\t]{0,3}|\"([ab,\n]|\"\"){0,4}\"", 1..4), 0..8,
        ),
        ends in prop::sample::select(vec!["\n", "\r\n"]),
    ) {
        let lines = rows.iter().map(|fields| fields.join(",") + ends);
        let text: String = lines.collect();
        let mut reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let expected: Vec<Vec<String>> = reader
            .records()
            .map(|record| record.expect("text").iter().map(str::to_owned).collect())
            .collect();
        let found: Vec<Vec<String>> = records(text.as_bytes(), comma())
            .expect("whole records")
            .into_iter()
            .map(|(_, fields)| {
                fields.iter().map(|f| f.strip_prefix('"').unwrap_or(f).to_owned()).collect()
            })
            .collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(
        prop::sample::select(b"a\"\",\r\n \xFF".to_vec()), 0..60,
    )) {
        records(&bytes, comma());
        records(&bytes, Style { skips_spaces: true, ..comma() });
    }
}
