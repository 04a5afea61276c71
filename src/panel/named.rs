//! Requested names to columns of a file.

use std::path::Path;

use super::error::PanelError;
use super::wanted::Wanted;
use crate::estimate::formula::normal;

/// The smallest similarity of a proposed name.
const LIKENESS_MIN: f64 = 0.6;

/// The number of requested columns among some names.
pub(super) fn n_found(wanted: &Wanted, there: &[String]) -> usize {
    let is_there = |name: &String| !matching(name, there).is_empty();
    wanted.columns.iter().filter(|(name, _)| is_there(name)).count()
}

/// The positions of the requested columns.
///
/// # Errors
/// [`PanelError::Unknown`], [`PanelError::Twice`] if a column is missing, or exists twice.
pub(super) fn places(
    path: &Path,
    wanted: &Wanted,
    there: &[String],
) -> Result<Vec<usize>, PanelError> {
    let place = |(column, _): &(String, _)| {
        let (path, name) = (path.to_owned(), column.clone());
        match matching(column, there)[..] {
            [place] => Ok(place),
            [] => {
                let near = nearest(column, there);
                Err(PanelError::Unknown { path, column: name, near, there: there.to_vec() })
            }
            _ => Err(PanelError::Twice { path, column: name }),
        }
    };
    wanted.columns.iter().map(place).collect()
}

/// The positions of a name among others: compared in Unicode's composed form, and if none matches,
/// without leading and trailing blanks.
fn matching(name: &str, there: &[String]) -> Vec<usize> {
    let places = |is: &dyn Fn(&String) -> bool| -> Vec<usize> {
        there.iter().enumerate().filter(|(_, other)| is(other)).map(|(place, _)| place).collect()
    };
    let exact = places(&|other| normal(other) == name);
    if exact.is_empty() { places(&|other| normal(other.trim()) == name) } else { exact }
}

/// The name most similar to a missing one.
fn nearest(name: &str, there: &[String]) -> Option<String> {
    let folded = |name: &str| -> String {
        normal(name).chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let wanted = folded(name);
    let likeness = |other: &String| strsim::normalized_damerau_levenshtein(&wanted, &folded(other));
    let alike = there.iter().map(|other| (likeness(other), other));
    let best = alike.max_by(|(one, _), (other, _)| one.total_cmp(other))?;
    (best.0 >= LIKENESS_MIN).then(|| best.1.clone())
}
