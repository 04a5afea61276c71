//! Later layouts of a feed: from some month on, files have other columns or codes.

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::domain::types::Period;

/// What is different from some month on; all else stays as it was.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaterLayout {
    /// The first month of files that are written this way.
    pub from: FirstMonth,
    /// The keys that differ, as they stand in a profile.
    #[serde(flatten)]
    pub changes: Table,
}

/// A month, as `2007-01` or `200701`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FirstMonth(pub Period);

/// What is no month.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no month; write it as 2007-01")]
pub struct BadMonth(String);

impl TryFrom<String> for FirstMonth {
    type Error = BadMonth;

    fn try_from(text: String) -> Result<Self, BadMonth> {
        let digits = match text.split_once('-') {
            Some((year, month)) if year.len() == 4 => format!("{year}{month}"),
            _ => text.clone(),
        };
        digits.parse().map(Self).map_err(|_| BadMonth(text))
    }
}

impl From<FirstMonth> for String {
    fn from(FirstMonth(month): FirstMonth) -> Self {
        format!("{:04}-{:02}", month.year().0, month.month())
    }
}

/// A later layout that cannot be.
#[derive(Debug, thiserror::Error)]
pub enum BadLayout {
    /// It changes what holds for the whole feed.
    #[error("{0} cannot change in the middle of a feed; take it out of the layout")]
    Key(String),
    /// The profile is invalid with it.
    #[error(transparent)]
    Value(#[from] toml::de::Error),
    /// Two layouts begin with the same month, or a later one stands before an earlier one.
    #[error("the layouts are not in the order of their months")]
    Order,
}

/// What a layout may change, key by key.
const PARTS: [&str; 6] = ["file", "columns", "period", "flow", "value", "codes"];
/// What a layout may change as a whole.
const WHOLE: [&str; 3] = ["city", "keep", "drop"];
/// What a file is found by is the same for all.
const OF_THE_FEED: [&str; 4] = ["pattern", "recursive", "covers", "parts"];

/// A profile's keys with some of them changed.
///
/// # Errors
/// [`BadLayout::Key`] if a key holds for the whole feed.
pub(super) fn changed(mut table: Table, changes: &Table) -> Result<Table, BadLayout> {
    for (part, value) in changes {
        match value {
            Value::Table(keys) if PARTS.contains(&part.as_str()) => {
                let whole = table.entry(part.clone()).or_insert_with(|| Table::new().into());
                for (key, value) in keys {
                    if OF_THE_FEED.contains(&key.as_str()) {
                        return Err(BadLayout::Key(format!("{part}.{key}")));
                    }
                    if let Some(whole) = whole.as_table_mut() {
                        whole.insert(key.clone(), value.clone());
                    }
                }
            }
            _ if WHOLE.contains(&part.as_str()) => {
                table.insert(part.clone(), value.clone());
            }
            _ => return Err(BadLayout::Key(part.clone())),
        }
    }
    Ok(table)
}
