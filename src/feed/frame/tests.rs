//! Framing of well-formed, malformed and arbitrary text.

use proptest::prelude::*;

use super::*;

/// A source that returns a few bytes at a time.
struct Dripping<'a>(&'a [u8], usize);

impl Read for Dripping<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.0.len().min(self.1).min(buffer.len());
        buffer[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

/// A text with its lines, block after block.
struct Text<R> {
    blocks: Blocks<R>,
    lines: Lines,
}

impl<R: Read> Text<R> {
    fn new(source: R) -> Self {
        Self { blocks: Blocks::new(source, Dialect::quoted(b',')), lines: Lines::new(b',') }
    }

    fn next_line(&mut self) -> Option<Framed<'_>> {
        // Asked twice: the returned line borrows the lines.
        while self.lines.is_at_end() {
            if !self.blocks.fill(&mut self.lines).expect("the source does not fail") {
                return None;
            }
        }
        self.lines.next_line()
    }
}

/// A line's number and fields, or the rule that it breaks.
type Outcome = (u64, Result<Vec<String>, Rule>);

fn framed(source: impl Read) -> Vec<Outcome> {
    framed_in_blocks(source, BLOCK_BYTES)
}

fn framed_in_blocks(source: impl Read, block_bytes: usize) -> Vec<Outcome> {
    let mut text = Text::new(source);
    text.blocks.block_bytes = block_bytes;
    let mut outcomes = Vec::new();
    while let Some(framed) = text.next_line() {
        outcomes.push(match framed {
            Framed::Line(line) => {
                let texts = line.fields.iter().map(|field| field.lossy(line.raw));
                (line.line, Ok(texts.collect()))
            }
            Framed::Broken { line, rule, .. } => (line, Err(rule)),
        });
    }
    outcomes
}

fn check(text: &str, expected: &[(u64, Result<&[&str], Rule>)]) {
    let outcomes = framed(text.as_bytes());
    let shown: Vec<(u64, Result<Vec<&str>, Rule>)> = outcomes
        .iter()
        .map(|(line, fields)| {
            let fields = fields.as_ref().map(|fields| fields.iter().map(String::as_str).collect());
            (*line, fields.map_err(|rule| *rule))
        })
        .collect();
    let expected: Vec<_> =
        expected.iter().map(|(line, fields)| (*line, fields.map(<[&str]>::to_vec))).collect();
    assert_eq!(shown, expected, "{text:?}");
}

#[test]
fn lines_end_with_a_line_feed_with_or_without_a_carriage_return_before_it() {
    check("a,b\r\nc,d\ne,f", &[(1, Ok(&["a", "b"])), (2, Ok(&["c", "d"])), (3, Ok(&["e", "f"]))]);
    check("\"a\",\"b\"\r\n\"c\",d\r\n", &[(1, Ok(&["a", "b"])), (2, Ok(&["c", "d"]))]);
}

#[test]
fn a_lone_carriage_return_ends_nothing() {
    check("a\rb,c\r", &[(1, Ok(&["a\rb", "c\r"]))]);
}

#[test]
fn blank_lines_are_passed_over_and_counted_as_physical_lines() {
    check("\n\r\na\n\n\nb\n", &[(3, Ok(&["a"])), (6, Ok(&["b"]))]);
    check(" \n", &[(1, Ok(&[" "]))]);
}

#[test]
fn a_quoted_field_may_hold_delimiters_quotes_and_line_ends() {
    check(
        "\"a,\"\"b\"\"\",\"c\r\nd\",\"\"\ne\n",
        &[(1, Ok(&["a,\"b\"", "c\r\nd", ""])), (3, Ok(&["e"]))],
    );
}

#[test]
fn a_quote_inside_an_unquoted_field_is_a_letter() {
    check("5\" pipe,b\n c,\"d\"\n", &[(1, Ok(&["5\" pipe", "b"])), (2, Ok(&[" c", "d"]))]);
}

#[test]
fn an_unclosed_quote_costs_its_own_line_only() {
    check(
        "a,\"b\nc,d\ne,f\n",
        &[(1, Err(Rule::Quote)), (2, Ok(&["c", "d"])), (3, Ok(&["e", "f"]))],
    );
    check("a\n\"", &[(1, Ok(&["a"])), (2, Err(Rule::Quote))]);
}

#[test]
fn text_after_a_closing_quote_costs_its_line() {
    check("\"a\"b,c\nd\n", &[(1, Err(Rule::Quote)), (2, Ok(&["d"]))]);
    check("\"a\n\"b\nd\n", &[(1, Err(Rule::Quote)), (2, Err(Rule::Quote)), (3, Ok(&["d"]))]);
}

#[test]
fn a_quoted_field_past_the_limit_costs_its_first_line_only() {
    let long = format!("\"a\n{}\"\nb\n", "x\n".repeat(LINE_BYTES_MAX / 2));
    let outcomes = framed(long.as_bytes());
    assert_eq!(outcomes[0], (1, Err(Rule::Quote)));
    assert_eq!(outcomes[1], (2, Ok(vec!["x".to_owned()])));
    assert_eq!(outcomes.len(), 3 + LINE_BYTES_MAX / 2);
}

#[test]
fn a_line_at_the_limit_is_taken_and_one_past_it_is_not() {
    for end in ["\n", "\r\n", ""] {
        let at = "x".repeat(LINE_BYTES_MAX);
        let (outcomes, expected) = (framed(format!("{at}{end}").as_bytes()), Ok(vec![at.clone()]));
        assert_eq!(outcomes, [(1, expected)]);
        let past = format!("{at}x{end}");
        assert_eq!(framed(past.as_bytes()), [(1, Err(Rule::Length))]);
        let quoted = format!("\"{}\"{end}", "x".repeat(LINE_BYTES_MAX - 2));
        assert!(framed(quoted.as_bytes())[0].1.is_ok());
    }
}

