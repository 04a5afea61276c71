//! The grid as a LaTeX `table` with `booktabs` rules and `siunitx` columns.
//!
//! Numbers are aligned by their decimal points. Other cells are in braces, which `siunitx` sets in
//! the middle of the column. Stars and brackets are in braces too: every release of `siunitx` then
//! reads the numbers alike. A bracket is next to its number, not at the start of the column.

use std::fmt::Write as _;

use super::grid::{Cell, Grid, Line};
use crate::tables::meanings::Language;

/// The largest number of columns side by side.
const COLUMNS_MAX: usize = 6;
/// The largest width of a label on one line, in letters.
const LABEL_MAX: usize = 30;

/// The packages that a document with such tables loads.
#[must_use]
pub fn preamble(language: Language) -> &'static str {
    match language {
        Language::English => "% \\usepackage{booktabs,siunitx}\n",
        Language::Chinese => "% \\usepackage{ctex,booktabs,siunitx}, xelatex\n",
    }
}

/// A floating table with its caption and label above and its notes below.
#[must_use]
pub fn table(grid: &Grid) -> String {
    let mut text = String::from("\\begin{table}[htbp]\n\\centering\n");
    if !grid.title.is_empty() {
        let _ = writeln!(text, "\\caption{{{}}}", escaped(grid.unnumbered_title()));
    }
    if !grid.name.is_empty() {
        let _ = writeln!(text, "\\label{{tab:{}}}", key(&grid.name));
    }
    text.push_str("\\small\n\\setlength{\\tabcolsep}{4pt}\n");
    let n_columns = grid.n_columns();
    let full = std::iter::repeat_n(COLUMNS_MAX, n_columns / COLUMNS_MAX);
    let rest = Some(n_columns % COLUMNS_MAX).filter(|rest| *rest > 0);
    let sizes: Vec<usize> = full.chain(rest).collect();
    for (at, panel) in grid.panels(&sizes).iter().enumerate() {
        if at > 0 {
            text.push_str("\\par\\medskip\n");
        }
        tabular(&mut text, &panel.with_labels_within(LABEL_MAX));
    }
    if !grid.notes.is_empty() {
        text.push_str("\\par\\smallskip\n\\begin{minipage}{\\linewidth}\\footnotesize\n");
        let notes: Vec<String> = grid.notes.iter().map(|note| escaped(note)).collect();
        let _ = writeln!(text, "{}", notes.join("\\\\\n"));
        text.push_str("\\end{minipage}\n");
    }
    text.push_str("\\end{table}\n");
    text
}

fn tabular(text: &mut String, grid: &Grid) {
    let columns: Vec<Column> = (0..grid.n_columns()).map(|at| Column::of(grid, at)).collect();
    let specs: Vec<String> = columns.iter().map(Column::spec).collect();
    let _ = writeln!(text, "\\begin{{tabular}}{{\n  l\n{}}}\n\\toprule", specs.concat());
    let heads = |line: &Line| line_of(line, &columns, Part::Head);
    grid.header.iter().for_each(|line| text.push_str(&heads(line)));
    text.push_str("\\midrule\n");
    grid.body.iter().for_each(|line| text.push_str(&line_of(line, &columns, Part::Body)));
    text.push_str("\\bottomrule\n\\end{tabular}\n");
}

/// A part of a table.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Head,
    Body,
}

fn line_of(line: &Line, columns: &[Column], part: Part) -> String {
    let Line::Cells(label, cells) = line else { return "\\midrule\n".to_owned() };
    let cells = cells.iter().zip(columns).map(|(cell, column)| column.cell(cell, part));
    let cells: Vec<String> = std::iter::once(escaped(label)).chain(cells).collect();
    format!("{} \\\\\n", cells.join(" & "))
}

