//! Lines to records: each rule in order, the first that is broken rejects the line.
//!
//! Texts become positions in the file's dictionaries only for lines that are records, so that
//! nothing of a rejected line goes further. What a text means (a region's city, a name's exclusion)
//! is kept beside its position: a dictionary look-up a field and line is all there is to do, and no
//! memory is allocated.

use std::borrow::Cow;

use memchr::memmem;

use super::amount;
use super::frame::Line;
use super::header::{Field, Header, TextLine};
use super::places::{Found, Places};
use super::profile::Profile;
use super::record::{Dictionary, Exclusion, Record, Rule, Texts};
use crate::types::{City, Flow, Period};

/// The longest field.
pub const FIELD_BYTES_MAX: usize = 1024;

/// What a line breaks, and in which column if it is in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The rule.
    pub rule: Rule,
    /// The column's position.
    pub column: Option<usize>,
}

/// The months that lines may be of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Months {
    /// The feed's first.
    pub first: Period,
    /// The file's own.
    pub last: Period,
}

/// Tells records from rejects, for one file.
pub struct Checker<'a> {
    header: &'a Header,
    profile: &'a Profile,
    places: &'a Places,
    months: Months,
    /// Finds `�`, where text was transcoded.
    replaced: Option<memmem::Finder<'static>>,
    texts: Texts,
    /// By position in the dictionary of regions.
    cities: Vec<Option<City>>,
    /// By position in the dictionary of countries.
    excluded_countries: Vec<bool>,
    /// By position in the dictionary of names.
    intermediaries: Vec<bool>,
    /// The month last read: nearly every line has the same.
    last_period: (String, Period),
}

impl<'a> Checker<'a> {
    /// A checker of lines under a header; `transcoded` where `�` stands for bytes that were no
    /// text.
    #[must_use]
    pub fn new(
        header: &'a Header,
        profile: &'a Profile,
        places: &'a Places,
        months: Months,
        transcoded: bool,
    ) -> Self {
        Self {
            header,
            profile,
            places,
            months,
            replaced: transcoded.then(|| memmem::Finder::new("\u{FFFD}")),
            texts: Texts::default(),
            cities: Vec::new(),
            excluded_countries: Vec::new(),
            intermediaries: Vec::new(),
            last_period: (String::new(), months.last),
        }
    }

    /// The texts of the records so far.
    #[must_use]
    pub fn into_texts(self) -> Texts {
        self.texts
    }

    /// The record on a line of this number.
    ///
    /// # Errors
    /// The first rule that the line breaks, in the order of [`Rule::ALL`].
    pub fn record(&mut self, number: u32, line: &Line<'_>) -> Result<Record, Fault> {
        let text = self.text_line(line)?;
        let period = self.period(&text)?;
        let flow = self.flow(&text)?;
        let firm = self.field(Field::FirmId, &text);
        if is_blank(&firm) {
            return Err(self.fault(Rule::Firm, Field::FirmId));
        }
        let region = self.field(Field::Region, &text);
        let city = match self.city(&region) {
            Found::City(city) => Some(city),
            Found::WithoutCity => None,
            Found::Unknown => return Err(self.fault(Rule::Region, Field::Region)),
        };
        let country = self.field(Field::Country, &text);
        if !self.country_known(&country) {
            return Err(self.fault(Rule::Country, Field::Country));
        }
        let value_cents = amount::cents(&self.field(Field::ValueUsd, &text), &self.profile.value)
            .map_err(|rule| self.fault(rule, Field::ValueUsd))?;
        let region = intern(&mut self.texts.regions, &mut self.cities, &region, |_| city);
        let country = self.country(&country);
        let name = self.name(&self.field(Field::FirmName, &text));
        Ok(Record {
            firm: self.texts.firms.intern(&firm),
            name,
            region,
            country,
            product: self.texts.products.intern(&self.field(Field::Hs8, &text)),
            trade_mode: self.texts.trade_modes.intern(&self.field(Field::TradeMode, &text)),
            line: number,
            city,
            period,
            flow,
            exclusion: self.exclusion(country, name, city),
            value_cents,
        })
    }

