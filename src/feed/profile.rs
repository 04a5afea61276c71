//! The format of a feed: a profile in TOML describes the names of files, their encoding, the
//! columns of fields, and the records outside the study.
//!
//! Formats are described in profiles and never in code: later stages see records only.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::filter::Conditions;
pub use super::later::LaterLayout;
use super::later::{BadLayout, FirstMonth, changed};
pub use super::layout::*;
use super::pattern::FilePattern;
use super::period_format::PeriodFormat;
use crate::domain::types::{Flow, Period};
use crate::files;
use crate::files::trouble::remark;
use crate::toml_text::{self, TomlError};

/// The layout of a feed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The name in messages and in the record of the options.
    pub name: String,
    /// The treatment of another file for a month that already has one.
    #[serde(default)]
    pub revision: Revision,
    /// The valid country codes of a feed without a table of countries.
    ///
    /// `None` only in the record of a home made before codes were checked. Its lines keep their
    /// former reading: codes are not checked for lost digits, and tables of the feed count only
    /// with a `cities.csv` among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub countries: Option<CountryCodes>,
    /// True if blanks around texts are ignored, and codes and numbers are read in any of their
    /// forms.
    ///
    /// `None` only in the record of an older home, which reads texts unchanged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trim: Option<bool>,
    /// The trade modes of ordinary trade; by default `10`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ordinary_modes: Option<Vec<String>>,
    /// Conditions on columns that must all hold for a record.
    #[serde(default, skip_serializing_if = "Conditions::is_empty")]
    pub keep: Conditions,
    /// Conditions on columns that each make a line not a record.
    #[serde(default, skip_serializing_if = "Conditions::is_empty")]
    pub drop: Conditions,
    /// The reading of files as text.
    pub file: FileLayout,
    /// The columns of fields.
    pub columns: ColumnLayout,
    /// The notation of the month.
    pub period: PeriodLayout,
    /// The notation of the flow.
    pub flow: FlowCodes,
    /// The rule that finds the city of a region.
    pub city: CityRule,
    /// The notation of the value.
    pub value: ValueLayout,
    /// The valid records that are outside the study.
    #[serde(default)]
    pub exclusions: Exclusions,
    /// The notation of codes.
    #[serde(default, skip_serializing_if = "is_default")]
    pub codes: CodeLayouts,
    /// The files of maps: they are in the feed's folder, but not files of the feed.
    #[serde(skip)]
    pub maps: Vec<String>,
    /// The changes from some month on, in the order of the months.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layout: Vec<LaterLayout>,
}

/// A profile that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file exists but cannot be read.
    #[error("cannot read the feed profile {}{}", path.display(), remark(path, source))]
    Io {
        /// The profile's file.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// The text is not TOML, or its fields are not those of a profile.
    #[error("{origin} is not a feed profile; compare it with a shipped one")]
    Toml {
        /// The origin of the text.
        origin: String,
        /// The line and the cause.
        source: TomlError,
    },
    /// No profile of this name is shipped.
    #[error(
        "there is no profile \"{name}\"; shipped are {}",
        Profile::BUNDLED.map(|(name, _)| name).join(", ")
    )]
    UnknownName {
        /// The requested name.
        name: String,
    },
    /// A list of flow codes is empty.
    #[error("{origin}: no code for exports; give [flow] export at least one")]
    NoExportCode {
        /// The origin of the text.
        origin: String,
    },
    /// A code stands for both flows.
    #[error("{origin}: flow code \"{code}\" is an export and an import; keep it in one list")]
    FlowCode {
        /// The origin of the text.
        origin: String,
        /// The code.
        code: String,
    },
    /// An empty word, which every name contains.
    #[error("{origin}: an empty word in exclusions.name_contains would exclude every firm")]
    EmptyWord {
        /// The origin of the text.
        origin: String,
    },
    /// A city's code has no digits.
    #[error("{origin}: a city of 0 digits is none; set [city] digits to 1 or more")]
    NoDigits {
        /// The origin of the text.
        origin: String,
    },
    /// The list of columns of a field is empty.
    #[error("{origin}: the list of columns of {field} is empty; give it a name")]
    NoColumn {
        /// The origin of the text.
        origin: String,
        /// The field.
        field: &'static str,
    },
    /// Codes are padded without a width, or with a character that is not a digit.
    #[error("{origin}: [codes.{field}] pads without a width; give it a width")]
    NoWidth {
        /// The origin of the text.
        origin: String,
        /// The column.
        field: &'static str,
    },
    /// One mark separates both decimals and thousands.
    #[error(
        "{origin}: the same mark stands before decimals and between thousands; change \
         [value] decimal_mark or thousands"
    )]
    SameMark {
        /// The origin of the text.
        origin: String,
    },
    /// The file of a map cannot be read.
    #[error(
        "{origin}: the map of [codes.{field}] in {file} cannot be used: {problem}; give a CSV file \
         of two columns, text and code"
    )]
    Map {
        /// The origin of the text.
        origin: String,
        /// The column.
        field: &'static str,
        /// The file.
        file: String,
        /// The problem.
        problem: String,
    },
    /// The pattern of the files lacks a part that the profile needs.
    #[error("{origin}: file pattern \"{pattern}\" must have {needed}")]
    Pattern {
        /// The origin of the text.
        origin: String,
        /// The pattern.
        pattern: FilePattern,
        /// The missing part.
        needed: &'static str,
    },
    /// Two keys exclude each other, or one is missing.
    #[error("{origin}: {problem}")]
    Keys {
        /// The origin of the text.
        origin: String,
        /// The problem and its remedy.
        problem: &'static str,
    },
    /// A later layout is invalid.
    #[error("{origin}: the layout from {}: {source}", String::from(*from))]
    Layout {
        /// The origin of the text.
        origin: String,
        /// The layout's first month.
        from: FirstMonth,
        /// The problem.
        source: BadLayout,
    },
}

