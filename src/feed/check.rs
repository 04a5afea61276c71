//! Lines to records: applies each rule in order; the first broken rule rejects the line.
//!
//! Only the texts of records get positions in the file's dictionaries: rejected lines leave no
//! trace there. The meaning of a text (a region's city, a name's exclusion) is stored with its
//! position. A field of a line therefore costs one dictionary look-up and allocates no memory.

use std::borrow::Cow;

use memchr::memmem;
use rustc_hash::FxHashMap;

use super::amount;
use super::cleaning::Cleaning;
use super::columns::Field;
use super::frame::Line;
use super::header::{Cell, Header, TextLine};
use super::period_format::PeriodFormat;
use super::places::Places;
use super::profile::Profile;
use super::text::{is_blank, is_plainly_trimmed, trimmed};
use crate::domain::dictionary::{Dictionary, Key};
use crate::domain::record::{Exclusion, Record, Rule, Texts};
use crate::domain::types::{City, Flow, Period};

mod codes;
mod several;
mod unusual;

/// The longest field, in bytes.
pub const FIELD_BYTES_MAX: usize = 1024;

/// A broken rule, and the column at fault if there is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The rule.
    pub rule: Rule,
    /// The column's position.
    pub column: Option<usize>,
}

/// The end of a line that is not a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRecord {
    /// The line breaks a rule.
    Rejected(Fault),
    /// The line is outside the study and is not kept.
    Excluded(Exclusion),
    /// The line is not part of the table: a total below it, a note, or a repeated header.
    Footer,
    /// The line is blank.
    Blank,
}

impl From<Fault> for NoRecord {
    fn from(fault: Fault) -> Self {
        Self::Rejected(fault)
    }
}

/// The months that the lines of a file may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Months {
    /// The feed's first month.
    pub first: Period,
    /// The last month of the file.
    pub last: Period,
}

/// Separates records from rejects in one file.
pub struct Checker<'a> {
    header: &'a Header,
    profile: &'a Profile,
    places: &'a Places,
    months: Months,
    cleaning: Cleaning,
    format: PeriodFormat,
    /// Finds `�`, where text was transcoded.
    replaced: Option<memmem::Finder<'static>>,
    texts: Texts,
    /// Cities by position in the dictionary of regions, unless they depend on the month.
    cities: Vec<Option<City>>,
    /// Exclusions by position in the dictionary of countries.
    excluded_countries: Vec<bool>,
    /// Exclusions by position in the dictionary of names.
    intermediaries: Vec<bool>,
    /// The last name of each firm, by the firm's position: most firms have one name.
    names: Vec<u32>,
    /// The last month that was read: nearly every line has the same.
    last_period: (Key, Period),
    flows: Vec<(Key, Flow)>,
    /// Positions of countries by names other than their codes.
    countries_by_name: FxHashMap<Box<[u8]>, u32>,
    /// The number of records whose value was rounded.
    n_rounded: u64,
    /// The record of the line before, if it was one.
    before: Option<Record>,
    /// The current value of a line with several values.
    cell: Option<Cell>,
    /// The column of each field, past every column if the field has none.
    columns: [usize; N_FIELDS],
    /// The column of each field that is the text of one column, past every column for others.
    plain_columns: [usize; N_FIELDS],
    /// For each field, true while cleaning leaves all its codes: a text that is already in the
    /// dictionary then is its own code.
    are_plain: [bool; N_FIELDS],
    /// True if the city of a region depends on the month.
    is_dated: bool,
    /// True if the profile excludes lines before their fields are read.
    is_filtered: bool,
}

const N_FIELDS: usize = Field::ALL.len();

/// A code of a line: its position in the dictionary, or the text of a code without one.
enum Code<'l> {
    Known(u32),
    New(Cow<'l, [u8]>),
}

/// The facts known of a line's first fields because the previous line has the same ones.
struct Known {
    before: Option<Record>,
    n_fields: usize,
}

impl Known {
    /// The previous record, if it has the same text in a field of this column.
    #[inline]
    fn by(&self, column: usize) -> Option<&Record> {
        self.before.as_ref().filter(|_| column < self.n_fields)
    }
}

