//! The alerts of a briefing.

use std::path::Path;

use super::store::{Store, StoreError};
use crate::reader::briefing::{BriefedAlert, Briefing};

/// Adds the alerts about the month of a briefing, as they were at its vintage: those that have not
/// ended first.
///
/// # Errors
/// [`StoreError`] if the alerts cannot be read.
pub fn add(of: &mut Briefing, home: &Path) -> Result<(), StoreError> {
    let Some(store) = Store::read(home)? else { return Ok(()) };
    let (month, vintage) = (of.month.as_yyyymm(), of.vintage.0);
    let is_of_month =
        |alert: &crate::alerts::Alert| alert.month == Some(month) && alert.vintage <= vintage;
    let stored = store.alerts(0)?.into_iter().filter(|stored| is_of_month(&stored.alert));
    let mut alerts: Vec<BriefedAlert> = stored
        .map(|stored| BriefedAlert {
            has_ended: stored.cleared_vintage.is_some_and(|cleared| cleared <= vintage),
            is_acknowledged: stored.acknowledged_at.is_some(),
            text: stored.alert.text,
            text_zh: stored.alert.text_zh,
            raised_at: stored.raised_at,
        })
        .collect();
    alerts.sort_by_key(|alert| alert.has_ended);
    of.alerts = Some(alerts);
    Ok(())
}
