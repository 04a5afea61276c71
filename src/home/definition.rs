//! The definition of a home's figures: the choices of the paper, the feed's layout, and the
//! reference tables.
//!
//! A home records its definition with the first file, as texts. The engine refuses a later run with
//! another definition and shows the difference; `rebuild` records another one.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::additions::only_additions;
use super::options::{Config, SettingsError};
use crate::domain::choices::{Choices, Network, OwnPlants, Weights};
use crate::domain::geography::Geography;
use crate::feed::groups::Groups;
use crate::feed::places::Places;
use crate::feed::profile::{CountryCodes, Exclusions, Profile, Revision};
use crate::feed::reference::{
    CITIES, COUNTRIES, FIRMS, GROUPS, PlacesError, REGIONS, ReferenceTexts,
};
use crate::feed::successions::Successions;
use crate::feed::supply::{Supply, SupplyError};
use crate::toml_text;

/// The recorded name of the firm-year file.
pub const SUPPLY: &str = "supply.csv";

/// The definition of a home's figures.
#[derive(Clone, Debug)]
pub struct Definition {
    /// The choices that the paper leaves open.
    pub choices: Choices,
    /// The layout of the feed, with its exclusions.
    pub profile: Profile,
    /// The codes of cities, regions and countries.
    pub places: Arc<Places>,
    /// Areas and provinces.
    pub geography: Arc<Geography>,
    /// Renumbered firms.
    pub successions: Arc<Successions>,
    /// The firm-year file, if there is one.
    pub supply: Option<Arc<Supply>>,
    /// The user's groups of cities and destinations, for the table `series`.
    pub groups: Arc<Groups>,
    /// The definition in the form that the manifest records.
    pub texts: DefinitionTexts,
}

/// A definition in the form that the manifest records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DefinitionTexts {
    /// The options that define figures, as TOML.
    pub options: String,
    /// The name and text of each reference table.
    pub references: Vec<(String, String)>,
}

/// The reason why a definition cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// The options.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The reference tables.
    #[error(transparent)]
    Places(#[from] PlacesError),
    /// The firm-year file.
    #[error("{} cannot be used", path.display())]
    Supply {
        /// The file.
        path: PathBuf,
        /// The line and the problem.
        source: SupplyError,
    },
}

/// The options that define figures, with the keys of the options file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RecordedOptions {
    network: Network,
    own_plants: OwnPlants,
    weights: Weights,
    profile: Profile,
}

impl DefinitionTexts {
    /// The texts of a definition.
    ///
    /// # Panics
    /// Never: the options are plain TOML.
    #[must_use]
    pub fn new(choices: Choices, profile: Profile, references: Vec<(String, String)>) -> Self {
        let Choices { network, own_plants, weights } = choices;
        let options = RecordedOptions { network, own_plants, weights, profile };
        Self { options: toml::to_string(&options).expect("options are plain TOML"), references }
    }

    /// The choices and the layout.
    ///
    /// # Errors
    /// [`SettingsError::Recorded`] if the text is not a record of options.
    pub fn options(&self) -> Result<(Choices, Profile), SettingsError> {
        let RecordedOptions { network, own_plants, weights, profile } =
            toml_text::read(&self.options).map_err(SettingsError::Recorded)?;
        Ok((Choices { network, own_plants, weights }, profile))
    }

    /// The text of a reference table.
    #[must_use]
    pub fn reference(&self, name: &str) -> Option<&str> {
        let found = self.references.iter().find(|(table, _)| table == name);
        found.map(|(_, text)| text.as_str())
    }
}

