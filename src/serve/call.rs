//! A request as a handler sees it.

use std::sync::Arc;

use super::edition::Edition;
use super::format::Format;
use super::problem::Problem;
use super::query::{AsOf, Query};
use crate::domain::types::Vintage;
use crate::reader::Reader;
use crate::reader::chosen::WithNames;
use crate::reader::names::{Language, NameError, Names, PlaceKind};

/// A request as a handler sees it.
#[derive(Clone, Debug)]
pub struct Call {
    /// The publication.
    pub edition: Arc<Edition>,
    /// The path without its suffix.
    pub path: String,
    /// The segments of the path that the route names, in order.
    pub segments: Vec<String>,
    /// The parameters.
    pub query: Query,
    /// The format of the answer.
    pub format: Format,
    /// The media types that the client accepts, as sent.
    pub accept: String,
    /// The language of labels.
    pub language: Language,
}

impl Call {
    /// A named segment of the path.
    ///
    /// # Panics
    /// If the route does not have the segment: a defect.
    #[must_use]
    pub fn segment(&self, at: usize) -> &str {
        &self.segments[at]
    }

    /// The requested vintage; `None` for the newest one.
    ///
    /// # Errors
    /// A [`Problem`] if there is no such vintage or date.
    pub fn as_of(&self, reader: &Reader) -> Result<Option<Vintage>, Problem> {
        let asked = match self.query.value("as_of")? {
            None => return Ok(None),
            Some(AsOf::Vintage(vintage)) => vintage,
            Some(AsOf::Day(day)) => reader.vintage_on(day)?,
        };
        reader.check_vintage(Some(asked))?;
        // The newest vintage has its answer in the newest tables.
        Ok(Some(asked).filter(|asked| asked.0 != self.edition.vintage))
    }

    /// The vintage of the answer.
    #[must_use]
    pub fn vintage(&self, as_of: Option<Vintage>) -> u32 {
        as_of.map_or(self.edition.vintage, |vintage| vintage.0)
    }

    /// The names to add to codes, if requested.
    ///
    /// # Errors
    /// A [`Problem`] for another language, or if the names cannot be read.
    pub fn with_names(
        &self,
        reader: &Reader,
        has_firms: bool,
    ) -> Result<Option<WithNames>, Problem> {
        let language = match self.query.text("names") {
            None => return Ok(None),
            Some("zh") => Language::Chinese,
            Some("en") => Language::English,
            Some(_) => return Err(Problem::parameter("names", "write zh or en")),
        };
        let names = Names::clone(&*self.names(reader, has_firms)?);
        Ok(Some(WithNames { names, language }))
    }

    fn names(&self, reader: &Reader, has_firms: bool) -> Result<Arc<Names>, Problem> {
        if has_firms {
            return Ok(self.edition.names_with_firms(reader)?);
        }
        Ok(Arc::clone(&self.edition.names))
    }

    /// The code of a text: a code or a name.
    ///
    /// # Errors
    /// A [`Problem`] if it is neither, or the name of several.
    pub fn code(&self, reader: &Reader, kind: PlaceKind, asked: &str) -> Result<String, Problem> {
        match self.names(reader, kind == PlaceKind::Firm)?.code(kind, asked) {
            // A firm of an earlier vintage may have no counted record now.
            Err(NameError::NoPlace(none)) if kind == PlaceKind::Firm && none.near.is_empty() => {
                Ok(asked.to_owned())
            }
            found => Ok(found?),
        }
    }

    /// The codes of a list of texts.
    ///
    /// # Errors
    /// A [`Problem`] if one is neither a code nor a name.
    pub fn codes(
        &self,
        reader: &Reader,
        name: &str,
        kind: PlaceKind,
    ) -> Result<Vec<String>, Problem> {
        let texts = self.query.list::<String>(name)?;
        texts.iter().map(|text| self.code(reader, kind, text)).collect()
    }
}
