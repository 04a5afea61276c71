//! Compares the run of a file with the file's records.

use std::collections::BTreeMap;

use crate::domain::dictionary::Dictionary;
use crate::domain::record::{Record, Texts};
use crate::domain::types::{City, Flow, Period};
use crate::engine::LiveSegment;
use crate::engine::replay::Replay;
use crate::home::runs::{self, Market, RunNumbers};
use crate::home::{HomeError, Stored};

/// The cents of a firm, country and city in a month.
type Sums = BTreeMap<(u32, u32, City, Period, Flow), i64>;

/// True if a run adds up to the records that count. A run that cannot be read is found elsewhere.
///
/// # Errors
/// Those of [`runs::open`].
pub(super) fn adds_up(
    replay: &Replay<'_>,
    segment: &LiveSegment,
    run: &Stored,
    (texts, records): (&Texts, &[Record]),
) -> Result<bool, HomeError> {
    let city_of = |code: &str| replay.definition.places.city(code);
    let mut numbers = RunNumbers {
        firms: Dictionary::default(),
        countries: Dictionary::default(),
        city_of: &city_of,
    };
    let mut found = Sums::new();
    let Some((first, last)) = segment.months.iter().min().zip(segment.months.iter().max()) else {
        return Ok(records.is_empty());
    };
    let months = *first..=*last;
    let mut sections = Vec::new();
    for flow in [Flow::Export, Flow::Import] {
        let asked = (flow, &months);
        sections.extend(runs::open(replay.home.folder(), run, asked, &mut numbers)?);
    }
    // The records have the first identifiers of renumbered firms.
    let carried = replay.definition.successions.carried(&mut numbers.firms);
    for mut section in sections {
        let flow = section.flow();
        while let Some(Market { country, city }) = section.market() {
            section.take(&mut numbers, |firm, month, cents| {
                if !segment.gone.contains(&(month, flow)) {
                    let firm = carried.firm(firm.0, month);
                    let key = (firm, u32::from(country.0), city, month, flow);
                    *found.entry(key).or_default() += cents;
                }
            })?;
        }
    }
    for record in records {
        let (None, Some(city)) = (record.exclusion, record.city) else { continue };
        let firm = numbers.firms.intern(texts.firms.text(record.firm));
        let country = numbers.countries.intern(texts.countries.text(record.country));
        let key = (firm, country, city, record.period, record.flow);
        *found.entry(key).or_default() -= record.value_cents;
    }
    Ok(found.values().all(|cents| *cents == 0))
}
