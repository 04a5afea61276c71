//! A proposed profile: its lines with their reasons, and open questions.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use toml::Value;

use crate::feed::profile::{Profile, ProfileError};
use crate::feed::source::FeedFile;

/// Answers by key, such as `columns.value_usd`.
pub type Answers = BTreeMap<String, Value>;

/// A line of a profile, with the reason for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The section; empty for keys before the first section.
    pub section: &'static str,
    /// The key.
    pub key: String,
    /// The value.
    pub value: Value,
    /// The reason.
    pub why: String,
}

/// A question about an ambiguous key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The key that answers it.
    pub key: String,
    /// The question.
    pub text: String,
    /// Likely answers.
    pub choices: Vec<String>,
}

/// A proposed profile, possibly incomplete.
#[derive(Debug, Default)]
pub struct Proposal {
    /// The proposed lines.
    pub entries: Vec<Entry>,
    /// The open questions.
    pub questions: Vec<Question>,
    /// The file that the proposal is based on.
    pub sample: Option<FeedFile>,
    /// Files that the pattern does not match.
    pub others: Vec<String>,
}

/// The order of sections in a profile.
const SECTIONS: [&str; 8] =
    ["", "file", "columns", "period", "flow", "city", "value", "exclusions"];

impl Proposal {
    /// Adds a line.
    pub(super) fn set(
        &mut self,
        section: &'static str,
        key: &str,
        value: impl Into<Value>,
        why: &str,
    ) {
        let (key, value, why) = (key.to_owned(), value.into(), why.to_owned());
        self.entries.retain(|entry| entry.section != section || entry.key != key);
        self.entries.push(Entry { section, key, value, why });
    }

    /// Adds a question.
    pub(super) fn ask(&mut self, key: &str, text: &str, choices: &[String]) {
        let (key, text, choices) = (key.to_owned(), text.to_owned(), choices.to_vec());
        self.questions.push(Question { key, text, choices });
    }

    /// Replaces proposed values by answers, and removes the answered questions.
    pub(super) fn answered(mut self, answers: &Answers) -> Self {
        self.questions.retain(|question| !answers.contains_key(&question.key));
        for (key, value) in answers {
            let (section, name) = key.split_once('.').unwrap_or(("", key));
            let known = SECTIONS.into_iter().find(|of| *of == section);
            // A key of another section is written with dots before the first section.
            let (section, name) = known.map_or(("", key.as_str()), |section| (section, name));
            self.set(section, name, value.clone(), "as answered");
        }
        self.entries.retain(|of| of.key != "thousands" || of.value.as_str() != Some("none"));
        if self.entries.iter().any(|of| of.section == "period" && of.key == "from") {
            self.entries.retain(|of| of.section != "columns" || of.key != "period");
        }
        let order = |entry: &Entry| SECTIONS.iter().position(|of| *of == entry.section);
        self.entries.sort_by_key(order);
        self
    }

    /// The text of the profile, with the reason for each line; open questions are comments.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = "# Proposed by `spillover init`; docs/FEEDS.md has every key.\n".to_owned();
        let mut section = "";
        for Entry { section: of, key, value, why } in &self.entries {
            if *of != section {
                write!(text, "\n[{of}]\n").expect("a text takes more");
                section = of;
            }
            writeln!(text, "{key} = {value} # {why}").expect("a text takes more");
        }
        for Question { key, text: question, .. } in &self.questions {
            write!(text, "\n# {key} = ? {question}").expect("a text takes more");
        }
        text
    }

    /// The profile, once no question is open.
    ///
    /// # Errors
    /// [`ProfileError`] if the answers make an invalid profile.
    pub fn profile(&self) -> Result<Profile, ProfileError> {
        Profile::from_toml(&self.text(), "the proposed profile")
    }
}
