//! What a profile may add to the one that a home has recorded: nothing that changes how lines were
//! read that are there.

use toml::{Table, Value};

use crate::feed::profile::Profile;

/// The first key of a profile that differs from the recorded one and is no addition, with both
/// values.
///
/// # Errors
/// That key.
pub(super) fn only_additions(
    recorded: &Profile,
    asked: &Profile,
) -> Result<(), (String, String, String)> {
    let table = |profile| Value::Table(Table::try_from(profile).expect("a profile is plain TOML"));
    let (recorded, asked) = (table(recorded), table(asked));
    added(&mut Vec::new(), Some(&recorded), Some(&asked))
}

fn added(
    path: &mut Vec<String>,
    recorded: Option<&Value>,
    asked: Option<&Value>,
) -> Result<(), (String, String, String)> {
    if recorded == asked || is_addition(path, recorded, asked) {
        return Ok(());
    }
    if let (Some(Value::Table(recorded)), Some(Value::Table(asked))) = (recorded, asked) {
        let keys = recorded.keys().chain(asked.keys().filter(|key| !recorded.contains_key(*key)));
        for key in keys {
            path.push(key.clone());
            added(path, recorded.get(key), asked.get(key))?;
            path.pop();
        }
        return Ok(());
    }
    let shown = |value: Option<&Value>| value.map_or("not there".to_owned(), Value::to_string);
    Err((path.join("."), shown(recorded), shown(asked)))
}

/// Whether a key has more than it had, and what it had means what it did.
fn is_addition(path: &[String], recorded: Option<&Value>, asked: Option<&Value>) -> bool {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path[..] {
        // Of a list the first column that is there counts, so that names at its end change nothing.
        // So it is with the patterns of names.
        ["columns", _] | ["file", "pattern"] => {
            match (recorded.and_then(names), asked.and_then(names)) {
                (Some(before), Some(now)) => now.starts_with(&before),
                _ => false,
            }
        }
        ["flow", "export" | "import"] | ["value", "missing"] => {
            let (before, now) = (items(recorded), items(asked));
            before.iter().all(|item| now.contains(item))
        }
        ["layout"] => items(asked).starts_with(&items(recorded)),
        ["codes"] | ["codes", _] => recorded.is_none() && asked.is_some_and(has_maps_only),
        ["codes", _, "map"] => match (recorded, asked) {
            (None, Some(_)) => true,
            (Some(Value::Table(before)), Some(Value::Table(now))) => {
                before.iter().all(|(text, code)| now.get(text) == Some(code))
            }
            _ => false,
        },
        _ => false,
    }
}

/// Whether a table of codes says nothing but maps.
fn has_maps_only(codes: &Value) -> bool {
    codes.as_table().is_some_and(|table| {
        table.iter().all(|(key, value)| key == "map" || (value.is_table() && has_maps_only(value)))
    })
}

/// The names of a column, or none of a constant.
fn names(column: &Value) -> Option<Vec<Value>> {
    match column {
        Value::Array(names) => Some(names.clone()),
        Value::String(_) | Value::Integer(_) => Some(vec![column.clone()]),
        _ => None,
    }
}

fn items(list: Option<&Value>) -> Vec<Value> {
    list.and_then(Value::as_array).cloned().unwrap_or_default()
}
