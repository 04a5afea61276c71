//! Later layouts of a feed: files from some month on have other columns or codes.

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::domain::types::Period;

/// The changes from some month on; all other keys keep their values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LaterLayout {
    /// The first month of files with this layout.
    pub from: FirstMonth,
    /// The changed keys, in the form of a profile.
    #[serde(flatten)]
    pub changes: Table,
}

/// A month, as `2007-01` or `200701`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FirstMonth(pub Period);

/// A text that is not a month.
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

/// An invalid later layout.
#[derive(Debug, thiserror::Error)]
pub enum BadLayout {
    /// The layout changes a key that holds for the whole feed.
    #[error("{0} cannot change in the middle of a feed; take it out of the layout")]
    Key(String),
    /// The profile with the changes is invalid.
    #[error(transparent)]
    Value(#[from] toml::de::Error),
    /// Two layouts begin with the same month, or a later one is before an earlier one.
    #[error("the layouts are not in the order of their months")]
    Order,
}

/// The sections in which a layout may change single keys.
const PARTS: [&str; 6] = ["file", "columns", "period", "flow", "value", "codes"];
/// The keys that a layout may change as a whole.
const WHOLE: [&str; 3] = ["city", "keep", "drop"];
/// The keys that find files; they hold for the whole feed.
const OF_THE_FEED: [&str; 4] = ["pattern", "recursive", "covers", "parts"];

/// Applies changes to a profile's keys.
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
