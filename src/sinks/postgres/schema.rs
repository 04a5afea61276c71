//! The tables of the database: columns, keys, comments, views with names.
//!
//! ```text
//! city, plant, months, series, effects, estimates, files, vintages   as exported
//! names                                                              of codes
//! city_named, plant_named, months_named, series_named, effects_named a table with its names
//! publication, synced                                                what the database has
//! ```

use std::fmt::Write as _;
use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, TimeUnit};

use crate::effect::Effects;
use crate::reader::rows::TableName;
use crate::reader::{Reader, ReaderError};
use crate::render::regression::tidy;
use crate::tables::export::Selection;
use crate::tables::meanings::meaning;
use crate::tables::sheet::Sheet;

/// The table with the state of the database.
pub const PUBLICATION: &str = "publication";
/// The table with the identities of what was written.
pub const SYNCED: &str = "synced";
/// The number of this arrangement of tables; a new one is another layout.
const LAYOUT: u32 = 1;
/// The digits of a layout's identity.
const LAYOUT_DIGITS: usize = 12;

/// A type of PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text, in the order of its bytes.
    Text,
    /// A truth value.
    Boolean,
    /// A number from 0 to 255.
    Small,
    /// A number of 32 bits.
    Integer,
    /// A number of 64 bits.
    Long,
    /// A figure.
    Real,
    /// An amount in dollars, to the cent.
    Amount,
    /// A time in UTC.
    Time,
}

impl Kind {
    fn sql(self) -> &'static str {
        match self {
            Self::Text => "text COLLATE \"C\"",
            Self::Boolean => "boolean",
            Self::Small => "smallint",
            Self::Integer => "integer",
            Self::Long => "bigint",
            Self::Real => "double precision",
            Self::Amount => "numeric(19, 2)",
            Self::Time => "timestamp with time zone",
        }
    }
}

/// The type in PostgreSQL of a column.
fn kind(of: &DataType) -> Option<Kind> {
    Some(match of {
        DataType::Utf8 => Kind::Text,
        DataType::Boolean => Kind::Boolean,
        DataType::Float64 => Kind::Real,
        DataType::Decimal128(_, 2) => Kind::Amount,
        DataType::Timestamp(..) => Kind::Time,
        DataType::UInt8 => Kind::Small,
        DataType::UInt16 | DataType::Int32 => Kind::Integer,
        DataType::UInt32 | DataType::UInt64 | DataType::Int64 => Kind::Long,
        _ => return None,
    })
}

/// The rows that are read and compared together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// The whole table.
    Table,
    /// A year.
    Year,
    /// A month.
    Month,
}

/// A table of the database.
#[derive(Clone, Debug)]
pub struct Table {
    /// The name.
    pub name: &'static str,
    /// The columns of the primary key; none for a table that is replaced as a whole.
    pub keys: Vec<&'static str>,
    /// The rows that are read and compared together.
    pub unit: Unit,
    /// The columns.
    pub schema: Arc<Schema>,
    about: &'static str,
}

/// The tables with a view that adds names, by the kind of their codes.
const VIEWS: [(&str, Codes); 5] = [
    ("city", Codes::Market),
    ("plant", Codes::Market),
    ("months", Codes::Market),
    ("series", Codes::Unit),
    ("effects", Codes::Unit),
];

/// The codes of a table.
#[derive(Clone, Copy)]
enum Codes {
    /// A city and a destination.
    Market,
    /// A level and its key; a key of two codes joins them by `^`.
    Unit,
}

/// The tables of a home.
///
/// # Errors
/// [`ReaderError`] if the manifest cannot be read.
pub fn tables(reader: &Reader) -> Result<Vec<Table>, ReaderError> {
    let of = |name: TableName, unit, about| -> Result<Table, ReaderError> {
        Ok(Table::of(reader.sheet(name)?, unit, about))
    };
    let (files, _) = reader.files(Selection::default())?;
    let estimates =
        Table { keys: Vec::new(), ..Table::of(tidy::rows(&[]).0, Unit::Table, ESTIMATES) };
    Ok(vec![
        of(TableName::City, Unit::Year, CITY)?,
        of(TableName::Plant, Unit::Year, PLANT)?,
        of(TableName::Months, Unit::Year, MONTHS)?,
        of(TableName::Series, Unit::Year, SERIES)?,
        Table::of(without_vintage(&Effects::sheet()), Unit::Month, EFFECTS),
        estimates,
        Table::of(files, Unit::Table, FILES),
        Table::of(vintages(), Unit::Table, VINTAGES),
        Table::of(names(), Unit::Table, NAMES),
    ])
}

