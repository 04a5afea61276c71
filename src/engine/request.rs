//! The request of a feed on the disk: its layout and its reference tables.

use std::path::{Path, PathBuf};

use super::EngineError;
use super::open::{Request, profile_of_new_home};
use super::recorded::recorded_profile;
use crate::feed::profile::Profile;
use crate::feed::reference::{CITIES, COUNTRIES, FIRMS, GROUPS, REGIONS, TablesBeside};
use crate::feed::source::feed_profile;
use crate::home::options::Config;
use crate::home::{Home, HomeError};

impl Request {
    /// The request of a feed: its options, profile and reference tables. `--profile` takes
    /// precedence over the options' profile, and that over a `feed.toml`. Of each reference table
    /// the first one found counts.
    ///
    /// # Errors
    /// - [`EngineError::Profile`] if the layout cannot be read or is unknown.
    /// - [`EngineError::Places`] if a reference table exists but cannot be read.
    pub fn for_feed(
        feeds: &[PathBuf],
        profile: Option<&str>,
        config: Config,
        n_workers: usize,
    ) -> Result<Self, EngineError> {
        let profile = layout(feeds, profile.or(config.profile.as_deref()))?;
        let mut references = TablesBeside::default();
        for folder in folders(feeds) {
            references = references.or(TablesBeside::of(folder)?);
        }
        Ok(Self { config, profile, references, n_workers })
    }

    /// The layout that a new home would have.
    ///
    /// # Errors
    /// [`EngineError::Profile`] if it is unknown.
    pub fn layout_of_new_home(&self) -> Result<Profile, EngineError> {
        profile_of_new_home(self)
    }

    /// The layout for the search of files: the requested one, else the home's, else `canonical`.
    ///
    /// # Errors
    /// [`EngineError::Home`], [`EngineError::Settings`] if the home's layout cannot be read.
    pub fn layout(&self, home: &Path) -> Result<Profile, EngineError> {
        if let Some(profile) = &self.profile {
            return Ok(profile.clone());
        }
        let recorded = match Home::read(home) {
            Ok(home) => recorded_profile(&home)?,
            Err(HomeError::NoHome { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        match recorded {
            Some(profile) => Ok(profile),
            None => Ok(Profile::bundled("canonical")?),
        }
    }
}

fn layout(feeds: &[PathBuf], name: Option<&str>) -> Result<Option<Profile>, EngineError> {
    if let Some(name) = name {
        let path = Path::new(name);
        let is_file = path.extension().is_some_and(|extension| extension == "toml");
        let found = if is_file { Profile::from_file(path) } else { Profile::bundled(name) };
        return Ok(Some(found?));
    }
    for folder in folders(feeds) {
        if let Some(profile) = feed_profile(folder)? {
            return Ok(Some(profile));
        }
    }
    Ok(None)
}

/// The folder in which [`Request::for_feed`] looks for the profile and the reference tables.
pub fn tables_beside(feeds: &[PathBuf]) -> impl Iterator<Item = PathBuf> {
    let names = ["feed.toml", CITIES, REGIONS, COUNTRIES, FIRMS, GROUPS];
    folders(feeds).flat_map(move |folder| names.map(|name| folder.join(name)))
}

/// The folders of a feed: each given folder, and the folder of each given file.
fn folders(feeds: &[PathBuf]) -> impl Iterator<Item = &Path> {
    feeds.iter().map(|path| match path.parent() {
        Some(parent) if !path.is_dir() => parent,
        _ => path,
    })
}
