//! The options file, `spillover.toml`.
//!
//! A home records options that define figures with the first file ([`super::definition`]). Options
//! of intake (`close`, `revision`, `max_rejected_share`) and of storage (`retention`) may change
//! from run to run.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::domain::choices::{Network, OwnPlants, Weights};
use crate::domain::finding::FindingKind;
use crate::domain::span::{BadJoint, Joint};
use crate::feed::later::FirstMonth;
use crate::feed::profile::{Exclusions, Revision};
use crate::files;
use crate::files::trouble::remark;
use crate::home::release::ReleaseTime;
use crate::toml_text::{self, TomlError};

/// The rule that closes a month.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Close {
    /// A file closes the month in its name when it has been read whole.
    #[default]
    File,
    /// The command `close YYYYMM` does.
    Explicit,
}

/// The published vintages to store. Readers recompute the others on request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "NumberOrText")]
pub enum Retention {
    /// All of them.
    #[default]
    All,
    /// Vintages at the close of a month, and the newest.
    MonthEnds,
    /// This number of newest vintages.
    Last(u32),
}

/// A value as TOML has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(i64),
    Text(String),
}

impl TryFrom<NumberOrText> for Retention {
    type Error = String;

    fn try_from(value: NumberOrText) -> Result<Self, String> {
        let given = match value {
            NumberOrText::Text(text) if text == "all" => return Ok(Self::All),
            NumberOrText::Text(text) if text == "month-ends" => return Ok(Self::MonthEnds),
            NumberOrText::Text(text) => format!("{text:?}"),
            NumberOrText::Number(n) => match u32::try_from(n) {
                Ok(n) if n > 0 => return Ok(Self::Last(n)),
                _ => n.to_string(),
            },
        };
        Err(format!(
            "retention is {given}; write \"all\", \"month-ends\", or the number of vintages to \
             store"
        ))
    }
}

/// The options file, `spillover.toml`: everything in it may be left out.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The feed profile, by name.
    pub profile: Option<String>,
    /// The rule that closes a month.
    pub close: Option<Close>,
    /// The treatment of another file for a month.
    pub revision: Option<Revision>,
    /// The share of a file's lines that may be rejected before the file is refused.
    pub max_rejected_share: Option<f64>,
    /// Months that may lose half of their records, or all, when their file comes again.
    pub allow_shrink: Option<Vec<FirstMonth>>,
    /// The treatment of findings.
    pub findings: Option<FindingConfig>,
    /// The records outside the study, in place of the profile's lists.
    pub exclusions: Option<ExclusionConfig>,
    /// The affiliate cities.
    pub network: Option<Network>,
    /// The treatment of own plants.
    pub own_plants: Option<OwnPlants>,
    /// The weights.
    pub weights: Option<Weights>,
    /// The firm-year file of `ln_supply`, relative to the options file.
    pub supply: Option<PathBuf>,
    /// The months that the span `month` shows together.
    pub joint: Option<Vec<u8>>,
    /// The hour in China until which `serve` and alerts hold a publication back.
    pub release_time: Option<ReleaseTime>,
    /// The published vintages that are stored.
    pub retention: Option<Retention>,
    /// The number of worker threads.
    pub workers: Option<usize>,
    /// The tables, or columns of them, that are estimated at closings.
    pub estimate: Option<Vec<String>>,
    /// The closings that estimate.
    pub reestimate: Option<ReestimateConfig>,
    /// The address of the database that the watcher keeps up to date.
    pub sink: Option<String>,
    /// The schema in that database.
    pub sink_schema: Option<String>,
}

/// The closings at which the option `estimate` is estimated.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReestimateConfig {
    /// The closings.
    #[serde(default)]
    pub when: ReestimateWhen,
}

/// The closings that estimate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReestimateWhen {
    /// The close of a year.
    #[default]
    Year,
    /// The close of each month; that of December is the close of the year.
    Month,
}

/// The treatment of findings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FindingConfig {
    /// The findings that refuse a file.
    #[serde(default)]
    pub refuse: Vec<FindingKind>,
}

/// Lists that replace those of the profile; a list left out stays the profile's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExclusionConfig {
    /// Partner countries.
    pub countries: Option<Vec<String>>,
    /// Words in a firm's name.
    pub name_contains: Option<Vec<String>>,
}

/// Options that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The options file cannot be read.
    #[error("cannot read the options in {}{}", path.display(), remark(path, source))]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// The options file is invalid.
    #[error("invalid options file {}", path.display())]
    Parse {
        /// The file.
        path: PathBuf,
        /// The place and the cause.
        source: TomlError,
    },
    /// An invalid share.
    #[error("max_rejected_share is {share}; give a number from 0 to 1")]
    Share {
        /// The given value.
        share: f64,
    },
    /// Months that cannot be joint.
    #[error(transparent)]
    Joint(#[from] BadJoint),
    /// No worker, or more than a machine has use for.
    #[error("{n_workers} workers; give a number from 1 to {}", WORKERS_MAX)]
    Workers {
        /// The number of workers.
        n_workers: usize,
    },
    /// The home was made under another choice.
    #[error(
        "{option} is {asked} here, but the home's figures were made with {recorded}; leave the \
         option out, `rebuild` the home, or name another home with --data"
    )]
    Differs {
        /// The option.
        option: &'static str,
        /// The value of this run.
        asked: String,
        /// The recorded value.
        recorded: String,
    },
    /// A profile reads lines otherwise than the recorded one.
    #[error(
        "{key} in the profile is {asked} here, but the home's lines were read with {recorded}; \
         only names at the end of a list of columns, later layouts, entries of maps, flow codes \
         and missing values can be added; ingest the feed into another home with --data"
    )]
    ProfileDiffers {
        /// The key.
        key: String,
        /// The value that this run asks for.
        asked: String,
        /// The recorded value.
        recorded: String,
    },
    /// A rebuild was asked for another layout.
    #[error(
        "the home was read with the profile {recorded}, and a rebuild cannot read its lines again \
         with {asked}: the home holds records, not files; ingest the feed into another \
         home with --data"
    )]
    Profile {
        /// The requested profile.
        asked: String,
        /// The value with which the home was read.
        recorded: String,
    },
    /// The manifest's record of the options is damaged.
    #[error("the home's record of its options cannot be read; run `verify`")]
    Recorded(#[source] TomlError),
}

