//! How a feed is written: a profile says in TOML what the files are called, how their bytes become
//! text, which column holds what, and which records are outside the study.
//!
//! A layout is described here and never in code: the stages downstream see records only.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use super::layout::*;
use crate::files;
use crate::files::trouble::remark;
use crate::toml_text::{self, TomlError};

/// The layout of a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What it is called in messages and in the record of the options.
    pub name: String,
    /// What to do with another file for a month that has one.
    #[serde(default)]
    pub revision: Revision,
    /// Which country codes there are where no table of them is beside the feed.
    ///
    /// None only in the record of a home that was made before codes were checked. Its lines keep
    /// the reading that they had: no code has lost digits, and tables beside the feed count only
    /// where a `cities.csv` is among them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub countries: Option<CountryCodes>,
    /// From files to text.
    pub file: FileLayout,
    /// From text to fields.
    pub columns: ColumnLayout,
    /// How the month is written.
    pub period: PeriodLayout,
    /// How the flow is written.
    pub flow: FlowCodes,
    /// How a region names its city.
    pub city: CityRule,
    /// How the value is written.
    pub value: ValueLayout,
    /// Which valid records are outside the study.
    #[serde(default)]
    pub exclusions: Exclusions,
}

/// A profile that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file is there but cannot be read.
    #[error("cannot read the feed profile {}{}", path.display(), remark(path, source))]
    Io {
        /// The profile's file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Not TOML, or not a profile's fields.
    #[error("{origin} is not a feed profile; compare it with a shipped one")]
    Toml {
        /// Where the text came from.
        origin: String,
        /// Where in the text, and why.
        source: TomlError,
    },
    /// No profile of this name is shipped.
    #[error(
        "there is no profile \"{name}\"; shipped are {}",
        Profile::BUNDLED.map(|(name, _)| name).join(", ")
    )]
    UnknownName {
        /// The name asked for.
        name: String,
    },
    /// A list of flow codes is empty.
    #[error("{origin}: no code for exports; give [flow] export at least one")]
    NoExportCode {
        /// Where the text came from.
        origin: String,
    },
    /// A code stands for both flows.
    #[error("{origin}: flow code \"{code}\" is an export and an import; keep it in one list")]
    FlowCode {
        /// Where the text came from.
        origin: String,
        /// The code.
        code: String,
    },
    /// An empty word is part of every name.
    #[error("{origin}: an empty word in exclusions.name_contains would exclude every firm")]
    EmptyWord {
        /// Where the text came from.
        origin: String,
    },
    /// A city's code of no digits.
    #[error("{origin}: a city of 0 digits is none; set [city] digits to 1 or more")]
    NoDigits {
        /// Where the text came from.
        origin: String,
    },
}

impl Profile {
    /// The profiles that are shipped, by name.
    const BUNDLED: [(&'static str, &'static str); 3] = [
        ("canonical", include_str!("../../streams/profiles/canonical.toml")),
        ("ccts", include_str!("../../streams/profiles/ccts.toml")),
        (
            "comexstat-municipality",
            include_str!("../../streams/profiles/comexstat-municipality.toml"),
        ),
    ];

    /// The names of the profiles that are shipped.
    pub fn bundled_names() -> impl Iterator<Item = &'static str> {
        Self::BUNDLED.iter().map(|(name, _)| *name)
    }

    /// A profile that is shipped.
    ///
    /// # Errors
    /// [`ProfileError::UnknownName`] if there is none of this name.
    pub fn bundled(name: &str) -> Result<Self, ProfileError> {
        let found = Self::BUNDLED.iter().find(|(bundled, _)| *bundled == name);
        let (name, text) =
            found.ok_or_else(|| ProfileError::UnknownName { name: name.to_owned() })?;
        Self::from_toml(text, name)
    }

    /// The profile that a TOML text describes; `origin` says in messages where the text came from.
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
        Self::from_toml(&text, &path.display().to_string())
    }

    /// Whether codes are looked at for lost digits.
    #[must_use]
    pub fn checks_codes(&self) -> bool {
        self.countries.is_some()
    }

    fn checked(mut self, origin: &str) -> Result<Self, ProfileError> {
        self.countries.get_or_insert(CountryCodes::Any);
        let origin = origin.to_owned();
        if self.flow.export.is_empty() {
            return Err(ProfileError::NoExportCode { origin });
        }
        if let Some(code) = self.flow.export.iter().find(|code| self.flow.import.contains(code)) {
            return Err(ProfileError::FlowCode { origin, code: code.clone() });
        }
        if self.exclusions.name_contains.iter().any(String::is_empty) {
            return Err(ProfileError::EmptyWord { origin });
        }
        if self.city == (CityRule::Prefix { digits: 0 }) {
            return Err(ProfileError::NoDigits { origin });
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests;
