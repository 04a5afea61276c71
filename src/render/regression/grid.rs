//! A table as a grid of cells, before any layout.

use crate::tables::meanings::Language;
use crate::visible;

/// A cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// A text.
    Text(String),
    /// A number, which is aligned by its decimal point.
    Number {
        /// The bracket before the digits; may be empty.
        before: &'static str,
        /// The digits with their sign.
        digits: String,
        /// The bracket or the stars after them; may be empty.
        after: &'static str,
    },
}

/// A line of the grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// A horizontal rule.
    Rule,
    /// A label, and a cell for each column.
    Cells(String, Vec<Cell>),
}

/// A grid of cells.
#[derive(Clone, Debug, Default)]
pub struct Grid {
    /// A name for references, such as `3`; may be empty.
    pub name: String,
    /// The language of its texts.
    pub language: Language,
    /// The title.
    pub title: String,
    /// The lines of the header.
    pub header: Vec<Line>,
    /// The lines below the header.
    pub body: Vec<Line>,
    /// The notes below the table.
    pub notes: Vec<String>,
}

impl Cell {
    /// An empty cell.
    #[must_use]
    pub fn empty() -> Self {
        Self::Text(String::new())
    }

    /// A number without brackets or stars; an empty text is an empty cell.
    #[must_use]
    pub fn number(digits: String) -> Self {
        if digits.is_empty() {
            Self::empty()
        } else {
            Self::Number { before: "", digits, after: "" }
        }
    }

    /// A number in brackets; an empty text is an empty cell.
    #[must_use]
    pub fn in_brackets(digits: String) -> Self {
        if digits.is_empty() {
            return Self::empty();
        }
        Self::Number { before: "(", digits, after: ")" }
    }

    /// A number if the text is one, else a text.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let is_number = text.replace(',', "").parse::<f64>().is_ok_and(f64::is_finite);
        if is_number { Self::number(text.to_owned()) } else { Self::Text(text.to_owned()) }
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number { before, digits, after } => format!("{before}{digits}{after}"),
        }
    }

    /// True without a text.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }
}

impl Grid {
    /// Arranges rows of texts; the first text of each row is its label, and the first row is the
    /// header.
    #[must_use]
    pub fn plain(title: &str, rows: &[Vec<String>], note: Option<String>) -> Self {
        let line = |cells: &[String], cell: fn(&str) -> Cell| {
            let (label, cells) =
                cells.split_first().map_or((String::new(), &[][..]), |(l, c)| (l.clone(), c));
            Line::Cells(label, cells.iter().map(|text| cell(text)).collect())
        };
        let (header, body) = rows.split_first().map_or((None, rows), |(head, rest)| {
            (Some(line(head, |text| Cell::Text(text.to_owned()))), rest)
        });
        Self {
            title: title.to_owned(),
            header: header.into_iter().collect(),
            body: body.iter().map(|row| line(row, Cell::read)).collect(),
            notes: note.into_iter().collect(),
            ..Self::default()
        }
    }

    /// The same grid with a name and a language.
    #[must_use]
    pub fn named(self, name: &str, language: Language) -> Self {
        Self { name: name.to_owned(), language, ..self }
    }

    /// The grid with visible texts. Names of columns and messages can contain any character, so
    /// each text becomes one visible line.
    #[must_use]
    pub fn visible(&self) -> Self {
        let text = |text: &String| visible::line(text).into_owned();
        let cell = |cell: &Cell| match cell {
            Cell::Text(own) => Cell::Text(text(own)),
            number @ Cell::Number { .. } => number.clone(),
        };
        let line = |line: &Line| match line {
            Line::Rule => Line::Rule,
            Line::Cells(label, cells) => Line::Cells(text(label), cells.iter().map(cell).collect()),
        };
        Self {
            name: text(&self.name),
            language: self.language,
            title: text(&self.title),
            header: self.header.iter().map(line).collect(),
            body: self.body.iter().map(line).collect(),
            notes: self.notes.iter().map(text).collect(),
        }
    }

    /// The number of columns.
    #[must_use]
    pub fn n_columns(&self) -> usize {
        let cells = |line: &Line| match line {
            Line::Cells(_, cells) => cells.len(),
            Line::Rule => 0,
        };
        self.header.iter().chain(&self.body).map(cells).max().unwrap_or(0)
    }

    /// The title without its number, such as `Table 3.`; a document numbers its tables itself.
    #[must_use]
    pub fn unnumbered_title(&self) -> &str {
        let numbered = ["Table ", "Figure "].iter().find_map(|kind| {
            let (number, title) = self.title.strip_prefix(kind)?.split_once(". ")?;
            (!number.contains(' ')).then_some(title)
        });
        let in_chinese = ["表", "图"].iter().find_map(|kind| {
            let (number, title) = self.title.strip_prefix(kind)?.split_once(' ')?;
            (number.chars().all(|letter| letter.is_ascii_alphanumeric())).then_some(title)
        });
        numbered.or(in_chinese).unwrap_or(&self.title)
    }
}