impl Definition {
    /// Reads recorded texts.
    ///
    /// # Errors
    /// [`DefinitionError`] if they are not options, or a table cannot be used.
    pub fn read(texts: DefinitionTexts) -> Result<Self, DefinitionError> {
        let (choices, profile) = texts.options()?;
        let table = |name| texts.reference(name).map(str::to_owned);
        let places = Places::parse(&ReferenceTexts {
            cities: table(CITIES).unwrap_or_default(),
            regions: table(REGIONS),
            countries: table(COUNTRIES),
            firms: table(FIRMS),
        })?;
        let successions = texts.reference(FIRMS).map(Successions::parse).transpose()?;
        let successions = Arc::new(successions.unwrap_or_default());
        let unusable = |source| DefinitionError::Supply { path: PathBuf::from(SUPPLY), source };
        let supply = texts.reference(SUPPLY).map(Supply::parse).transpose().map_err(unusable)?;
        let supply = supply.map(|mut supply| {
            supply.carry_over(&successions);
            Arc::new(supply)
        });
        let geography = Geography::new(
            places.cities().map(|city| (places.province(city), places.area_m2(city))),
        );
        let groups = texts.reference(GROUPS).map(|text| Groups::parse(text, &places));
        let groups = Arc::new(groups.transpose()?.unwrap_or_default());
        let (places, geography) = (Arc::new(places), Arc::new(geography));
        Ok(Self { choices, profile, places, geography, successions, supply, groups, texts })
    }

    /// The choices and the layout of a new home.
    #[must_use]
    pub fn of_new_home(config: &Config, profile: Profile) -> (Choices, Profile) {
        Self::chosen(config, Choices::default(), profile)
    }

    /// The choices and the layout that a rebuild under other options records; missing options keep
    /// their values.
    ///
    /// # Errors
    /// [`SettingsError::Profile`] if the options ask for another profile: a rebuild does not read
    /// the lines again.
    pub fn rebuilt(&self, config: &Config) -> Result<(Choices, Profile), SettingsError> {
        if let Some(asked) = config.profile.as_ref().filter(|name| **name != self.profile.name) {
            let (asked, recorded) = (asked.clone(), self.profile.name.clone());
            return Err(SettingsError::Profile { asked, recorded });
        }
        Ok(Self::chosen(config, self.choices, self.profile.clone()))
    }

    fn chosen(config: &Config, before: Choices, mut profile: Profile) -> (Choices, Profile) {
        profile.exclusions = config.exclusions(profile.exclusions);
        let choices = Choices {
            network: config.network.unwrap_or(before.network),
            own_plants: config.own_plants.unwrap_or(before.own_plants),
            weights: config.weights.unwrap_or(before.weights),
        };
        (choices, profile)
    }

    /// Checks that the options of a run agree with the recorded ones; missing options agree. A
    /// profile may only add what profiles can add. Returns the profile with its additions.
    ///
    /// # Errors
    /// [`SettingsError::Differs`], [`SettingsError::ProfileDiffers`] with the first difference.
    pub fn check(
        &self,
        config: &Config,
        profile: Option<&Profile>,
    ) -> Result<Option<Profile>, SettingsError> {
        same("network", config.network.as_ref(), &self.choices.network)?;
        same("own_plants", config.own_plants.as_ref(), &self.choices.own_plants)?;
        same("weights", config.weights.as_ref(), &self.choices.weights)?;
        let lists = &self.profile.exclusions;
        if config.exclusions.is_some() {
            same("exclusions", Some(&config.exclusions(lists.clone())), lists)?;
        }
        if let Some(profile) = profile {
            let layout = |profile: &Profile| Profile {
                exclusions: Exclusions::default(),
                revision: Revision::default(),
                countries: None,
                // A home from before the option `trim` reads its texts as before.
                trim: profile.trim.filter(|_| self.profile.trim.is_some()),
                maps: Vec::new(),
                ..profile.clone()
            };
            same("profile", Some(&profile.name), &self.profile.name)?;
            self.check_countries(profile)?;
            let (asked, recorded) = (layout(profile), layout(&self.profile));
            if asked != recorded {
                let differs =
                    |(key, recorded, asked)| SettingsError::ProfileDiffers { key, asked, recorded };
                only_additions(&recorded, &asked).map_err(differs)?;
                let Profile { exclusions, revision, countries, trim, .. } = self.profile.clone();
                return Ok(Some(Profile { revision, countries, trim, exclusions, ..asked }));
            }
        }
        Ok(None)
    }