impl Profile {
    /// The shipped profiles, by name.
    const BUNDLED: [(&'static str, &'static str); 10] = [
        ("canonical", include_str!("../../streams/profiles/canonical.toml")),
        ("ccts", include_str!("../../streams/profiles/ccts.toml")),
        ("ccts-access", include_str!("../../streams/profiles/ccts-access.toml")),
        ("ccts-stata", include_str!("../../streams/profiles/ccts-stata.toml")),
        (
            "comexstat-municipality",
            include_str!("../../streams/profiles/comexstat-municipality.toml"),
        ),
        ("gacc-query", include_str!("../../streams/profiles/gacc-query.toml")),
        ("comexstat", include_str!("../../streams/profiles/comexstat.toml")),
        (
            "comexstat-municipality-year",
            include_str!("../../streams/profiles/comexstat-municipality-year.toml"),
        ),
        ("ethiopia", include_str!("../../streams/profiles/ethiopia.toml")),
        ("statcan", include_str!("../../streams/profiles/statcan.toml")),
    ];

    /// The names of the shipped profiles.
    pub fn bundled_names() -> impl Iterator<Item = &'static str> {
        Self::BUNDLED.iter().map(|(name, _)| *name)
    }

    /// A shipped profile.
    ///
    /// # Errors
    /// [`ProfileError::UnknownName`] if no shipped profile has this name.
    pub fn bundled(name: &str) -> Result<Self, ProfileError> {
        let found = Self::BUNDLED.iter().find(|(bundled, _)| *bundled == name);
        let (name, text) =
            found.ok_or_else(|| ProfileError::UnknownName { name: name.to_owned() })?;
        Self::from_toml(text, name)
    }

    /// Parses a profile from a TOML text; `origin` names the source of the text in messages.
    ///
    /// # Errors
    /// - [`ProfileError::Toml`] if a field is missing, unknown or malformed
    /// - [`ProfileError::NoExportCode`], [`ProfileError::FlowCode`], [`ProfileError::EmptyWord`],
    ///   [`ProfileError::NoDigits`] if the fields are well formed but make no sense
    pub fn from_toml(text: &str, origin: &str) -> Result<Self, ProfileError> {
        let profile: Self = toml_text::read(text)
            .map_err(|source| ProfileError::Toml { origin: origin.to_owned(), source })?;
        profile.checked(origin)
    }

    /// The profile in a file.
    ///
    /// # Errors
    /// [`ProfileError::Io`] if the file cannot be read, and those of [`Profile::from_toml`].
    pub fn from_file(path: &Path) -> Result<Self, ProfileError> {
        let text = files::read_text(path)
            .map_err(|source| ProfileError::Io { path: path.to_owned(), source })?;
        let origin = path.display().to_string();
        let mut profile: Self = toml_text::read(&text)
            .map_err(|source| ProfileError::Toml { origin: origin.clone(), source })?;
        profile.read_maps(path.parent().unwrap_or(Path::new(".")), &origin)?;
        profile.checked(&origin)
    }

    /// Reads the maps that are in separate files.
    fn read_maps(&mut self, folder: &Path, origin: &str) -> Result<(), ProfileError> {
        let mut files = Vec::new();
        for (field, codes) in self.codes.by_field_mut() {
            let field = field.name();
            let Some(CodeMap::File(file)) = &codes.map else { continue };
            let problem = |problem: String| {
                let (origin, file) = (origin.to_owned(), file.clone());
                ProfileError::Map { origin, field, file, problem }
            };
            let text = files::read_text(&folder.join(file));
            let text = text.map_err(|error| problem(error.to_string()))?;
            let mut reader = csv::Reader::from_reader(text.as_bytes());
            let mut map = std::collections::BTreeMap::new();
            for row in reader.deserialize::<(String, String)>() {
                let (text, code) = row.map_err(|error| problem(error.to_string()))?;
                map.insert(text, code);
            }
            files.push(file.clone());
            codes.map = Some(CodeMap::Inline(map));
        }
        self.maps = files;
        Ok(())
    }

    /// True if lines have a year and no month. The file's name has the year, and its records count
    /// in December.
    #[must_use]
    pub fn is_annual(&self) -> bool {
        self.file.covers == Covers::Year
            && self.period.from == Some(PeriodSource::Name)
            && self.period.columns.is_empty()
    }

    /// The columns of values of lines with several values, each with the month of the year or the
    /// flow of its records.
    pub fn value_columns(&self) -> impl Iterator<Item = (&Column, Option<u8>, Option<Flow>)> {
        let months = self.period.columns.iter().map(|(month, of)| (of, Some(month.0), None));
        let flows =
            [(&self.flow.export_value, Flow::Export), (&self.flow.import_value, Flow::Import)];
        let flows =
            flows.into_iter().filter_map(|(of, flow)| Some((of.as_ref()?, None, Some(flow))));
        months.chain(flows)
    }

    /// True if blanks around texts are ignored.
    #[must_use]
    pub fn is_trimmed(&self) -> bool {
        self.trim == Some(true)
    }

    /// The trade modes of ordinary trade.
    pub fn ordinary_modes(&self) -> impl Iterator<Item = &str> {
        let modes = self.ordinary_modes.as_deref();
        let default = modes.is_none().then_some("10");
        modes.unwrap_or_default().iter().map(String::as_str).chain(default)
    }

    /// The profile of the files of a month, with the later layouts up to that month.
    ///
    /// # Panics
    /// Never for a checked profile.
    #[must_use]
    pub fn of_month(&self, month: Period) -> Self {
        let later = self.layout.iter().filter(|later| later.from.0 <= month);
        later.fold(self.without_layouts(), |profile, later| {
            profile.changed(&later.changes).expect("the layouts of a profile are checked")
        })
    }

    /// The profile of a file: the profile of its month with the constants from its name.
    ///
    /// # Panics
    /// Never for a checked profile.
    #[must_use]
    pub fn of_file(&self, month: Period, flow: Option<&str>) -> Self {
        let mut profile = self.of_month(month);
        let constant = |text: String| Column::Constant(Constant { constant: text });
        if let Some(flow) = flow {
            profile.columns.flow = constant(flow.to_owned());
        }
        if profile.period.from == Some(PeriodSource::Name) {
            profile.columns.period = constant(month.to_string());
            profile.period.format = PeriodFormat::default();
        }
        profile
    }

    /// The profile's code of a flow that a name contains; `None` if the profile lacks it.
    #[must_use]
    pub fn flow_named(&self, name: &str) -> Option<&str> {
        let codes = self.flow.export.iter().chain(&self.flow.import);
        let codes = codes.map(String::as_str);
        codes.into_iter().find(|code| code.to_lowercase() == name)
    }

    fn without_layouts(&self) -> Self {
        Self { layout: Vec::new(), ..self.clone() }
    }

    fn changed(&self, changes: &toml::Table) -> Result<Self, BadLayout> {
        let table = toml::Table::try_from(self).expect("a profile is plain TOML");
        Ok(changed(table, changes)?.try_into()?)
    }

    /// True if codes are checked for lost digits.
    #[must_use]
    pub fn checks_codes(&self) -> bool {
        self.countries.is_some()
    }

    /// The columns that hold identifiers and codes.
    #[must_use]
    pub fn code_columns(&self) -> Vec<&ColumnName> {
        let ColumnLayout { firm_id, region, country, hs8, trade_mode, .. } = &self.columns;
        let codes = [firm_id, region, country, hs8, trade_mode].into_iter();
        codes.flat_map(Column::names).collect()
    }

    fn checked(mut self, origin: &str) -> Result<Self, ProfileError> {
        self.countries.get_or_insert(CountryCodes::Any);
        self.trim.get_or_insert(true);
        self.check(origin)?;
        let mut profile = self.without_layouts();
        let mut last = None;
        for LaterLayout { from, changes } in &self.layout {
            let bad =
                |source| ProfileError::Layout { origin: origin.to_owned(), from: *from, source };
            if last.is_some_and(|last| last >= *from) {
                return Err(bad(BadLayout::Order));
            }
            last = Some(*from);
            profile = profile.changed(changes).map_err(bad)?;
            profile.check(&format!("{origin}, the layout from {}", String::from(*from)))?;
        }
        Ok(self)
    }

    /// Checks that months and flows have exactly one source.
    fn check_names(&self, origin: &str) -> Result<(), ProfileError> {
        let Self { file, period, columns, .. } = self;
        let needed = match (file.covers, file.pattern.n_dates()) {
            (Covers::Month, (1, 1))
            | (Covers::Range, (1, 1 | 2) | (2, 2))
            | (Covers::Year, (1, 0))
            | (Covers::Contents, _) => "",
            (Covers::Month, _) => "a year, as {YYYY}, and a month, as {MM}, exactly once each",
            (Covers::Range, _) => "a year and a month, or two, as {YYYY}{MM}-{MM}",
            (Covers::Year, _) => "a year, as {YYYY}, exactly once, and no month",
        };
        if !needed.is_empty() {
            let (origin, pattern) = (origin.to_owned(), file.pattern.clone());
            return Err(ProfileError::Pattern { origin, pattern, needed });
        }
        let has_months = !period.columns.is_empty();
        let has_flows = self.flow.export_value.is_some();
        let has_pair = period.year.is_some() && (period.month.is_some() != has_months);
        let is_named = period.from == Some(PeriodSource::Name);
        let has_column = !columns.period.is_nothing();
        let n_ways = [has_pair, is_named, has_column].iter().filter(|way| **way).count();
        let has_flow = file.pattern.has_flow();
        let n_flows = [has_flow, has_flows, !columns.flow.is_nothing()];
        let n_flows = n_flows.iter().filter(|way| **way).count();
        let n_values = [has_months, has_flows, !columns.value_usd.is_nothing()];
        let n_values = n_values.iter().filter(|way| **way).count();
        let problem = if has_flows != self.flow.import_value.is_some() {
            "[flow] export_value and import_value name two columns; give both"
        } else if n_values != 1 {
            "the value is in columns.value_usd, in [flow] export_value and import_value, or in \
             [period] columns; give one of them"
        } else if has_months && (has_column || period.month.is_some()) {
            "[period] columns has the months; the year is in [period] year or in the file's name"
        } else if has_months && file.covers == Covers::Month {
            "[period] columns needs files of several months; set [file] covers"
        } else if period.year.is_some() != period.month.is_some() && !has_months {
            "[period] year and month name two columns; give both"
        } else if n_ways != 1 {
            "the month comes from columns.period, from [period] year and month, or from \
             [period] from = \"name\"; give one of them"
        } else if is_named && !matches!(file.covers, Covers::Month | Covers::Year) {
            "[period] from = \"name\" needs files of a month or of a year; change [file] covers"
        } else if n_flows != 1 {
            "the flow comes from columns.flow, from {flow} in the file pattern, or from [flow] \
             export_value and import_value; give one of them"
        } else if file.pattern.has_folders() && !file.recursive {
            "a file pattern with folders needs [file] recursive = true"
        } else if self.revision == Revision::ReplacePeriods && file.covers == Covers::Month {
            "revision = \"replace-periods\" needs files of several months: set [file] covers"
        } else {
            return Ok(());
        };
        Err(ProfileError::Keys { origin: origin.to_owned(), problem })
    }

    fn check(&self, origin: &str) -> Result<(), ProfileError> {
        self.check_names(origin)?;
        let origin = || origin.to_owned();
        if self.flow.export.is_empty() && self.flow.export_value.is_none() {
            return Err(ProfileError::NoExportCode { origin: origin() });
        }
        if let Some(code) = self.flow.export.iter().find(|code| self.flow.import.contains(code)) {
            return Err(ProfileError::FlowCode { origin: origin(), code: code.clone() });
        }
        if self.exclusions.name_contains.iter().any(String::is_empty) {
            return Err(ProfileError::EmptyWord { origin: origin() });
        }
        if self.city == (CityRule::Prefix { digits: 0 }) {
            return Err(ProfileError::NoDigits { origin: origin() });
        }
        let mut fields = Field::ALL.into_iter();
        if let Some(field) = fields.find(|field| self.columns.of(*field).is_nowhere()) {
            return Err(ProfileError::NoColumn { origin: origin(), field: field.name() });
        }
        for (field, codes) in self.codes.by_field() {
            let field = field.name();
            if codes.pad.is_some() && codes.width.is_none() {
                return Err(ProfileError::NoWidth { origin: origin(), field });
            }
            if let Some(CodeMap::File(file)) = &codes.map {
                let problem = "only the profile in a file can name another one".to_owned();
                let (origin, file) = (origin(), file.clone());
                return Err(ProfileError::Map { origin, field, file, problem });
            }
        }
        match (self.value.decimal_mark, self.value.thousands) {
            (DecimalMark::Point, Some(Thousands::Point))
            | (DecimalMark::Comma, Some(Thousands::Comma)) => {
                Err(ProfileError::SameMark { origin: origin() })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
