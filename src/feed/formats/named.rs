//! Selects a sheet or table of a file.

use super::problem::TableProblem;
use crate::feed::pattern::{MemberPattern, NameMatch};

/// The position of the one name that matches the profile, or of the only name.
pub(super) fn the_one(
    key: &'static str,
    wanted: Option<&MemberPattern>,
    names: &[String],
) -> Result<usize, TableProblem> {
    let is_meant =
        |name: &String| wanted.is_none_or(|wanted| wanted.month_of(name) != NameMatch::No);
    let meant: Vec<usize> = (0..names.len()).filter(|at| is_meant(&names[*at])).collect();
    match (&meant[..], wanted) {
        ([at], _) => Ok(*at),
        ([], _) if names.is_empty() => Err(TableProblem::Nothing { key }),
        ([], Some(wanted)) => {
            let (wanted, names) = (wanted.to_string(), names.to_vec());
            Err(TableProblem::Missing { key, wanted, names })
        }
        _ => {
            let names = meant.iter().map(|at| names[*at].clone()).collect();
            Err(TableProblem::Several { key, names })
        }
    }
}