const CITY: &str = "Exporters of a city to a destination in a year";
const PLANT: &str = "Plants of multi-plant firms by destination and year";
const MONTHS: &str = "Exporters of a city to a destination in each span of months";
const SERIES: &str = "Growth and its sources by level in each span";
const EFFECTS: &str = "The live effect by level at each month, span ytd, baseline zero; bands in \
                       the newest year";
const ESTIMATES: &str = "Every estimate, one row for each term";
const FILES: &str = "Accepted files, with their lines by outcome";
const VINTAGES: &str = "Vintages, with their publications and times";
const NAMES: &str = "Names of cities, destinations and provinces";

/// The name, keys and columns of `vintages`.
pub fn vintages() -> Sheet {
    let field = |name: &str, kind, nullable| Field::new(name, kind, nullable);
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("+00:00".into()));
    let fields = vec![
        field("vintage", DataType::UInt32, false),
        field("publication", DataType::UInt32, false),
        field("committed_at", time, true),
        field("file", DataType::Utf8, true),
        field("period", DataType::UInt32, true),
        field("supersedes", DataType::Utf8, true),
        field("withdraws", DataType::Utf8, true),
    ];
    Sheet { name: "vintages", keys: &["vintage"], schema: Arc::new(Schema::new(fields)) }
}

/// The name, keys and columns of `names`.
pub fn names() -> Sheet {
    let fields = ["level", "key", "name_zh", "name_en"];
    let fields = fields.map(|name| Field::new(name, DataType::Utf8, name.starts_with("name")));
    let schema = Arc::new(Schema::new(fields.to_vec()));
    Sheet { name: "names", keys: &["level", "key"], schema }
}

/// The rows of effects are those of the publication, so they have no vintage of their own.
fn without_vintage(of: &Sheet) -> Sheet {
    let keys = &[
        "year",
        "month",
        "span",
        "model",
        "through",
        "estimated_vintage",
        "level",
        "key",
        "component",
        "baseline",
    ];
    let fields = of.schema.fields().iter().filter(|field| field.name() != "vintage");
    let schema = Schema::new(fields.cloned().collect::<Vec<_>>());
    Sheet { name: of.name, keys, schema: Arc::new(schema) }
}

/// A name as SQL has it.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL has it.
fn literal(text: &str) -> String {
    // Backslashes have no meaning in a text without the prefix E.
    format!("'{}'", text.replace('\'', "''"))
}

impl Table {
    fn of(sheet: Sheet, unit: Unit, about: &'static str) -> Self {
        let Sheet { name, keys, schema } = sheet;
        Self { name, keys: keys.to_vec(), unit, schema, about }
    }

    /// The names of the columns.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.schema.fields().iter().map(|field| field.name().as_str())
    }

    /// The columns with types, as in `CREATE TABLE`.
    fn definition(&self) -> String {
        let column = |field: &Arc<Field>| {
            let kind = kind(field.data_type()).expect("each column has a type of PostgreSQL");
            let is_key = self.keys.contains(&field.name().as_str());
            let null = if is_key || !field.is_nullable() { " NOT NULL" } else { "" };
            format!("{} {}{null}", quoted(field.name()), kind.sql())
        };
        let columns: Vec<String> = self.schema.fields().iter().map(column).collect();
        columns.join(", ")
    }

    /// The statement that adds the primary key, if there is one.
    pub fn key(&self, schema: &str) -> Option<String> {
        let keys: Vec<String> = self.keys.iter().map(|key| quoted(key)).collect();
        let name = quoted(self.name);
        let keys = (!keys.is_empty()).then(|| keys.join(", "))?;
        Some(format!("ALTER TABLE {schema}.{name} ADD PRIMARY KEY ({keys})"))
    }

    fn comments(&self, schema: &str) -> String {
        let name = quoted(self.name);
        let mut sql = format!("COMMENT ON TABLE {schema}.{name} IS {};\n", literal(self.about));
        for column in self.columns() {
            let Some(of) = meaning(self.name, column) else { continue };
            let text = literal(&format!("{} [{}]. {}", of.english, of.unit, of.chinese));
            let column = quoted(column);
            writeln!(sql, "COMMENT ON COLUMN {schema}.{name}.{column} IS {text};").expect("memory");
        }
        sql
    }
}