    /// The line as text, if columns, lengths and bytes are in order.
    fn text_line<'l>(&self, line: &Line<'l>) -> Result<TextLine<'l>, Fault> {
        if line.fields.len() != self.header.n_columns() {
            return Err(Fault { rule: Rule::Columns, column: None });
        }
        if line.raw.len() > FIELD_BYTES_MAX {
            let too_long = |at: &usize| line.field_bytes(*at) > FIELD_BYTES_MAX;
            if let Some(at) = (0..line.fields.len()).find(too_long) {
                return Err(Fault { rule: Rule::Length, column: Some(at) });
            }
        }
        let replaced = self.replaced.as_ref();
        match std::str::from_utf8(line.raw) {
            Ok(text) if replaced.is_none_or(|finder| finder.find(line.raw).is_none()) => {
                Ok(TextLine { text, fields: line.fields })
            }
            _ => Err(Fault { rule: Rule::Encoding, column: line.first_not_text() }),
        }
    }

    fn period(&mut self, line: &TextLine<'_>) -> Result<Period, Fault> {
        let text = self.field(Field::Period, line);
        if self.last_period.0 != *text {
            let period = self.profile.period.format.read(&text);
            let period = period.ok_or_else(|| self.fault(Rule::Period, Field::Period))?;
            self.last_period = (text.into_owned(), period);
        }
        let period = self.last_period.1;
        if period > self.months.last {
            Err(self.fault(Rule::FuturePeriod, Field::Period))
        } else if period < self.months.first {
            Err(self.fault(Rule::EarlyPeriod, Field::Period))
        } else {
            Ok(period)
        }
    }

    fn flow(&self, line: &TextLine<'_>) -> Result<Flow, Fault> {
        let text = self.field(Field::Flow, line);
        let is = |codes: &[String]| codes.iter().any(|code| *code == text);
        if is(&self.profile.flow.export) {
            Ok(Flow::Export)
        } else if is(&self.profile.flow.import) {
            Ok(Flow::Import)
        } else {
            Err(self.fault(Rule::Flow, Field::Flow))
        }
    }

    fn city(&self, region: &str) -> Found {
        match self.texts.regions.position(region) {
            Some(position) => {
                self.cities[position as usize].map_or(Found::WithoutCity, Found::City)
            }
            None => self.places.region(&self.profile.city, region),
        }
    }

    fn country_known(&self, country: &str) -> bool {
        self.texts.countries.position(country).is_some() || self.places.country_known(country)
    }

    fn country(&mut self, country: &str) -> u32 {
        let excluded = &self.profile.exclusions.countries;
        let is_excluded = |text: &str| excluded.iter().any(|country| country == text);
        intern(&mut self.texts.countries, &mut self.excluded_countries, country, is_excluded)
    }

    fn name(&mut self, name: &str) -> u32 {
        let words = &self.profile.exclusions.name_contains;
        let is_excluded = |text: &str| words.iter().any(|word| text.contains(word));
        intern(&mut self.texts.names, &mut self.intermediaries, name, is_excluded)
    }

    /// The first exclusion that applies, in the order of [`Exclusion::ALL`].
    fn exclusion(&self, country: u32, name: u32, city: Option<City>) -> Option<Exclusion> {
        if self.excluded_countries[country as usize] {
            Some(Exclusion::Country)
        } else if self.intermediaries[name as usize] {
            Some(Exclusion::Intermediary)
        } else {
            city.is_none().then_some(Exclusion::Region)
        }
    }

    fn field<'l>(&self, field: Field, line: &TextLine<'l>) -> Cow<'l, str>
    where
        'a: 'l,
    {
        self.header.text(field, line)
    }

    fn fault(&self, rule: Rule, field: Field) -> Fault {
        Fault { rule, column: self.header.column(field) }
    }
}

/// The position of a text; what it means is found out when it is new, and kept beside it.
fn intern<M>(
    dictionary: &mut Dictionary,
    meanings: &mut Vec<M>,
    text: &str,
    meaning: impl FnOnce(&str) -> M,
) -> u32 {
    let position = dictionary.intern(text);
    if position as usize == meanings.len() {
        meanings.push(meaning(text));
    }
    position
}

/// Whether there is nothing but white space.
fn is_blank(text: &str) -> bool {
    text.trim_start().is_empty()
}
