//! The engine's numbers of firms and countries.

use crate::domain::dictionary::Dictionary;
use crate::domain::record::{Record, Texts};
use crate::domain::types::{Country, Firm, Plant, Shipment};

/// Firms and countries, numbered in the order in which the home first names them.
#[derive(Debug, Default)]
pub struct Names {
    /// Firm identifiers.
    pub firms: Dictionary,
    /// Country codes.
    pub countries: Dictionary,
}

impl Names {
    /// The number of a country.
    ///
    /// # Panics
    /// Past 2¹⁶ countries, which `intake` refuses.
    pub fn country(&mut self, code: &str) -> Country {
        let number = self.countries.intern(code);
        Country(u16::try_from(number).expect("fewer countries than 2^16"))
    }

    /// The shipments among the records of one file, without excluded records.
    ///
    /// # Panics
    /// Past 2¹⁶ countries, which `intake` refuses.
    pub fn shipments(&mut self, texts: &Texts, records: &[Record], mut each: impl FnMut(Shipment)) {
        let mut firms: Vec<Option<Firm>> = vec![None; texts.firms.len()];
        let mut countries: Vec<Option<Country>> = vec![None; texts.countries.len()];
        for record in records {
            let (None, Some(city)) = (record.exclusion, record.city) else { continue };
            let firm = *firms[record.firm as usize]
                .get_or_insert_with(|| Firm(self.firms.intern(texts.firms.text(record.firm))));
            let country = *countries[record.country as usize]
                .get_or_insert_with(|| self.country(texts.countries.text(record.country)));
            each(Shipment {
                plant: Plant { firm, city },
                country,
                period: record.period,
                flow: record.flow,
                cents: record.value_cents,
            });
        }
    }
}
