//! Tables as dataflows. The time of an observation is the month or the year of its row.

use arrow_schema::{DataType, Field};

use crate::reader::rows::TableName;
use crate::serve::problem::Problem;
use crate::tables::sheet::Sheet;

/// The agency of all artefacts.
pub const AGENCY: &str = "SPILLOVER";
/// The version of all artefacts. It changes when a column is renamed or removed.
pub const VERSION: &str = "1.0.0";
/// The time of an observation.
pub const TIME: &str = "TIME_PERIOD";

/// A dimension of a flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimension {
    /// Its id.
    pub id: &'static str,
    /// The column of the table.
    pub column: &'static str,
    /// The code list; `None` for a text.
    pub codes: Option<&'static str>,
}

/// A table as a dataflow.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    /// Its id, and that of its structure.
    pub id: &'static str,
    /// The table.
    pub table: TableName,
    /// The name in English and in Chinese.
    pub names: [&'static str; 2],
    /// The dimensions before the time.
    pub dimensions: &'static [Dimension],
    /// True if rows have a month.
    pub is_monthly: bool,
}

const SPAN: Dimension = Dimension { id: "SPAN", column: "span", codes: Some("CL_SPAN") };
const LEVEL: Dimension = Dimension { id: "LEVEL", column: "level", codes: Some("CL_LEVEL") };
const KEY: Dimension = Dimension { id: "KEY", column: "key", codes: None };
const CITY: Dimension = Dimension { id: "CITY", column: "city", codes: Some("CL_CITY") };
const COUNTRY: Dimension =
    Dimension { id: "COUNTRY", column: "country", codes: Some("CL_COUNTRY") };

/// Every flow.
pub const FLOWS: [Flow; 3] = [
    Flow {
        id: "SERIES",
        table: TableName::Series,
        names: ["Growth and its sources by level and span of months", "各层级各时段的增长及其来源"],
        dimensions: &[SPAN, LEVEL, KEY],
        is_monthly: true,
    },
    Flow {
        id: "MONTHS",
        table: TableName::Months,
        names: [
            "Exporters by city, destination and span of months",
            "各城市各目的地各时段的出口企业",
        ],
        dimensions: &[SPAN, CITY, COUNTRY],
        is_monthly: true,
    },
    Flow {
        id: "CITY",
        table: TableName::City,
        names: ["Exporters by city, destination and year", "各城市各目的地各年的出口企业"],
        dimensions: &[CITY, COUNTRY],
        is_monthly: false,
    },
];

impl Flow {
    /// The flow of a reference.
    ///
    /// # Errors
    /// A [`Problem`] if no dataflow has the reference.
    pub fn named(agency: &str, id: &str, version: &str) -> Result<&'static Self, Problem> {
        let is_ours = [AGENCY, "*"].contains(&agency) && is_version(version);
        FLOWS.iter().find(|flow| flow.id == id && is_ours).ok_or_else(|| {
            let there = FLOWS.map(|flow| format!("{AGENCY}:{}({VERSION})", flow.id)).join(", ");
            let detail =
                format!("there is no dataflow {agency}:{id}({version}); there are {there}");
            Problem::new("not_found", detail)
        })
    }

    /// The measures: the columns besides dimensions and time.
    pub fn measures<'s>(&self, sheet: &'s Sheet) -> impl Iterator<Item = &'s Field> {
        let dimensions = self.dimensions;
        let is_key = move |name: &str| {
            ["year", "month"].contains(&name) || dimensions.iter().any(|of| of.column == name)
        };
        sheet.schema.fields().iter().map(AsRef::as_ref).filter(move |of| !is_key(of.name()))
    }
}

/// True for the version, and for the wildcards of SDMX.
pub fn is_version(text: &str) -> bool {
    [VERSION, "1", "1.0", "*", "~", "+", "1+", "1.0+", "1.0.0+", "latest"].contains(&text)
}

/// The type of a measure's values.
pub fn value_type(field: &Field) -> &'static str {
    match field.data_type() {
        DataType::Float64 => "Double",
        DataType::Decimal128(..) => "Decimal",
        DataType::Utf8 => "String",
        _ => "Long",
    }
}

/// A value of a dimension as a code: the product sign of levels is no letter of a code.
pub fn code_of(dimension: &Dimension, value: &str) -> String {
    if dimension.codes.is_some() { value.replace('^', "_") } else { value.to_owned() }
}
