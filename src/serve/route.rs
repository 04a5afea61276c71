//! The description of a route: its address, parameters, data and answer.
//!
//! One list ([`super::routes`]) of descriptions makes the router, checks parameters, writes the
//! `OpenAPI` document and drives the test of every route, role and method.

use crate::reader::Reader;
use crate::serve::call::Call;
use crate::serve::format::Format;
use crate::serve::out::Out;
use crate::serve::problem::Problem;

/// The data that a route returns, as a gate of disclosure sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// Nothing of the home: health, documents.
    Open,
    /// Counts and times of the home, without figures.
    Status,
    /// Figures over several firms.
    Aggregate,
    /// Figures or lines of single firms; each access is logged.
    Firm,
    /// Firm-level for some values of the parameter `table`.
    OfTable,
    /// Names of firms if the parameter `kind` is `firm`.
    OfKind,
    /// Firm-level if the parameter `level` is `plant`.
    OfLevel,
}

/// The type of a parameter or a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// True or false.
    Flag,
    /// A date or a time.
    Time,
    /// A month, `YYYYMM` or `YYYY-MM`.
    Month,
    /// A vintage or a date.
    AsOf,
    /// A text that is not empty.
    Name,
    /// A whole number from 1 to a largest one.
    Count(u32),
    /// One of some words.
    OneOf(&'static [&'static str]),
}

impl Kind {
    /// A kind of span.
    pub const SPAN: Self = Self::OneOf(&["ytd", "month", "12m"]);
    /// A language.
    pub const LANGUAGE: Self = Self::OneOf(&["zh", "en"]);
}

/// The place of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A segment of the path.
    Path,
    /// Behind the question mark.
    Query,
    /// Behind the question mark, and needed.
    Needed,
}

/// A parameter of a route.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// The name.
    pub name: &'static str,
    /// The place.
    pub place: Place,
    /// The type.
    pub kind: Kind,
    /// One sentence.
    pub about: &'static str,
}

impl Parameter {
    /// The vintage of the answer.
    pub const AS_OF: Self = Self::query(
        "as_of",
        Kind::AsOf,
        "A vintage, or a date for the last vintage by the end of that day in China.",
    );
    /// The columns of the answer.
    pub const COLUMNS: Self =
        Self::query("columns", Kind::Text, "The columns to return, separated by commas.");
    /// The order of the rows.
    pub const SORT: Self =
        Self::query("sort", Kind::Text, "Columns to sort by; a minus sign before one turns it.");
    /// The length of a page.
    pub const LIMIT: Self =
        Self::query("limit", Kind::Count(10_000), "The most rows to return, up to 10000.");
    /// The place of a page.
    pub const PAGE: Self =
        Self::query("page", Kind::Text, "The cursor in the member next of the page before.");
    /// Names beside codes.
    pub const NAMES: Self = Self::query("names", Kind::LANGUAGE, "Adds names to codes: zh or en.");

    /// A parameter behind the question mark.
    #[must_use]
    pub const fn query(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, place: Place::Query, kind, about }
    }

    /// A parameter that a request must have.
    #[must_use]
    pub const fn needed(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, place: Place::Needed, kind, about }
    }

    /// A segment of the path.
    #[must_use]
    pub const fn path(name: &'static str, kind: Kind, about: &'static str) -> Self {
        Self { name, place: Place::Path, kind, about }
    }
}

/// The names of the parameters behind the question mark.
pub fn names<'p>(
    parameters: impl IntoIterator<Item = &'p Parameter>,
) -> impl Iterator<Item = &'static str> {
    let of_query = parameters.into_iter().filter(|of| of.place != Place::Path);
    of_query.map(|of| of.name)
}

/// A column of records.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// The name.
    pub name: &'static str,
    /// The type.
    pub kind: Kind,
    /// One phrase.
    pub about: &'static str,
}

/// The form of an answer.
#[derive(Clone, Copy, Debug)]
pub enum Answer {
    /// Records with these columns, in every format.
    Records(&'static [Column]),
    /// The record of a change, in every format; the request is a POST.
    Change(&'static [Column]),
    /// Rows of a table of the home, in every format.
    Rows,
    /// A JSON document.
    Document,
    /// A text of a media type.
    Text(&'static str),
    /// Server-sent events.
    Events,
}

/// The function that answers; it runs on a thread that may block.
pub type Handler = fn(&Call, &mut Reader, &mut Out) -> Result<(), Problem>;

/// A route.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The path, with segments in braces.
    pub path: &'static str,
    /// The name of the operation.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// The data.
    pub data: Data,
    /// The parameters.
    pub parameters: &'static [Parameter],
    /// The form of the answer.
    pub answer: Answer,
    /// True if the columns of the answer's table are parameters too.
    pub has_filters: bool,
    /// True if the answer can change without a commit.
    pub is_live: bool,
    /// The function; `None` for routes that the server answers itself.
    pub handler: Option<Handler>,
}

impl Route {
    /// The methods of the route, as a header lists them.
    #[must_use]
    pub fn methods(&self) -> &'static str {
        if matches!(self.answer, Answer::Change(_)) { "POST" } else { "GET, HEAD" }
    }

    /// True if the route has figures beside its rows.
    #[must_use]
    pub fn has_figures(&self) -> bool {
        ["series", "effects"].contains(&self.name)
    }

    /// True if the route answers in a format.
    #[must_use]
    pub fn has(&self, format: Format) -> bool {
        self.has_formats() && (!format.is_figure() || self.has_figures())
    }

    /// True if a suffix of the path can choose the format of the answer.
    #[must_use]
    pub fn has_formats(&self) -> bool {
        matches!(self.answer, Answer::Records(_) | Answer::Change(_) | Answer::Rows)
    }
}
