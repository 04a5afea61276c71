//! The meanings of table columns, in English and Chinese.
//!
//! `columns.csv` has a line for each column and the tables it is in. A name that ends in `*` stands
//! for all columns with this beginning.

use std::collections::HashMap;
use std::sync::LazyLock;

use arrow_schema::{Field, Schema, SchemaRef};
use serde::Deserialize;

/// A language of names, labels and meanings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// Chinese.
    Chinese,
    /// English.
    #[default]
    English,
}

/// The meaning of a column.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Meaning {
    tables: String,
    /// The column; with `*` at the end for all columns with this beginning.
    pub column: String,
    /// The unit of its values.
    pub unit: String,
    /// A short label in English, at most 80 characters.
    pub label: String,
    /// The same in Chinese.
    pub label_zh: String,
    /// One sentence in English.
    pub english: String,
    /// The same in Chinese.
    pub chinese: String,
}

static MEANINGS: LazyLock<Vec<Meaning>> = LazyLock::new(|| {
    let lines = csv::Reader::from_reader(include_bytes!("columns.csv").as_slice());
    lines.into_deserialize().collect::<Result<_, _>>().expect("the bundled list of columns")
});

impl Meaning {
    /// The label in a language.
    #[must_use]
    pub fn label(&self, language: Language) -> &str {
        match language {
            Language::Chinese => &self.label_zh,
            Language::English => &self.label,
        }
    }
}

/// The meanings of a table's columns, in the order of the list.
pub fn meanings(table: &str) -> impl Iterator<Item = &'static Meaning> {
    // The panels differ in their records, not in their columns; changes and differences likewise.
    let table = match table {
        "panel-ordinary" => "panel",
        "diff" => "changes",
        table => table,
    };
    MEANINGS.iter().filter(move |of| of.tables.split(' ').any(|name| name == table))
}

/// The meaning of a table's column; `None` if the list does not have the column.
#[must_use]
pub fn meaning(table: &str, column: &str) -> Option<&'static Meaning> {
    let is_it = |of: &&Meaning| match of.column.strip_suffix('*') {
        Some(beginning) => column.starts_with(beginning),
        None => of.column == column,
    };
    meanings(table).find(is_it)
}

/// The label of a variable of the panels; `None` for a name that is no column of them.
#[must_use]
pub fn variable_label(name: &str, language: Language) -> Option<&'static str> {
    meaning("panel-product", name).map(|of| of.label(language))
}

/// A table's schema with unit, labels and meanings as metadata of its fields: `unit`, `label`,
/// `label_zh`, `description` and `description_zh`.
#[must_use]
pub fn described(table: &str, schema: &Schema) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| {
        let Some(of) = meaning(table, field.name()) else { return Field::clone(field) };
        let labels = [("unit", &of.unit), ("label", &of.label), ("label_zh", &of.label_zh)];
        let texts = [("description", &of.english), ("description_zh", &of.chinese)];
        let texts = labels.into_iter().chain(texts);
        let texts = texts.map(|(name, text)| (name.to_owned(), text.clone()));
        Field::clone(field).with_metadata(texts.collect::<HashMap<String, String>>())
    });
    Schema::new(fields.collect::<Vec<_>>()).into()
}