/// The statements that make the view of a table with names.
fn view((table, codes): (&str, Codes), schema: &str) -> String {
    let (columns, joins) = match codes {
        Codes::Market => (
            "n.name_zh AS city_zh, n.name_en AS city_en, \
             m.name_zh AS country_zh, m.name_en AS country_en",
            ["n.level = 'city' AND n.key = t.city", "m.level = 'country' AND m.key = t.country"],
        ),
        // A key without a name is its own name.
        Codes::Unit => (
            "coalesce(n.name_zh, split_part(t.key, '^', 1)) || CASE WHEN t.level LIKE '%^%' \
             THEN ' · ' || coalesce(m.name_zh, split_part(t.key, '^', 2)) ELSE '' END AS name_zh, \
             coalesce(n.name_en, split_part(t.key, '^', 1)) || CASE WHEN t.level LIKE '%^%' \
             THEN ' · ' || coalesce(m.name_en, split_part(t.key, '^', 2)) ELSE '' END AS name_en",
            [
                "n.level = split_part(t.level, '^', 1) AND n.key = split_part(t.key, '^', 1)",
                "m.level = split_part(t.level, '^', 2) AND m.key = split_part(t.key, '^', 2)",
            ],
        ),
    };
    let [first, second] = joins;
    let about = literal(&format!("The table {table} with names in Chinese and English"));
    format!(
        "CREATE OR REPLACE VIEW {schema}.{table}_named AS SELECT t.*, {columns} \
         FROM {schema}.{table} t LEFT JOIN {schema}.names n ON {first} \
         LEFT JOIN {schema}.names m ON {second};\n\
         COMMENT ON VIEW {schema}.{table}_named IS {about};\n"
    )
}

/// The state of the database: the publication, and the identities of what was written.
const STATE: &str = "CREATE TABLE {schema}.publication (
    publication bigint NOT NULL, vintage bigint NOT NULL,
    committed_at timestamp with time zone, synced_at timestamp with time zone NOT NULL,
    committed_at_us bigint, n_commits bigint NOT NULL,
    layout text NOT NULL, history text NOT NULL, basis text NOT NULL);
CREATE UNIQUE INDEX ON {schema}.publication ((true));
CREATE TABLE {schema}.synced (
    \"table\" text NOT NULL, unit text NOT NULL, identity text NOT NULL,
    PRIMARY KEY (\"table\", unit));
COMMENT ON TABLE {schema}.publication IS 'The publication that all tables show';
COMMENT ON TABLE {schema}.synced IS 'What was written, by table and year or month';
";

/// The statements that create all tables and views, without primary keys.
pub fn creation(tables: &[Table], schema: &str) -> String {
    let mut sql = STATE.replace("{schema}", schema);
    for table in tables {
        let (name, definition) = (quoted(table.name), table.definition());
        writeln!(sql, "CREATE TABLE {schema}.{name} ({definition});").expect("memory");
    }
    sql + &descriptions(tables, schema)
}

/// The statements that write the comments and the views.
pub fn descriptions(tables: &[Table], schema: &str) -> String {
    let mut sql: String = tables.iter().map(|table| table.comments(schema)).collect();
    for of in VIEWS {
        sql.push_str(&view(of, schema));
    }
    sql
}

/// The identity of columns, types and keys.
pub fn layout(tables: &[Table]) -> String {
    let mut hash = blake3::Hasher::new();
    hash.update(STATE.as_bytes());
    for table in tables {
        let text = format!("{} {:?} {}", table.name, table.keys, table.definition());
        hash.update(text.as_bytes()).update(&[0]);
    }
    format!("{LAYOUT}-{}", &hash.finalize().to_hex()[..LAYOUT_DIGITS])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_texts_cannot_end_a_statement() {
        assert_eq!(quoted("a\"; DROP"), "\"a\"\"; DROP\"");
        assert_eq!(literal("it's"), "'it''s'");
    }

    #[test]
    fn every_column_of_own_tables_has_a_meaning() {
        for sheet in [vintages(), names()] {
            for field in sheet.schema.fields() {
                assert!(meaning(sheet.name, field.name()).is_some(), "{}", field.name());
            }
        }
    }
}
