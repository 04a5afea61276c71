//! The grid as an HTML `table`, and tables as a complete page that Word and browsers show alike.

use std::fmt::Write as _;

use super::grid::{Cell, Grid, Line};
use crate::tables::meanings::Language;

/// The style of a page. Rules are borders of cells, because Word ignores those of rows. The text
/// after the digits has a fixed width, so that decimal points are aligned.
const STYLE: &str = "\
body{margin:2em;color:#15202b;background:#fff;font:15px/1.5 \"Times New Roman\",\"Noto Serif CJK \
SC\",SimSun,serif}
table{border-collapse:collapse;margin:0 0 2.5em;font-variant-numeric:tabular-nums lining-nums}
caption{font-weight:bold;text-align:left;padding:0 0 .5em}
th,td{padding:1px 10px;vertical-align:top;white-space:nowrap}
th{font-weight:normal}
th[scope=row]{text-align:left;white-space:normal;min-width:14em}
thead th{text-align:center}
thead th:first-child{text-align:left}
td{text-align:center}
td.n{text-align:right}
td.n span{display:inline-block;width:2.1em;text-align:left}
td.w{text-align:right}
tr.top>*{border-top:1.5pt solid #15202b}
tr.rule>*{border-top:.75pt solid #15202b}
tfoot td{border-top:1.5pt solid #15202b;text-align:left;white-space:normal;font-size:13px;\
max-width:40em}
";

/// A page with tables.
#[must_use]
pub fn page(grids: &[Grid]) -> String {
    let language = match grids.first().map(|grid| grid.language).unwrap_or_default() {
        Language::English => "en",
        Language::Chinese => "zh-CN",
    };
    let title = grids.iter().map(|grid| grid.title.as_str()).find(|title| !title.is_empty());
    let title = escaped(title.unwrap_or("spillover"));
    let tables: String = grids.iter().map(table).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{title}</title>\n\
         <style>\n{STYLE}</style>\n</head>\n<body>\n{tables}</body>\n</html>\n"
    )
}

/// A table with a caption, a head, a body for each block between rules, and the notes as its foot.
fn table(grid: &Grid) -> String {
    let mut text = String::from("<table class=\"regression\">\n");
    if !grid.title.is_empty() {
        let _ = writeln!(text, "<caption>{}</caption>", escaped(&grid.title));
    }
    text.push_str("<thead>\n");
    let mut class = " class=\"top\"";
    for line in &grid.header {
        if let Line::Cells(label, cells) = line {
            let _ = write!(text, "<tr{class}><th>{}</th>", escaped(label));
            for cell in cells {
                let _ = write!(text, "<th scope=\"col\">{}</th>", escaped(&cell.text()));
            }
            text.push_str("</tr>\n");
            class = "";
        }
    }
    text.push_str("</thead>\n<tbody>\n");
    class = " class=\"rule\"";
    for line in &grid.body {
        match line {
            Line::Rule => {
                text.push_str("</tbody>\n<tbody>\n");
                class = " class=\"rule\"";
            }
            Line::Cells(label, cells) => {
                let _ = write!(text, "<tr{class}><th scope=\"row\">{}</th>", escaped(label));
                text.extend(cells.iter().map(cell_of));
                text.push_str("</tr>\n");
                class = "";
            }
        }
    }
    text.push_str("</tbody>\n");
    if !grid.notes.is_empty() {
        let notes: Vec<String> = grid.notes.iter().map(|note| escaped(note)).collect();
        let span = grid.n_columns() + 1;
        let _ = writeln!(
            text,
            "<tfoot><tr><td colspan=\"{span}\">{}</td></tr></tfoot>",
            notes.join("<br>\n")
        );
    }
    text.push_str("</table>\n");
    text
}

fn cell_of(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => format!("<td>{}</td>", escaped(text)),
        Cell::Number { before, digits, after } => {
            let digits = digits.replace('-', "\u{2212}");
            let after = match after.strip_prefix('*') {
                Some(_) => format!("<sup>{after}</sup>"),
                None => (*after).to_owned(),
            };
            if !digits.contains('.') {
                return format!("<td class=\"w\">{before}{digits}{after}</td>");
            }
            format!("<td class=\"n\">{before}{digits}<span>{after}</span></td>")
        }
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