impl<'a> Checker<'a> {
    /// Creates a checker of lines under a header. `transcoded` is true where `�` stands for invalid
    /// bytes. The previous content of `texts` is cleared.
    #[must_use]
    pub fn new(
        header: &'a Header,
        profile: &'a Profile,
        places: &'a Places,
        months: Months,
        transcoded: bool,
        mut texts: Texts,
    ) -> Self {
        texts.clear();
        Self {
            header,
            profile,
            places,
            months,
            cleaning: Cleaning::new(profile),
            format: profile.period.of_lines(),
            replaced: transcoded.then(|| memmem::Finder::new("\u{FFFD}")),
            texts,
            cities: Vec::new(),
            excluded_countries: Vec::new(),
            intermediaries: Vec::new(),
            names: Vec::new(),
            last_period: (Key::default(), months.last),
            flows: flows(profile),
            countries_by_name: FxHashMap::default(),
            n_rounded: 0,
            before: None,
            cell: None,
            columns: Field::ALL.map(|field| header.column(field).unwrap_or(usize::MAX)),
            plain_columns: Field::ALL.map(|field| header.plain_column(field).unwrap_or(usize::MAX)),
            are_plain: [true; N_FIELDS],
            is_dated: places.has_months(&profile.city),
            is_filtered: profile.file.footer.is_some() || !header.filter().is_empty(),
        }
    }