/// The kind of a column.
enum Column {
    /// Numbers with a decimal point: the places before and after it, the sign, and the widest
    /// texts around it.
    Decimals { whole: usize, decimals: usize, has_minus: bool, after: &'static str },
    /// Whole numbers.
    Whole,
    /// Texts.
    Texts,
}

impl Column {
    fn of(grid: &Grid, at: usize) -> Self {
        let (mut whole, mut decimals, mut has_minus, mut after) = (1, 0, false, "");
        let mut has_numbers = false;
        let cells = grid.body.iter().filter_map(|line| match line {
            Line::Cells(_, cells) => cells.get(at),
            Line::Rule => None,
        });
        for cell in cells {
            let Cell::Number { digits, after: own, .. } = cell else { continue };
            has_numbers = true;
            if own.len() > after.len() || after.is_empty() {
                after = own;
            }
            if let Some((before, rest)) = digits.split_once('.').filter(|_| is_decimal(digits)) {
                whole = whole.max(before.trim_start_matches('-').len());
                decimals = decimals.max(rest.len());
                has_minus |= before.starts_with('-');
            }
        }
        match (has_numbers, decimals) {
            (false, _) => Self::Texts,
            (true, 0) => Self::Whole,
            (true, _) => Self::Decimals { whole, decimals, has_minus, after },
        }
    }

    fn spec(&self) -> String {
        match self {
            Self::Texts => "  c\n".to_owned(),
            Self::Whole => "  r\n".to_owned(),
            Self::Decimals { whole, decimals, has_minus, after } => {
                let sign = if *has_minus { "-" } else { "" };
                let after = starred(after);
                format!(
                    "  S[table-format={sign}{whole}.{decimals},table-space-text-pre={{(}},\
                     table-align-text-pre=false,table-space-text-post={{{after}}}]\n"
                )
            }
        }
    }

    fn cell(&self, cell: &Cell, part: Part) -> String {
        match (self, cell) {
            (_, cell) if cell.is_empty() => String::new(),
            (Self::Decimals { .. }, Cell::Number { before, digits, after })
                if is_decimal(digits) && part == Part::Body =>
            {
                let in_braces = |text: String| {
                    if text.is_empty() { text } else { format!("{{{text}}}") }
                };
                format!("{}{digits}{}", in_braces((*before).to_owned()), in_braces(starred(after)))
            }
            (Self::Decimals { .. }, cell) => format!("{{{}}}", escaped_cell(cell)),
            (_, cell) => escaped_cell(cell),
        }
    }
}

/// True for a number that `siunitx` aligns.
fn is_decimal(digits: &str) -> bool {
    digits.bytes().all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte))
}

/// Stars as a superscript; another text stays.
fn starred(after: &str) -> String {
    match after.strip_prefix('*') {
        Some(_) => format!("$^{{{after}}}$"),
        None => after.to_owned(),
    }
}

fn escaped_cell(cell: &Cell) -> String {
    let Cell::Number { before, digits, after } = cell else { return escaped(&cell.text()) };
    let digits = match digits.split_once('e') {
        Some((number, exponent)) => format!("${number}\\times10^{{{exponent}}}$"),
        None => {
            digits.strip_prefix('-').map_or_else(|| digits.clone(), |rest| format!("$-${rest}"))
        }
    };
    format!("{before}{digits}{}", starred(after))
}

/// A name as a key for references.
fn key(name: &str) -> String {
    let is_kept = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '.';
    name.chars().map(|letter| if is_kept(letter) { letter } else { '-' }).collect()
}

/// Escapes characters with a meaning in LaTeX; stars become superscripts.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '&' | '%' | '$' | '#' | '_' | '{' | '}' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            '^' => escaped.push_str("\\^{}"),
            '~' => escaped.push_str("\\~{}"),
            '\\' => escaped.push_str("\\textbackslash{}"),
            '<' => escaped.push_str("$<$"),
            '>' => escaped.push_str("$>$"),
            '×' => escaped.push_str("$\\times$"),
            '²' => escaped.push_str("$^2$"),
            // At the start of a line `[` would be an option of the line break before it.
            '[' => escaped.push_str("{[}"),
            '*' => {
                let mut n_stars = 1;
                while letters.next_if_eq(&'*').is_some() {
                    n_stars += 1;
                }
                let _ = write!(escaped, "$^{{{}}}$", "*".repeat(n_stars));
            }
            _ => escaped.push(letter),
        }
    }
    escaped
}
