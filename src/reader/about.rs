//! The origin of an exported table: vintage, definition of the figures, program, source.

use super::{Reader, ReaderError};
use crate::domain::types::Vintage;
use crate::home::definition::DefinitionTexts;

/// The paper with the definitions.
const SOURCE: &str = "Cross-regional information spillover and firm exports: evidence from \
                      Chinese multi-plant firms, The Journal of World Economy 2022(2)";
/// The digits of a hash that are shown.
const HASH_DIGITS: usize = 12;

impl Reader {
    /// Facts about a table, as name and value: the vintage (the newest one without a request), the
    /// publication, the definition of the figures, the reference tables by hash, and the program.
    ///
    /// # Errors
    /// [`ReaderError::Home`] if the manifest cannot be read.
    pub fn about(&self, asked: Option<Vintage>) -> Result<Vec<(String, String)>, ReaderError> {
        let (publication, newest) = self.publication()?;
        let fact = |name: &str, value: String| (name.to_owned(), value);
        let mut facts = vec![fact("vintage", asked.unwrap_or(newest).to_string())];
        facts.push(fact("newest_vintage", newest.to_string()));
        facts.push(fact("publication", publication.to_string()));
        if let Some(texts) = self.home.definition()? {
            facts.extend(of_definition(&texts));
        }
        let program = concat!(env!("CARGO_PKG_VERSION"), env!("SPILLOVER_COMMIT"));
        facts.push(fact("program", format!("spillover {program}")));
        facts.push(fact("source", SOURCE.to_owned()));
        Ok(facts)
    }
}

/// The choices and the profile of a definition, and the hashes of its texts.
fn of_definition(texts: &DefinitionTexts) -> Vec<(String, String)> {
    let mut facts = vec![("definition".to_owned(), hash(&texts.options))];
    let options: toml::Table = texts.options.parse().unwrap_or_default();
    for (name, value) in &options {
        let profile = || value.as_table()?.get("name")?.as_str();
        if let Some(text) = value.as_str().or_else(profile) {
            facts.push((format!("definition_{name}"), text.to_owned()));
        }
    }
    let tables = texts.references.iter();
    facts.extend(tables.map(|(name, text)| (format!("reference {name}"), hash(text))));
    facts
}

fn hash(text: &str) -> String {
    let hash = blake3::hash(text.as_bytes()).to_hex();
    format!("BLAKE3 {}", &hash[..HASH_DIGITS])
}