#[test]
fn a_line_of_a_hundred_megabytes_is_one_reject_and_takes_no_memory_of_that_size() {
    let source = b"a\n".chain(io::repeat(b'x').take(100 << 20)).chain(&b"\nb\n"[..]);
    let mut text = Text::new(source);
    assert!(matches!(text.next_line(), Some(Framed::Line(Line { line: 1, .. }))));
    match text.next_line() {
        Some(Framed::Broken { line: 2, rule: Rule::Length, raw }) => {
            assert_eq!(raw.len(), HEAD_BYTES);
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(text.next_line(), Some(Framed::Line(Line { line: 3, .. }))));
    assert!(text.next_line().is_none());
    let n_held = text.lines.block.capacity() + text.blocks.carried.capacity();
    assert!(n_held <= 4 * BLOCK_BYTES, "{n_held} bytes");
}

fn is_blank(line: &[u8]) -> bool {
    matches!(line, b"\n" | b"\r\n")
}

/// Bytes with many special characters.
fn any_text() -> impl Strategy<Value = Vec<u8>> {
    let byte =
        prop_oneof![Just(b'"'), Just(b','), Just(b'\n'), Just(b'\r'), Just(b'a'), any::<u8>(),];
    prop::collection::vec(byte, 0..400)
}

/// A table of fields with and without quotes.
fn any_table() -> impl Strategy<Value = Vec<Vec<String>>> {
    prop::collection::vec(prop::collection::vec("[a,\"\r\n é贸]{0,6}", 1..5), 0..20)
}

proptest! {
    #[test]
    fn framing_does_not_depend_on_how_the_bytes_arrive(text in any_text(), step in 1_usize..9) {
        prop_assert_eq!(framed(&text[..]), framed(Dripping(&text, step)));
    }

    #[test]
    fn every_physical_line_is_in_exactly_one_outcome(text in any_text()) {
        let mut lines = Text::new(&text[..]);
        let mut expected = 1;
        while let Some(framed) = lines.next_line() {
            let (line, raw) = match framed {
                Framed::Line(line) => (line.line, line.raw),
                Framed::Broken { line, raw, .. } => (line, raw),
            };
            let skipped = text.split_inclusive(|&byte| byte == b'\n').skip(expected - 1);
            let blank = skipped.take_while(|line| is_blank(line)).count();
            let line = usize::try_from(line).expect("a short text");
            prop_assert_eq!(line, expected + blank);
            expected = line + 1 + memchr_iter(b'\n', raw).count();
        }
        let rest = text.split_inclusive(|&byte| byte == b'\n').skip(expected - 1);
        prop_assert!(rest.into_iter().all(is_blank));
    }

    #[test]
    fn what_the_csv_crate_writes_is_framed_as_it_was_and_as_it_reads_it(table in any_table()) {
        let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        for row in &table {
            writer.write_record(row).expect("memory does not fail");
        }
        let text = writer.into_inner().expect("memory does not fail");
        let fields: Vec<_> = framed(&text[..]).into_iter().map(|(_, fields)| fields).collect();
        prop_assert_eq!(&fields, &table.into_iter().map(Ok).collect::<Vec<_>>());
        let mut reader = csv::ReaderBuilder::new();
        reader.has_headers(false).flexible(true).terminator(csv::Terminator::Any(b'\n'));
        for (record, fields) in reader.from_reader(&text[..]).records().zip(fields) {
            let record = record.expect("memory does not fail");
            prop_assert_eq!(record.iter().collect::<Vec<_>>(), fields.expect("as written"));
        }
    }
}

/// Short lines, most of which begin like the previous line.
fn alike() -> impl Strategy<Value = String> {
    let field =
        prop_oneof![6 => Just("firm 17"), 1 => Just("firm 1"), 1 => Just(""), 1 => Just("\"x\"")];
    let line = prop::collection::vec(field, 1..5).prop_map(|fields| fields.join(",") + "\n");
    prop::collection::vec(line, 0..20).prop_map(|lines| lines.concat())
}

proptest! {
    #[test]
    fn a_line_knows_how_many_fields_it_begins_with_as_the_one_before(text in alike()) {
        let mut lines = Text::new(text.as_bytes());
        let mut before: Vec<String> = Vec::new();
        let mut is_plain = false;
        while let Some(framed) = lines.next_line() {
            let Framed::Line(line) = framed else { continue };
            let quotes = line.raw.contains(&b'"');
            let fields: Vec<_> = line.fields.iter().map(|field| field.lossy(line.raw)).collect();
            let alike = before.iter().zip(&fields).take_while(|(left, right)| left == right);
            // No delimiter follows the last field, so it cannot be counted.
            let n_delimited = before.len().min(fields.len()) - usize::from(!before.is_empty());
            let expected = if is_plain && !quotes { alike.count().min(n_delimited) } else { 0 };
            prop_assert_eq!(line.n_same, expected, "{:?} after {:?}", fields, before);
            (before, is_plain) = (fields, !quotes);
        }
    }
}

proptest! {
    // Each text has several blocks.
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn framing_does_not_depend_on_where_blocks_end(text in any_text()) {
        let text = text.repeat(3 * BLOCK_BYTES / text.len().max(1));
        let whole = framed_in_blocks(&text[..], text.len() + 1);
        prop_assert!(framed(&text[..]) == whole, "{} bytes", text.len());
    }
}