    /// The columns of the file.
    #[must_use]
    pub fn header(&self) -> &'a Header {
        self.header
    }

    /// The profile of the file.
    #[must_use]
    pub fn profile(&self) -> &'a Profile {
        self.profile
    }

    /// The number of records whose value was rounded.
    #[must_use]
    pub fn n_rounded(&self) -> u64 {
        self.n_rounded
    }

    /// The texts of the records so far.
    #[must_use]
    pub fn texts(&self) -> &Texts {
        &self.texts
    }

    /// Takes the texts of the records out of the checker.
    #[must_use]
    pub fn into_texts(self) -> Texts {
        self.texts
    }

    /// Checks a line with this number. Lines must come in the order of the text. Most lines begin
    /// with the same fields as the previous line, usually those of the firm.
    ///
    /// # Errors
    /// The first rule that the line breaks, in the order of [`Rule::ALL`], or the reason why the
    /// line is not part of the table.
    pub fn record(&mut self, number: u32, line: &Line<'_>) -> Result<Record, NoRecord> {
        let known = Known { before: self.before.take(), n_fields: line.n_same };
        match self.checked(number, line, &known) {
            Ok(record) => {
                self.before = Some(record);
                Ok(record)
            }
            Err(NoRecord::Rejected(fault)) => Err(self.rejected(line, fault)),
            Err(other) => Err(other),
        }
    }

    #[expect(clippy::too_many_lines, reason = "each field once, in the order of the rules")]
    fn checked(&mut self, number: u32, line: &Line<'_>, known: &Known) -> Result<Record, NoRecord> {
        let text = self.text_line(line)?;
        if self.is_filtered {
            self.check_filter(line.raw, &text)?;
        }
        let columns = self.columns;
        let known = |field: Field| known.by(columns[field as usize]);
        let period = match known(Field::Period) {
            Some(before) => before.period,
            None => self.period(&text)?,
        };
        let flow = match known(Field::Flow) {
            Some(before) => before.flow,
            None => self.flow(&text)?,
        };
        let firm = match known(Field::FirmId) {
            Some(before) => Code::Known(before.firm),
            None => self.position_or_code(Field::FirmId, &text)?,
        };
        if matches!(&firm, Code::New(firm) if is_nothing(firm)) {
            return Err(self.fault(Rule::Firm, Field::FirmId).into());
        }
        let region = match known(Field::Region) {
            Some(before) => Code::Known(before.region),
            None => self.position_or_code(Field::Region, &text)?,
        };
        let country = match known(Field::Country) {
            Some(before) => Code::Known(before.country),
            None => self.position_or_code(Field::Country, &text)?,
        };
        let product = match known(Field::Hs8) {
            Some(before) => Code::Known(before.product),
            None => self.position_or_code(Field::Hs8, &text)?,
        };
        let city = self.city(&region, period)?;
        let country = match country {
            Code::Known(position) => Code::Known(position),
            Code::New(text) => self.country(text)?,
        };
        let value_cents = self.value(&text)?;
        let region = match region {
            Code::Known(position) => position,
            Code::New(text) => self.new_region(&text, city),
        };
        let country = match country {
            Code::Known(position) => position,
            Code::New(text) => self.new_country(&text),
        };
        let firm = self.position(Field::FirmId, firm);
        let name = match known(Field::FirmName) {
            Some(before) if before.firm == firm => before.name,
            _ => self.name_of(firm, &text),
        };
        let product = self.position(Field::Hs8, product);
        let trade_mode = if let Some(before) = known(Field::TradeMode) {
            before.trade_mode
        } else {
            let mode = self.position_or_code(Field::TradeMode, &text)?;
            self.position(Field::TradeMode, mode)
        };
        let exclusion = self.exclusion(country, name, city);
        Ok(Record {
            firm,
            name,
            region,
            country,
            product,
            trade_mode,
            line: number,
            city,
            period,
            flow,
            exclusion,
            value_cents,
        })
    }

    /// Checks that a line is a record of the feed by the profile's footer and conditions.
    fn check_filter(&self, raw: &[u8], line: &TextLine<'_>) -> Result<(), NoRecord> {
        if self.profile.file.footer.as_ref().is_some_and(|footer| footer.matches(text_of(raw))) {
            return Err(NoRecord::Footer);
        }
        let filter = self.header.filter();
        let text = |at: usize| match line.field(at) {
            Cow::Borrowed(text) => Cow::Borrowed(text_of(text)),
            Cow::Owned(text) => Cow::Owned(text_of(&text).to_owned()),
        };
        if !filter.is_empty() && filter.leaves_out(text) {
            return Err(NoRecord::Excluded(Exclusion::Filter));
        }
        Ok(())
    }

    /// The cents in the column of the value.
    #[inline]
    fn value(&mut self, line: &TextLine<'_>) -> Result<i64, NoRecord> {
        let text = match self.cell {
            Some(cell) => Self::cell_value(cell, line)?,
            None => self.field(Field::ValueUsd, line),
        };
        match amount::cents(&text, &self.profile.value) {
            Ok(cents) => Ok(cents),
            Err(rule) => self.other_value(rule, text_of(&text)),
        }
    }

    /// The line as text, if the number of columns, the lengths and the bytes are valid.
    fn text_line<'l>(&self, line: &Line<'l>) -> Result<TextLine<'l>, Fault> {
        if line.fields.len() != self.header.n_columns() && !self.fits(line) {
            return Err(Fault { rule: Rule::Columns, column: None });
        }
        if line.raw.len() > FIELD_BYTES_MAX {
            let too_long = |at: &usize| line.field_bytes(*at) > FIELD_BYTES_MAX;
            if let Some(at) = (0..line.fields.len()).find(too_long) {
                return Err(Fault { rule: Rule::Length, column: Some(at) });
            }
        }
        let is_text = (line.is_utf8 || std::str::from_utf8(line.raw).is_ok())
            && self.replaced.as_ref().is_none_or(|finder| finder.find(line.raw).is_none());
        if is_text {
            Ok(TextLine { text: line.raw, fields: line.fields })
        } else {
            Err(Fault { rule: Rule::Encoding, column: line.first_not_text() })
        }
    }

    fn period(&mut self, line: &TextLine<'_>) -> Result<Period, Fault> {
        if let Some(Cell { month: Some(month), .. }) = self.cell {
            return self.month_of_cell(month, line);
        }
        let text = self.field(Field::Period, line);
        let key = Key::of(&text);
        if self.last_period.0 != key {
            let code = self.code(Field::Period, line)?;
            let period = self.format.read(text_of(&code));
            let period = period.ok_or_else(|| self.fault(Rule::Period, Field::Period))?;
            if text.len() > Key::SHORT_MAX {
                return self.within(period);
            }
            self.last_period = (key, period);
        }
        self.within(self.last_period.1)
    }

    fn within(&self, period: Period) -> Result<Period, Fault> {
        if period > self.months.last {
            Err(self.fault(Rule::FuturePeriod, Field::Period))
        } else if period < self.months.first {
            Err(self.fault(Rule::EarlyPeriod, Field::Period))
        } else {
            Ok(period)
        }
    }

    fn flow(&mut self, line: &TextLine<'_>) -> Result<Flow, Fault> {
        if let Some(Cell { flow: Some(flow), .. }) = self.cell {
            return Ok(flow);
        }
        let text = self.field(Field::Flow, line);
        let key = Key::of(&text);
        match self.flows.iter().find(|(code, _)| *code == key) {
            Some((_, flow)) if text.len() <= Key::SHORT_MAX => Ok(*flow),
            _ => self.other_flow(line, &text),
        }
    }

    fn name_of(&mut self, firm: u32, line: &TextLine<'_>) -> u32 {
        let text = self.field(Field::FirmName, line);
        // Known names are trimmed.
        let had = self.names.get(firm as usize).copied();
        if let Some(had) = had.filter(|had| self.texts.names.is_at(*had, &text)) {
            return had;
        }
        let is_trimmed = !self.cleaning.is_on || is_plainly_trimmed(&text);
        let name = if is_trimmed { &*text } else { trimmed(text_of(&text)).as_bytes() };
        let has = self.other_name(name);
        if self.names.len() <= firm as usize {
            self.names.resize(firm as usize + 1, has);
        }
        self.names[firm as usize] = has;
        has
    }

    fn other_name(&mut self, name: &[u8]) -> u32 {
        let words = &self.profile.exclusions.name_contains;
        let is_excluded = |text: &str| words.iter().any(|word| text.contains(word));
        intern(&mut self.texts.names, &mut self.intermediaries, name, is_excluded)
    }

    /// The first exclusion that applies, in the order of [`Exclusion::OF_RECORDS`].
    fn exclusion(&self, country: u32, name: u32, city: Option<City>) -> Option<Exclusion> {
        if self.excluded_countries[country as usize] {
            Some(Exclusion::Country)
        } else if self.intermediaries[name as usize] {
            Some(Exclusion::Intermediary)
        } else {
            city.is_none().then_some(Exclusion::Region)
        }
    }

    #[inline]
    fn field<'l>(&self, field: Field, line: &TextLine<'l>) -> Cow<'l, [u8]>
    where
        'a: 'l,
    {
        match line.plain_field(self.plain_columns[field as usize]) {
            Some(text) => Cow::Borrowed(text),
            None => self.header.text(field, line),
        }
    }

    fn fault(&self, rule: Rule, field: Field) -> Fault {
        let cell = self.cell.filter(|_| field == Field::ValueUsd);
        Fault { rule, column: cell.map_or_else(|| self.header.column(field), |cell| Some(cell.at)) }
    }
}

fn flows(profile: &Profile) -> Vec<(Key, Flow)> {
    let of = |codes: &[String], flow| -> Vec<(Key, Flow)> {
        codes.iter().map(|code| (Key::of(code.as_bytes()), flow)).collect()
    };
    let mut flows = of(&profile.flow.export, Flow::Export);
    flows.extend(of(&profile.flow.import, Flow::Import));
    flows
}

/// The position of a text. The meaning of a new text is computed and stored with the position.
fn intern<M>(
    dictionary: &mut Dictionary,
    meanings: &mut Vec<M>,
    text: &[u8],
    meaning: impl FnOnce(&str) -> M,
) -> u32 {
    let position = dictionary.intern_bytes(text);
    if position as usize == meanings.len() {
        meanings.push(meaning(text_of(text)));
    }
    position
}

/// The bytes of a line as text; the line must be valid UTF-8.
fn text_of(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the line was checked to be UTF-8")
}

/// True if a text is empty or blank.
fn is_nothing(text: &[u8]) -> bool {
    !text.first().is_some_and(u8::is_ascii_alphanumeric) && text_of(text).chars().all(is_blank)
}