    /// Checks that a profile does not ask for other country codes. A home from before the check of
    /// codes accepts any, even if a shipped profile has changed.
    fn check_countries(&self, profile: &Profile) -> Result<(), SettingsError> {
        let is_shipped =
            || Profile::bundled(&profile.name).is_ok_and(|shipped| shipped == *profile);
        match self.profile.countries {
            None if profile.countries == Some(CountryCodes::Any) || is_shipped() => Ok(()),
            None => same("countries", profile.countries.as_ref(), &CountryCodes::Any),
            Some(recorded) => same("countries", profile.countries.as_ref(), &recorded),
        }
    }
}

fn same<T: PartialEq + Serialize>(
    option: &'static str,
    asked: Option<&T>,
    recorded: &T,
) -> Result<(), SettingsError> {
    let in_toml = |value: &T| {
        let value = toml::Value::try_from(value);
        value.map_or_else(|_| String::new(), |value| value.to_string())
    };
    match asked {
        Some(asked) if asked != recorded => Err(SettingsError::Differs {
            option,
            asked: in_toml(asked),
            recorded: in_toml(recorded),
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::reference::TablesBeside;

    fn canonical() -> Profile {
        Profile::bundled("canonical").expect("a shipped profile")
    }

    fn config(text: &str) -> Config {
        toml::from_str(text).expect("valid options")
    }

    fn new_home(config: &Config) -> Definition {
        let (choices, profile) = Definition::of_new_home(config, canonical());
        let tables = ReferenceTexts::of(TablesBeside::default(), &profile);
        let references = tables.named().map(|(name, text)| (name.to_owned(), text.to_owned()));
        let texts = DefinitionTexts::new(choices, profile, references.collect());
        Definition::read(texts).expect("the bundled tables")
    }

    #[test]
    fn a_definition_survives_the_manifest() {
        let definition = new_home(&config("network = \"active\""));
        let again = DefinitionTexts::new(
            definition.choices,
            definition.profile.clone(),
            definition.texts.references.clone(),
        );
        assert_eq!(definition.choices.network, Network::Active);
        assert_eq!(again, definition.texts);
    }

    #[test]
    fn what_a_run_leaves_out_it_does_not_ask_for() {
        let definition = new_home(&config("own_plants = \"exclude\""));
        definition.check(&Config::default(), None).expect("nothing asked");
        let same = config("own_plants = \"exclude\"");
        definition.check(&same, Some(&canonical())).expect("the same");
    }

    #[test]
    fn a_difference_is_named_with_both_values() {
        let definition = new_home(&Config::default());
        let error = definition.check(&config("weights = \"destination\""), None);
        let text = error.expect_err("other weights").to_string();
        assert!(text.starts_with("weights is \"destination\" here"), "{text}");
        assert!(text.contains("made with \"total\""), "{text}");
        let other = Profile::bundled("ccts").expect("a shipped profile");
        let error = definition.check(&Config::default(), Some(&other)).expect_err("other profile");
        assert!(error.to_string().contains("\"ccts\""), "{error}");
    }

    #[test]
    fn a_home_of_before_codes_were_checked_keeps_its_reading_under_the_shipped_profile() {
        let new = new_home(&Config::default());
        let mut texts = new.texts.clone();
        texts.options = texts.options.replace("countries = \"customs\"\n", "");
        texts.options = texts.options.replace("trim = true\n", "");
        assert!(texts != new.texts);
        let old = Definition::read(texts.clone()).expect("a definition of before");
        assert_eq!((old.profile.countries, old.profile.trim), (None, None));
        let again = DefinitionTexts::new(old.choices, old.profile.clone(), texts.references);
        assert_eq!(again.options, texts.options);
        let with = |countries| Profile { countries, ..canonical() };
        let any = with(Some(CountryCodes::Any));
        old.check(&Config::default(), Some(&canonical())).expect("the shipped one");
        old.check(&Config::default(), Some(&any)).expect("any code");
        let mut own = canonical();
        own.exclusions.countries.clear();
        let error = old.check(&Config::default(), Some(&own)).expect_err("codes of its own");
        assert!(error.to_string().starts_with("countries is \"customs\" here"), "{error}");
        let error = new.check(&Config::default(), Some(&any)).expect_err("other codes");
        assert!(error.to_string().contains("made with \"customs\""), "{error}");
    }
}
