//! Sums of a file by plant, country, month and flow: the only input of the dataflow from its
//! records.

use std::path::Path;

use super::names::Names;
use crate::domain::dictionary::TextList;
use crate::domain::record::{Record, Texts};
use crate::domain::types::{City, Country, Firm, Plant, Shipment};
use crate::feed::places::Places;
use crate::feed::successions::Carried;
use crate::home::HomeError;
use crate::home::runs::{self, MonthSum, RunTexts};

/// The sum of |value| up to which every sum of amounts is exact.
pub(super) const ABSOLUTE_CENTS_MAX: i128 = 1 << 62;

/// The accepted records of a file, with neighbours added up.
///
/// In a segment's order, records of a plant with a country are next to each other (2 to 5 a month).
/// Few sums therefore remain to be combined later.
#[derive(Debug, Default)]
pub struct Sums {
    firms: TextList,
    /// Partner countries, including those without accepted records.
    pub countries: TextList,
    shipped: Vec<MonthSum>,
    /// The firms that the engine has numbered, once they were looked up.
    known: Vec<Option<Firm>>,
}

/// The codes of a file's accepted records, and those that are new, by position.
#[derive(Debug, Default)]
pub struct Codes {
    /// The number of firms.
    pub n_firms: u64,
    /// The new ones.
    pub new_firms: Vec<u32>,
    /// The number of countries.
    pub n_countries: u64,
    /// The new ones.
    pub new_countries: Vec<u32>,
}

impl Sums {
    /// Adds up records in a segment's order; excluded ones do not count.
    #[must_use]
    pub fn of(texts: &Texts, records: &[Record]) -> Self {
        Self::carried(texts, records, &Carried::default())
    }

    /// Adds up records like [`Sums::of`], with the first identifiers of renumbered firms.
    #[must_use]
    pub fn carried(texts: &Texts, records: &[Record], carried: &Carried) -> Self {
        let mut sums: Vec<MonthSum> = Vec::with_capacity(records.len() / 2);
        for record in records {
            let (None, Some(city)) = (record.exclusion, record.city) else { continue };
            let Record { country, period, flow, value_cents: cents, .. } = *record;
            let firm = carried.firm(record.firm, period);
            let new = MonthSum { firm, country, city, period, flow, cents };
            match sums.last_mut() {
                // A file past the range of sums is refused, and its sums are never used.
                Some(last) if (MonthSum { cents, ..*last }) == new => {
                    last.cents = last.cents.wrapping_add(cents);
                }
                _ => sums.push(new),
            }
        }
        let [firms, countries] = [&texts.firms, &texts.countries].map(|of| of.list().clone());
        Self { firms, countries, shipped: sums, known: Vec::new() }
    }

    /// Looks up the firms of accepted records, which are not looked up again when they are fed.
    pub fn look_up(&mut self, names: &Names) -> Codes {
        let Self { firms, countries, shipped, known } = self;
        let mut codes = Codes::default();
        known.resize(firms.len(), None);
        let mut is_seen = vec![false; countries.len()];
        let mut before = None;
        for MonthSum { firm, country, .. } in shipped {
            // Records of a firm stand together.
            if before.replace(*firm) != Some(*firm) {
                codes.n_firms += 1;
                match names.firms.position(firms.text(*firm)) {
                    Some(number) => known[*firm as usize] = Some(Firm(number)),
                    None => codes.new_firms.push(*firm),
                }
            }
            if !std::mem::replace(&mut is_seen[*country as usize], true) {
                codes.n_countries += 1;
                if names.countries.position(countries.text(*country)).is_none() {
                    codes.new_countries.push(*country);
                }
            }
        }
        codes
    }

    /// The run of the file; `path` stands for it in messages.
    ///
    /// # Errors
    /// [`HomeError::Encode`] if a column is past what Parquet can hold.
    pub fn run(&self, places: &Places, path: &Path) -> Result<runs::Encoded, HomeError> {
        let city = |city: City| places.code(city);
        let texts = RunTexts { firms: &self.firms, countries: &self.countries, city: &city };
        runs::encode(texts, &self.shipped).map_err(|source| HomeError::encode(path, source))
    }

    /// The identifier of a firm.
    #[must_use]
    pub fn firm(&self, position: u32) -> &str {
        self.firms.text(position)
    }

    /// The shipments, with the engine's numbers of firms and countries.
    ///
    /// # Panics
    /// Past 2¹⁶ countries, which `intake` refuses.
    pub fn shipments(&self, names: &mut Names, mut each: impl FnMut(Shipment)) {
        let mut firms = self.known.clone();
        firms.resize(self.firms.len(), None);
        let mut countries: Vec<Option<Country>> = vec![None; self.countries.len()];
        for sum in &self.shipped {
            let firm = *firms[sum.firm as usize]
                .get_or_insert_with(|| Firm(names.firms.intern(self.firms.text(sum.firm))));
            let country = *countries[sum.country as usize]
                .get_or_insert_with(|| names.country(self.countries.text(sum.country)));
            let plant = Plant { firm, city: sum.city };
            let MonthSum { period, flow, cents, .. } = *sum;
            each(Shipment { plant, country, period, flow, cents });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::Exclusion;
    use crate::domain::types::{Flow, Period};

    #[test]
    fn neighbours_are_added_up_and_excluded_records_left_out() {
        let mut texts = Texts::default();
        let period = Period::new(2001, 3).expect("a month");
        let record = Record {
            firm: texts.firms.intern("F1"),
            name: 0,
            region: 0,
            country: texts.countries.intern("502"),
            product: 0,
            trade_mode: 0,
            line: 2,
            city: Some(City(4)),
            period,
            flow: Flow::Export,
            exclusion: None,
            value_cents: 50,
        };
        let import = Record { flow: Flow::Import, ..record };
        let excluded = Record { exclusion: Some(Exclusion::Intermediary), ..record };
        let sums = Sums::of(&texts, &[record, record, excluded, record, import]);
        let mut shipped = Vec::new();
        sums.shipments(&mut Names::default(), |shipment| {
            shipped.push((shipment.flow, shipment.cents));
        });
        assert_eq!(shipped, [(Flow::Export, 150), (Flow::Import, 50)]);
    }
}
