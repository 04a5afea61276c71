//! Multi-plant firms by closed year, for table 1. The first year is included, because the table
//! needs no indicators.
//!
//! | column | meaning |
//! |---|---|
//! | `firm`, `year` | the firm, with positive cells in two or more cities in the year |
//! | `plants` | the number of such cities |
//! | `largest_plant_share` | exports of the firm's largest plant divided by those of the firm |
//! | `ln_firm_export` | log of the firm's exports in USD |

use super::columns::Columns;
use super::error::RegressionError;
use super::panels::Panels;
use crate::domain::dictionary::Dictionary;
use crate::domain::types::Year;
use crate::tables::dollars;

/// The firms of years as columns.
///
/// # Errors
/// [`RegressionError`] if the plants of a year cannot be read.
pub fn of_years(panels: &mut Panels<'_>, years: &[Year]) -> Result<Columns, RegressionError> {
    let (mut firms, mut codes, mut year_of) = (Dictionary::default(), Vec::new(), Vec::new());
    let (mut n_plants, mut shares, mut logs) = (Vec::new(), Vec::new(), Vec::new());
    for &year in years {
        let plants = panels.plants(year)?;
        for (firm, plants) in plants.by_firm().filter(|(_, plants)| plants.len() >= 2) {
            let sum = dollars(plants.iter().map(|plant| plant.cents).sum());
            let largest = plants.iter().map(|plant| plant.cents).max().unwrap_or_default();
            codes.push(firms.intern(firm));
            year_of.push(i32::from(year.0));
            n_plants.push(f64::from(u16::try_from(plants.len()).expect("at most 2^16 cities")));
            shares.push(dollars(largest) / sum);
            logs.push(libm::log(sum));
        }
    }
    let numbers = [("plants", n_plants), ("largest_plant_share", shares), ("ln_firm_export", logs)];
    Ok(Columns::of_units(("firm", codes, firms), year_of, numbers))
}
