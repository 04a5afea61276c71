//! Records as tests compare them: with their texts in place of positions, which another reading may
//! number otherwise.

use crate::domain::record::{Record, Texts};

impl Record {
    /// All but its line.
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
