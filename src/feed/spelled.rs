//! Records in the form that tests compare: texts instead of positions, whose numbering may differ
//! between readings.

use crate::domain::record::{Record, Texts};

impl Record {
    /// All fields but the line.
    #[must_use]
    pub fn spelled(&self, texts: &Texts) -> String {
        let Self { city, period, flow, exclusion, value_cents, .. } = self;
        let words = [
            texts.firms.text(self.firm),
            texts.names.text(self.name),
            texts.regions.text(self.region),
            texts.countries.text(self.country),
            texts.products.text(self.product),
            texts.trade_modes.text(self.trade_mode),
        ];
        format!("{words:?} {city:?} {period} {flow:?} {exclusion:?} {value_cents}")
    }
}
