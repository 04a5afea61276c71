//! Texts and grids that are wider than their page: labels continue on the next line, columns in
//! the next panel.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::grid::{Cell, Grid, Line};

/// A text in lines of at most `width` columns of a terminal; a Chinese character takes two. A line
/// ends between words, or inside a word that is wider than a line.
///
/// # Panics
/// Never: there is a line from the start.
#[must_use]
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for piece in pieces(text) {
        let line = lines.last_mut().expect("it has one line");
        if line.width() + piece.trim_end().width() <= width {
            line.push_str(piece);
            continue;
        }
        line.truncate(line.trim_end().len());
        if !line.is_empty() {
            lines.push(String::new());
        }
        for letter in piece.chars() {
            let line = lines.last_mut().expect("it has one line");
            if line.width() + letter.width().unwrap_or(0) > width && letter != ' ' {
                lines.push(String::from(letter));
            } else {
                line.push(letter);
            }
        }
    }
    lines.iter().map(|line| line.trim_end().to_owned()).collect()
}

/// Words with the blanks after them; wide characters are words of their own.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let mut letters = rest.char_indices();
        let (_, first) = letters.next()?;
        let is_wide = |letter: char| letter.width() == Some(2);
        let mut end = first.len_utf8();
        let mut is_blank = first == ' ';
        for (at, letter) in letters {
            let is_cut = (is_wide(first) || is_wide(letter)) && !closes(letter) && !opens(first);
            let ends = letter != ' ' && (is_blank || is_cut);
            if ends {
                break;
            }
            is_blank = letter == ' ';
            end = at + letter.len_utf8();
        }
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

/// True for a mark that cannot begin a line.
fn closes(letter: char) -> bool {
    "，。；：、)）,.;:".contains(letter)
}

/// True for a mark that cannot end a line.
fn opens(letter: char) -> bool {
    "（(".contains(letter)
}

impl Grid {
    /// The same grid with labels of at most `width` columns. The rest of a label continues on the
    /// next line, in the line of the standard error if there is one.
    #[must_use]
    pub fn with_labels_within(&self, width: usize) -> Self {
        let mut body: Vec<Line> = Vec::new();
        let mut open: Vec<String> = Vec::new();
        for line in &self.body {
            match line {
                Line::Cells(label, cells) if label.is_empty() && !open.is_empty() => {
                    body.push(Line::Cells(open.remove(0), cells.clone()));
                }
                line => {
                    body.extend(open.drain(..).map(|label| Line::Cells(label, Vec::new())));
                    let Line::Cells(label, cells) = line else {
                        body.push(Line::Rule);
                        continue;
                    };
                    let mut lines = wrapped(label, width);
                    body.push(Line::Cells(lines.remove(0), cells.clone()));
                    open = lines;
                }
            }
        }
        body.extend(open.drain(..).map(|label| Line::Cells(label, Vec::new())));
        Self { body, ..self.clone() }
    }

    /// The same grid with texts of at most `width` columns in its header.
    #[must_use]
    pub fn with_heads_within(&self, width: usize) -> Self {
        let mut header = Vec::new();
        for line in &self.header {
            let Line::Cells(label, cells) = line else { continue };
            let cells: Vec<Vec<String>> =
                cells.iter().map(|cell| wrapped(&cell.text(), width)).collect();
            let n_lines = cells.iter().map(Vec::len).max().unwrap_or(1);
            for at in 0..n_lines {
                let of =
                    |lines: &Vec<String>| Cell::Text(lines.get(at).cloned().unwrap_or_default());
                let label = if at == 0 { label.clone() } else { String::new() };
                header.push(Line::Cells(label, cells.iter().map(of).collect()));
            }
        }
        Self { header, ..self.clone() }
    }

    /// The grid in panels, each with the next columns. A panel leaves out lines without a cell in
    /// it.
    #[must_use]
    pub fn panels(&self, n_columns: &[usize]) -> Vec<Self> {
        let mut start = 0;
        let mut panels = Vec::new();
        for n in n_columns {
            let end = start + n;
            let own = |line: &Line| match line {
                Line::Rule => Some(Line::Rule),
                Line::Cells(label, cells) => {
                    let own: Vec<Cell> = cells.iter().take(end).skip(start).cloned().collect();
                    let is_other =
                        own.iter().all(Cell::is_empty) && cells.iter().any(|cell| !cell.is_empty());
                    (!is_other).then(|| Line::Cells(label.clone(), own))
                }
            };
            let mut body: Vec<Line> = self.body.iter().filter_map(own).collect();
            body.dedup_by(|line, before| *line == Line::Rule && *before == Line::Rule);
            let header = self.header.iter().filter_map(own).collect();
            panels.push(Self { header, body, ..self.clone() });
            start = end;
        }
        panels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_words_or_wide_characters() {
        assert_eq!(wrapped("one two three", 8), ["one two", "three"]);
        assert_eq!(wrapped("aaaaaaaaaa b", 4), ["aaaa", "aaaa", "aa b"]);
        assert_eq!(wrapped("关联城市出口增长", 8), ["关联城市", "出口增长"]);
        assert_eq!(wrapped("密度(对数)", 8), ["密度", "(对数)"]);
        assert_eq!(wrapped("", 8), [""]);
    }

    proptest::proptest! {
        #[test]
        fn no_letter_is_lost_and_no_line_is_too_wide(
            text in "[a-z×关市(),。 ]{0,40}", width in 4..20_usize,
        ) {
            let lines = wrapped(&text, width);
            let letters = |text: &str| text.replace(' ', "");
            proptest::prop_assert_eq!(letters(&lines.concat()), letters(&text));
            proptest::prop_assert!(lines.iter().all(|line| line.width() <= width), "{:?}", lines);
        }
    }
}
