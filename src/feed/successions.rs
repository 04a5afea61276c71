//! Renumbered firms: `firms.csv` beside the feed, with `firm_id`, `successor` and `from`.
//!
//! ```text
//! firm_id,successor,from      a line of B from 2005-01 on counts as one of A
//! A,B,200501                  a line of C from 2009-07 on counts as one of A, too
//! B,C,200907
//! ```
//! A firm keeps the first identifier of its chain. A row that comes with a renumbering therefore
//! changes no line that was read before. Lines are stored with the identifier of their file.

use rustc_hash::FxHashMap;

use super::reference::{FIRMS, PlacesError, Problem, Table, month};
use crate::domain::dictionary::Dictionary;
use crate::domain::record::{Record, Texts};
use crate::domain::types::{Period, Year};

/// The successors of identifiers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Successions {
    by_successor: FxHashMap<Box<str>, Succession>,
}

/// The firm of an identifier that succeeds another one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Succession {
    /// The first month of the identifier.
    from: Period,
    /// The first identifier of the firm.
    first: Box<str>,
}

/// A row of the table.
struct Row {
    line: u64,
    firm: String,
    successor: String,
    from: Period,
}

const COLUMNS: [&str; 3] = ["firm_id", "successor", "from"];

impl Successions {
    /// Parses the table.
    ///
    /// # Errors
    /// [`PlacesError`] with the line and the problem: a missing column, a line that is not CSV, a
    /// blank identifier, an invalid month, an identifier with two successors or two predecessors,
    /// a circle, or a chain whose months do not increase.
    pub fn parse(text: &str) -> Result<Self, PlacesError> {
        let table = Table::parse(FIRMS, text, COLUMNS)?;
        let rows: Vec<Row> = table.rows.into_iter().map(row).collect::<Result<_, _>>()?;
        let by_firm = once(&rows, 0, |row| &row.firm)?;
        let by_successor = once(&rows, 1, |row| &row.successor)?;
        for row in &rows {
            if let Some(line) = circle(row, &by_firm) {
                let problem = Problem::Circle { firm: row.firm.clone(), line };
                return Err(PlacesError::field(FIRMS, row.line, COLUMNS[1], problem));
            }
            let before = by_successor.get(row.firm.as_str());
            if let Some(before) = before.filter(|before| before.from >= row.from) {
                let problem = Problem::NotLater {
                    firm: row.firm.clone(),
                    from: before.from,
                    line: before.line,
                };
                return Err(PlacesError::field(FIRMS, row.line, COLUMNS[2], problem));
            }
        }
        let first_of = |row: &Row| {
            let mut first = row;
            while let Some(before) = by_successor.get(first.firm.as_str()) {
                first = before;
            }
            Succession { from: row.from, first: first.firm.as_str().into() }
        };
        let by_successor = rows.iter().map(|row| (row.successor.as_str().into(), first_of(row)));
        Ok(Self { by_successor: by_successor.collect() })
    }

    /// The firms of identifiers in a dictionary, which gets their first identifiers.
    #[must_use]
    pub fn carried(&self, firms: &mut Dictionary) -> Carried {
        let n_firms = u32::try_from(firms.len()).unwrap_or(u32::MAX);
        let mut of = FxHashMap::default();
        if !self.by_successor.is_empty() {
            for at in 0..n_firms {
                if let Some(Succession { from, first }) = self.by_successor.get(firms.text(at)) {
                    of.insert(at, (*from, firms.intern(first)));
                }
            }
        }
        Carried { of }
    }

    /// Gives the records of a file the first identifiers of their firms.
    pub fn carry_over(&self, texts: &mut Texts, records: &mut [Record]) {
        let carried = self.carried(&mut texts.firms);
        if !carried.of.is_empty() {
            for record in records {
                record.firm = carried.firm(record.firm, record.period);
            }
        }
    }

    /// The first identifier of a firm that is renumbered up to a year.
    #[must_use]
    pub fn first_in_year(&self, code: &str, year: Year) -> Option<&str> {
        let succession = self.by_successor.get(code).filter(|of| of.from.year() <= year)?;
        Some(&succession.first)
    }

    /// The identifiers whose firm differs in another table, each with the first such month.
    #[must_use]
    pub fn changed(&self, other: &Self) -> Vec<(String, Period)> {
        let all = self.by_successor.keys().chain(other.by_successor.keys());
        let of = |table: &Self, code: &str| table.by_successor.get(code).cloned();
        let mut changed: Vec<(String, Period)> = all
            .filter_map(|code| {
                let month = match (of(self, code), of(other, code)) {
                    (one, another) if one == another => return None,
                    (Some(one), Some(another)) => one.from.min(another.from),
                    (Some(only), None) | (None, Some(only)) => only.from,
                    (None, None) => return None,
                };
                Some((code.to_string(), month))
            })
            .collect();
        changed.sort();
        changed.dedup();
        changed
    }
}

/// The firms of a dictionary's identifiers, by position.
#[derive(Clone, Debug, Default)]
pub struct Carried {
    of: FxHashMap<u32, (Period, u32)>,
}

