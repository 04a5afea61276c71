//! The format of an answer, by the suffix of the path or the header `Accept`.

use super::problem::Problem;
use crate::render::table::Format as TableFormat;

/// The format of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// A JSON document.
    Json,
    /// Comma-separated, UTF-8.
    Csv,
    /// Parquet.
    Parquet,
    /// A workbook.
    Xlsx,
    /// An Arrow file.
    Arrow,
    /// A JSON object on each line.
    Jsonl,
    /// A dataset of Stata.
    Stata,
    /// A figure as a drawing.
    Svg,
    /// A figure as a picture.
    Png,
}

/// Suffix, media type and format.
const ALL: [(&str, &str, Format); 9] = [
    ("json", "application/json", Format::Json),
    ("csv", "text/csv; charset=utf-8", Format::Csv),
    ("parquet", "application/vnd.apache.parquet", Format::Parquet),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", Format::Xlsx),
    ("arrow", "application/vnd.apache.arrow.file", Format::Arrow),
    ("jsonl", "application/x-ndjson", Format::Jsonl),
    ("dta", "application/x-stata-dta", Format::Stata),
    ("svg", "image/svg+xml", Format::Svg),
    ("png", "image/png", Format::Png),
];

impl Format {
    /// All formats.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.into_iter().map(|(_, _, format)| format)
    }

    /// True for a figure, which few routes have.
    #[must_use]
    pub fn is_figure(self) -> bool {
        matches!(self, Self::Svg | Self::Png)
    }

    fn entry(self) -> &'static (&'static str, &'static str, Self) {
        ALL.iter().find(|(.., of)| *of == self).expect("the list has every format")
    }

    /// The suffix, without its dot.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        self.entry().0
    }

    /// The media type.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        self.entry().1
    }

    /// The format of a table's file; `None` for a JSON document and a figure.
    #[must_use]
    pub fn of_table(self) -> Option<TableFormat> {
        Some(match self {
            Self::Json | Self::Svg | Self::Png => return None,
            Self::Csv => TableFormat::Csv,
            Self::Parquet => TableFormat::Parquet,
            Self::Xlsx => TableFormat::Xlsx,
            Self::Arrow => TableFormat::Arrow,
            Self::Jsonl => TableFormat::Jsonl,
            Self::Stata => TableFormat::Stata,
        })
    }

    /// A path without its suffix, and the format that the suffix names.
    #[must_use]
    pub fn of_path(path: &str) -> (&str, Option<Self>) {
        let found = path.rsplit_once('.').and_then(|(stem, suffix)| {
            let is_last = !suffix.contains('/') && !stem.ends_with('/');
            let (.., format) = ALL.iter().find(|(of, ..)| is_last && *of == suffix)?;
            Some((stem, *format))
        });
        found.map_or((path, None), |(stem, format)| (stem, Some(format)))
    }

    /// The format of a route that a header `Accept` prefers; JSON without a preference.
    ///
    /// # Errors
    /// A [`Problem`] if the header accepts none of the formats.
    pub fn of_accept(accept: Option<&str>, has: impl Fn(Self) -> bool) -> Result<Self, Problem> {
        let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else {
            return Ok(Self::Json);
        };
        let mut best: Option<(f64, Self)> = None;
        for part in accept.split(',') {
            let mut fields = part.split(';').map(str::trim);
            let kind = fields.next().unwrap_or_default().to_ascii_lowercase();
            let weight = fields.find_map(|field| field.strip_prefix("q=")?.parse().ok());
            let weight: f64 = weight.unwrap_or(1.0);
            let format = match kind.as_str() {
                "*/*" | "application/*" | "text/html" => Some(Self::Json),
                "text/*" => Some(Self::Csv),
                kind => {
                    let is_it = |of: &str| of.split(';').next() == Some(kind);
                    ALL.iter().find(|(_, of, _)| is_it(of)).map(|(.., format)| *format)
                }
            };
            let is_better = weight > best.map_or(0.0, |(of, _)| of);
            if let Some(format) = format.filter(|of| is_better && has(*of)) {
                best = Some((weight, format));
            }
        }
        best.map(|(_, format)| format).ok_or_else(|| {
            let there = ALL.iter().filter(|(.., of)| has(*of));
            let there: Vec<&str> = there.map(|(_, kind, _)| *kind).collect();
            let detail =
                format!("none of the accepted formats is there; there are: {}", there.join(", "));
            Problem::new("not_acceptable", detail)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_suffix_of_a_path_names_the_format() {
        let of = Format::of_path;
        assert_eq!(of("/api/v1/tables/city.csv"), ("/api/v1/tables/city", Some(Format::Csv)));
        assert_eq!(of("/api/v1/status"), ("/api/v1/status", None));
        assert_eq!(of("/api/v1/estimates/3.4"), ("/api/v1/estimates/3.4", None));
        assert_eq!(of("/api/v1/estimates/3.4.csv"), ("/api/v1/estimates/3.4", Some(Format::Csv)));
        assert_eq!(of("/a.csv/b"), ("/a.csv/b", None));
        assert_eq!(of("/.csv"), ("/.csv", None));
    }

    #[test]
    fn the_header_names_the_preferred_format() {
        let of = |accept| Format::of_accept(Some(accept), |of| !of.is_figure());
        assert_eq!(of("*/*").expect("any"), Format::Json);
        assert_eq!(of("text/csv").expect("csv"), Format::Csv);
        assert_eq!(of("text/csv;q=0.5, application/json").expect("json"), Format::Json);
        assert_eq!(of("image/png, */*;q=0.1").expect("any"), Format::Json);
        assert_eq!(
            of("text/html,application/xml;q=0.9,*/*;q=0.8").expect("a browser"),
            Format::Json
        );
        assert_eq!(of("image/png").expect_err("none").code(), "not_acceptable");
        let figure = Format::of_accept(Some("image/png, text/csv;q=0.5"), |_| true);
        assert_eq!(figure.expect("a figure"), Format::Png);
        assert_eq!(of("image/svg+xml, text/csv;q=0.5").expect("csv"), Format::Csv);
        assert_eq!(of("text/csv;q=0").expect_err("not wanted").code(), "not_acceptable");
    }
}
