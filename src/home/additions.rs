//! Additions of a profile to the recorded one of a home: they do not change the reading of lines
//! that were read.

use toml::{Table, Value};

use crate::feed::profile::Profile;

/// Checks that a profile only adds to the recorded one.
///
/// # Errors
/// The first key with another difference, with both values.
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

/// True if a key only gains values, and its old values keep their meaning.
fn is_addition(path: &[String], recorded: Option<&Value>, asked: Option<&Value>) -> bool {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path[..] {
        // In a list of columns the first existing one counts: names added at its end change
        // nothing. The same holds for the patterns of names.
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

/// True if a table of codes contains only maps.
fn has_maps_only(codes: &Value) -> bool {
    codes.as_table().is_some_and(|table| {
        table.iter().all(|(key, value)| key == "map" || (value.is_table() && has_maps_only(value)))
    })
}

/// The names of a column; `None` for a constant.
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