impl Carried {
    /// True if no firm of the dictionary is renumbered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// The position of the first identifier of a firm, for a line of a month.
    #[inline]
    #[must_use]
    pub fn firm(&self, firm: u32, month: Period) -> u32 {
        if self.of.is_empty() {
            return firm;
        }
        self.of.get(&firm).filter(|(from, _)| *from <= month).map_or(firm, |(_, first)| *first)
    }
}

fn row((line, fields): (u64, [String; 3])) -> Result<Row, PlacesError> {
    let [firm, successor, from] = fields.map(|field| field.trim().to_owned());
    let error = |at: usize, problem| PlacesError::field(FIRMS, line, COLUMNS[at], problem);
    for (at, code) in [&firm, &successor].into_iter().enumerate() {
        if code.is_empty() {
            return Err(error(at, Problem::Blank));
        }
    }
    let from = month(&from).ok_or_else(|| error(2, Problem::Month(from.clone())))?;
    Ok(Row { line, firm, successor, from })
}

/// The rows by an identifier that occurs once in its column.
fn once(
    rows: &[Row],
    column: usize,
    code: impl Fn(&Row) -> &String,
) -> Result<FxHashMap<String, &Row>, PlacesError> {
    let mut by_code: FxHashMap<String, &Row> = FxHashMap::default();
    for row in rows {
        if let Some(first) = by_code.insert(code(row).clone(), row) {
            let problem = Problem::Twice { code: code(row).clone(), first_line: first.line };
            return Err(PlacesError::field(FIRMS, row.line, COLUMNS[column], problem));
        }
    }
    Ok(by_code)
}

/// The line by which a firm succeeds itself, if it does.
fn circle(row: &Row, by_firm: &FxHashMap<String, &Row>) -> Option<u64> {
    let mut last = row;
    for _ in 0..by_firm.len() {
        if last.successor == row.firm {
            return Some(last.line);
        }
        last = by_firm.get(&last.successor)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(yyyymm: u32) -> Period {
        Period::from_yyyymm(yyyymm).expect("a month")
    }

    fn parse(rows: &str) -> Result<Successions, String> {
        let text = format!("firm_id,successor,from\n{rows}");
        Successions::parse(&text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_chain_carries_the_first_identifier_from_the_month_of_each_row_on() {
        let successions = parse("B,C,200907\nA,B,200501\n").expect("a chain");
        let mut firms = Dictionary::default();
        let [a, b, c, d] = ["A", "B", "C", "D"].map(|code| firms.intern(code));
        let carried = successions.carried(&mut firms);
        let firm = |code, yyyymm| carried.firm(code, month(yyyymm));
        assert_eq!([firm(b, 200_412), firm(b, 200_501), firm(b, 201_001)], [b, a, a]);
        assert_eq!([firm(c, 200_906), firm(c, 200_907)], [c, a]);
        // Lines that use an old identifier for longer are lines of the same firm.
        assert_eq!([firm(a, 201_001), firm(d, 201_001)], [a, d]);
    }

    #[test]
    fn the_first_identifier_need_not_be_in_the_file() {
        let mut texts = Texts::default();
        texts.firms.intern("B");
        let successions = parse("A,B,200501\n").expect("a row");
        let carried = successions.carried(&mut texts.firms);
        assert_eq!(texts.firms.text(carried.firm(0, month(200_501))), "A");
    }

    #[test]
    fn bad_rows_are_refused_with_their_lines() {
        let cases = [
            ("A,,200501\n", "firms.csv, line 2, column successor: is blank"),
            ("A,B,2005\n", "firms.csv, line 2, column from: \"2005\" is not a month"),
            (
                "A,B,200501\nA,C,200601\n",
                "line 3, column firm_id: \"A\" is given twice, first on \
              line 2",
            ),
            (
                "A,C,200501\nB,C,200601\n",
                "line 3, column successor: \"C\" is given twice, first \
              on line 2",
            ),
            ("A,A,200501\n", "line 2, column successor: \"A\" succeeds itself, by line 2"),
            (
                "X,Y,200001\nA,B,200501\nB,A,200601\n",
                "line 3, column successor: \"A\" succeeds \
              itself, by line 4",
            ),
            (
                "A,B,200601\nB,C,200512\n",
                "line 3, column from: \"B\" exists only from 200601 on, \
              by line 2",
            ),
        ];
        for (rows, message) in cases {
            let error = parse(rows).expect_err(rows);
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn a_change_has_the_first_month_in_which_an_identifier_is_of_another_firm() {
        let before = parse("A,B,200501\n").expect("a row");
        let changed = |rows: &str| before.changed(&parse(rows).expect("rows"));
        assert_eq!(changed("A,B,200501\n"), []);
        assert_eq!(changed("A,B,200501\nB,C,200907\n"), [("C".to_owned(), month(200_907))]);
        assert_eq!(changed("A,B,200403\n"), [("B".to_owned(), month(200_403))]);
        assert_eq!(
            changed("Z,A,200001\nA,B,200501\n"),
            [("A".to_owned(), month(200_001)), ("B".to_owned(), month(200_501)),]
        );
        assert_eq!(changed(""), [("B".to_owned(), month(200_501))]);
    }
}
