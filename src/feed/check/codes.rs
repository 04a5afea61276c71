//! Codes of lines: their positions in the file's dictionaries.
//!
//! Nearly every code of a line is already in a dictionary. Cleaning then has nothing to say: the
//! first line with the code was cleaned, and a text that cleaning leaves is its own code.

use std::borrow::Cow;

use super::{Checker, Code, Fault, intern, text_of};
use crate::domain::dictionary::Dictionary;
use crate::domain::record::{Rule, Texts};
use crate::domain::types::{City, Period};
use crate::feed::columns::Field;
use crate::feed::header::TextLine;
use crate::feed::places::Found;

impl<'a> Checker<'a> {
    /// The position of a field's text if it is a known code; else its code.
    #[inline]
    pub(super) fn position_or_code<'l>(
        &mut self,
        field: Field,
        line: &TextLine<'l>,
    ) -> Result<Code<'l>, Fault>
    where
        'a: 'l,
    {
        let text = self.field(field, line);
        if self.are_plain[field as usize]
            && let Some(position) = dictionary(&mut self.texts, field).find_again(&text)
        {
            return Ok(Code::Known(position));
        }
        self.code_of(field, text).map(Code::New)
    }

    /// The position of a code; a new one is appended.
    #[inline]
    pub(super) fn position(&mut self, field: Field, code: Code<'_>) -> u32 {
        match code {
            Code::Known(position) => position,
            Code::New(text) => {
                self.take_note(field, &text);
                dictionary(&mut self.texts, field).intern_bytes(&text)
            }
        }
    }

    /// Notes whether cleaning leaves a code that gets a position.
    pub(super) fn take_note(&mut self, field: Field, code: &[u8]) {
        self.are_plain[field as usize] &= self.cleaning.leaves(field, code);
    }

    /// The code in a field; usually its unchanged text.
    pub(super) fn code<'l>(&self, field: Field, line: &TextLine<'l>) -> Result<Cow<'l, [u8]>, Fault>
    where
        'a: 'l,
    {
        self.code_of(field, self.field(field, line))
    }

    /// The code of a text.
    pub(super) fn code_of<'l>(
        &self,
        field: Field,
        text: Cow<'l, [u8]>,
    ) -> Result<Cow<'l, [u8]>, Fault> {
        if self.cleaning.leaves(field, &text) {
            return Ok(text);
        }
        let code = self.cleaning.code(field, text_of(&text));
        let code = code.map_err(|rule| self.fault(rule, field))?;
        Ok(code.map_or(text, |code| Cow::Owned(code.into_bytes())))
    }

    /// The city of a region in a month.
    #[inline]
    pub(super) fn city(&self, region: &Code<'_>, month: Period) -> Result<Option<City>, Fault> {
        match region {
            Code::Known(position) if !self.is_dated => Ok(self.cities[*position as usize]),
            Code::Known(position) => {
                self.city_in_month(self.texts.regions.text(*position).as_bytes(), month)
            }
            Code::New(text) => match self.texts.regions.position_of(text) {
                Some(position) if !self.is_dated => Ok(self.cities[position as usize]),
                _ => self.city_in_month(text, month),
            },
        }
    }

    #[cold]
    fn city_in_month(&self, region: &[u8], month: Period) -> Result<Option<City>, Fault> {
        match self.places.region(&self.profile.city, text_of(region), Some(month)) {
            Found::City(city) => Ok(Some(city)),
            Found::WithoutCity => Ok(None),
            Found::Unknown => Err(self.fault(Rule::Region, Field::Region)),
        }
    }

    pub(super) fn new_region(&mut self, region: &[u8], city: Option<City>) -> u32 {
        self.take_note(Field::Region, region);
        intern(&mut self.texts.regions, &mut self.cities, region, |_| city)
    }

    /// A country's position, or its code if it has no position yet.
    pub(super) fn country<'t>(&mut self, text: Cow<'t, [u8]>) -> Result<Code<'t>, Fault> {
        if let Some(position) = self.texts.countries.position_of(&text) {
            return Ok(Code::Known(position));
        }
        if self.places.country_known(text_of(&text)) {
            return Ok(Code::New(text));
        }
        let position = self.country_by_name(&text);
        position.map(Code::Known).ok_or_else(|| self.fault(Rule::Country, Field::Country))
    }

    pub(super) fn new_country(&mut self, country: &[u8]) -> u32 {
        let excluded = &self.profile.exclusions.countries;
        let is_excluded = |text: &str| excluded.iter().any(|country| country == text);
        self.take_note(Field::Country, country);
        intern(&mut self.texts.countries, &mut self.excluded_countries, country, is_excluded)
    }
}

/// The dictionary of a field of codes.
#[inline]
fn dictionary(texts: &mut Texts, field: Field) -> &mut Dictionary {
    match field {
        Field::FirmId => &mut texts.firms,
        Field::Region => &mut texts.regions,
        Field::Country => &mut texts.countries,
        Field::Hs8 => &mut texts.products,
        Field::TradeMode => &mut texts.trade_modes,
        other => unreachable!("{} has no dictionary of codes", other.name()),
    }
}