/// The most workers that may be asked for.
pub const WORKERS_MAX: usize = 256;

impl Config {
    /// Reads an options file.
    ///
    /// # Errors
    /// - [`SettingsError::Read`] if it cannot be read.
    /// - [`SettingsError::Parse`] if it holds something else than options.
    /// - [`SettingsError::Share`], [`SettingsError::Workers`] if a number is out of range.
    pub fn from_file(path: &Path) -> Result<Self, SettingsError> {
        let text = files::read_text(path)
            .map_err(|source| SettingsError::Read { path: path.to_owned(), source })?;
        let mut config: Self = toml_text::read(&text)
            .map_err(|source| SettingsError::Parse { path: path.to_owned(), source })?;
        if let Some(share) = config.max_rejected_share.filter(|share| !(0.0..=1.0).contains(share))
        {
            return Err(SettingsError::Share { share });
        }
        if let Some(n_workers) = config.workers {
            check_workers(n_workers)?;
        }
        config.joint_months()?;
        if let (Some(supply), Some(folder)) = (&mut config.supply, path.parent()) {
            *supply = folder.join(&supply);
        }
        Ok(config)
    }

    /// The options of a home: those of the file given, else those in the home, else none.
    ///
    /// # Errors
    /// As for [`Config::from_file`]; a missing file in the home is none.
    pub fn find(given: Option<&Path>, home: &Path) -> Result<Self, SettingsError> {
        match given {
            Some(path) => Self::from_file(path),
            None => match Self::from_file(&home.join("spillover.toml")) {
                // A home that is no folder is for the manifest to name: it knows what to do about
                // it.
                Err(SettingsError::Read { source, .. })
                    if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
                {
                    Ok(Self::default())
                }
                found => found,
            },
        }
    }
}

/// Checks a number of workers.
///
/// # Errors
/// [`SettingsError::Workers`] if it is 0 or above [`WORKERS_MAX`].
pub fn check_workers(n_workers: usize) -> Result<(), SettingsError> {
    let valid = (1..=WORKERS_MAX).contains(&n_workers);
    valid.then_some(()).ok_or(SettingsError::Workers { n_workers })
}

impl Config {
    /// The findings that refuse a file.
    #[must_use]
    pub fn refused_findings(&self) -> &[FindingKind] {
        self.findings.as_ref().map_or(&[], |findings| &findings.refuse)
    }

    /// The closings that estimate.
    #[must_use]
    pub fn reestimate_when(&self) -> ReestimateWhen {
        self.reestimate.as_ref().map_or(ReestimateWhen::default(), |of| of.when)
    }

    /// The months that the span `month` shows together: January and February unless the option says
    /// otherwise.
    ///
    /// # Errors
    /// [`SettingsError::Joint`] if they do not follow each other.
    pub fn joint_months(&self) -> Result<Joint, SettingsError> {
        Ok(self.joint.as_deref().map_or(Ok(Joint::default()), Joint::of)?)
    }

    /// The lists of exclusions: those given here, and of the others those of the profile.
    #[must_use]
    pub fn exclusions(&self, lists: Exclusions) -> Exclusions {
        let given = self.exclusions.clone().unwrap_or_default();
        Exclusions {
            countries: given.countries.unwrap_or(lists.countries),
            name_contains: given.name_contains.unwrap_or(lists.name_contains),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retention_is_all_month_ends_or_a_number_of_vintages() {
        let retention = |value: &str| {
            toml::from_str::<Config>(&format!("retention = {value}")).map(|config| config.retention)
        };
        for (value, expected) in [
            ("\"all\"", Retention::All),
            ("\"month-ends\"", Retention::MonthEnds),
            ("12", Retention::Last(12)),
        ] {
            assert_eq!(retention(value).expect("valid"), Some(expected), "{value}");
        }
        for value in ["0", "-1", "\"12\"", "\"none\"", "1.5", "true"] {
            assert!(retention(value).is_err(), "{value}");
        }
        let error = retention("\"years\"").expect_err("no such").to_string();
        assert!(error.contains("retention is \"years\"; write \"all\""), "{error}");
    }

    #[test]
    fn estimates_are_made_at_the_close_of_a_year_or_of_a_month() {
        let when = |text: &str| toml::from_str(text).map(|config: Config| config.reestimate_when());
        assert_eq!(when("").expect("valid"), ReestimateWhen::Year);
        assert_eq!(when("[reestimate]").expect("valid"), ReestimateWhen::Year);
        assert_eq!(when("[reestimate]\nwhen = \"month\"").expect("valid"), ReestimateWhen::Month);
        when("[reestimate]\nwhen = \"week\"").expect_err("no such closing");
    }

    #[test]
    fn an_unknown_option_is_refused() {
        assert!(toml::from_str::<Config>("netwrok = \"active\"").is_err());
    }
}
