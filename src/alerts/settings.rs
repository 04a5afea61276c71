//! The file `alerts.toml`: rules and sinks, with the place of every error.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use super::alert::Alert;
use super::rule_text::{RuleText, check_limits, rules};
use super::rules::{Limits, Rule};
use super::sinks::{Sink, SinkText, sinks};
use crate::files;
use crate::files::trouble::remark;
use crate::toml_text::{self, TomlError, place};

/// The name of the file in the home.
pub const FILE: &str = "alerts.toml";

/// Rules and sinks.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The rules.
    pub rules: Vec<Rule>,
    /// The sinks.
    pub sinks: Vec<Sink>,
}

/// The reason why the file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AlertsFileError {
    /// It cannot be read.
    #[error("cannot read the rules in {}{}", path.display(), remark(path, source))]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// It is invalid.
    #[error("invalid rules in {}, {cause}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// The place, the cause, and what to do.
        cause: TomlError,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText {
    months_min: Option<u8>,
    n_min: Option<u64>,
    firms_min: Option<u64>,
    fdr: Option<f64>,
    #[serde(default)]
    rule: Vec<Spanned<RuleText>>,
    #[serde(default)]
    sink: Vec<Spanned<SinkText>>,
}

impl Settings {
    /// Reads a file.
    ///
    /// # Errors
    /// [`AlertsFileError`] if it cannot be read or is invalid.
    pub fn read(path: &Path) -> Result<Self, AlertsFileError> {
        let text = files::read_text(path)
            .map_err(|source| AlertsFileError::Read { path: path.to_owned(), source })?;
        Self::parse(&text, path.parent().unwrap_or(Path::new(".")))
            .map_err(|cause| AlertsFileError::Invalid { path: path.to_owned(), cause })
    }

    /// The settings of a home: those of a named file, or those in the home; `None` if the home has
    /// no file.
    ///
    /// # Errors
    /// Those of [`Settings::read`].
    pub fn find(given: Option<&Path>, home: &Path) -> Result<Option<Self>, AlertsFileError> {
        match given {
            Some(path) => Self::read(path).map(Some),
            None => match Self::read(&home.join(FILE)) {
                Err(AlertsFileError::Read { source, .. })
                    if source.kind() == io::ErrorKind::NotFound =>
                {
                    Ok(None)
                }
                found => found.map(Some),
            },
        }
    }

    /// The names of the sinks that get an alert.
    #[must_use]
    pub fn sinks_of(&self, alert: &Alert) -> Vec<String> {
        self.sinks.iter().filter(|sink| sink.gets(alert)).map(|sink| sink.name.clone()).collect()
    }

    /// Parses a text; files of secrets are relative to a folder.
    fn parse(text: &str, folder: &Path) -> Result<Self, TomlError> {
        let file: FileText = toml_text::read(text)?;
        let default = Limits::default();
        let limits = Limits {
            months_min: file.months_min.unwrap_or(default.months_min),
            n_min: file.n_min.unwrap_or(default.n_min),
            firms_min: file.firms_min.unwrap_or(default.firms_min),
            fdr: file.fdr.unwrap_or(default.fdr),
        };
        check_limits(limits).map_err(|cause| place(text, 0, cause))?;
        let rules = rules(file.rule, limits).map_err(|(at, cause)| place(text, at, cause))?;
        let has_rule = |name: &str| rules.iter().any(|rule| rule.name == name);
        let sinks = sinks(file.sink, folder, &has_rule);
        let sinks = sinks.map_err(|(at, cause)| place(text, at, cause))?;
        Ok(Self { rules, sinks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alerts::sinks::SinkKind;
    use crate::alerts::sinks::secret::Place;
    use crate::tables::meanings::Language;

    fn error(text: &str) -> String {
        Settings::parse(text, Path::new("/rules")).expect_err(text).to_string()
    }

    #[test]
    fn each_condition_is_a_rule_with_the_defaults_of_its_file() {
        let text = "n_min = 20
            [[rule]]
            name = 'a'
            by = 'country'
            level = { beyond = 0.05 }
            [[rule]]
            name = 'b'
            change = { beyond = 0.01 }
            [[rule]]
            name = 'c'
            table = 'effects'
            sign = {}
            [[rule]]
            name = 'd'
            by = 'city'
            span = 'month'
            figure = 'value_growth'
            n_min = 5
            z = {}
            [[rule]]
            name = 'e'
            breadth = { below = 0.3 }
            [[rule]]
            name = 'f'
            revision = { beyond = 0.02 }
            [[rule]]
            name = 'g'
            feed = { late_days = 20, refused = true, findings = ['late_share'] }
            [[rule]]
            name = 'h'
            stale = {}";
        let rules = Settings::parse(text, Path::new("/rules")).expect("eight rules").rules;
        let names: Vec<_> = rules.iter().map(|rule| rule.condition.name()).collect();
        let expected = ["level", "change", "sign", "z", "breadth", "revision", "feed", "stale"];
        assert_eq!(names, expected);
        assert_eq!(rules[0].limits, Limits { n_min: 20, ..Limits::default() });
        assert_eq!((rules[3].limits.n_min, rules[3].limits.firms_min), (5, 3));
    }

    #[test]
    fn the_example_in_the_document_is_valid() {
        let document = include_str!("../../OPERATIONS.md");
        let (_, rest) = document.split_once("## Alerts").expect("the chapter");
        let (_, rest) = rest.split_once("```toml\n").expect("the example");
        let (example, _) = rest.split_once("```").expect("its end");
        let settings = Settings::parse(example, Path::new("/rules")).expect("valid");
        assert_eq!((settings.rules.len(), settings.sinks.len()), (3, 2));
    }

    #[test]
    fn an_error_has_the_line_the_cause_and_what_to_do() {
        let two = "\n[[rule]]\nname = 'x'\nz = {}\nsign = {}\n";
        assert_eq!(
            error(two),
            "line 2, column 1: rule \"x\": it has 2 conditions; give one of level, change, sign, \
             z, breadth, revision, feed or stale"
        );
        let rule = |rest: &str| error(&format!("[[rule]]\nname = 'x'\n{rest}"));
        for (rest, expected) in [
            ("zz = {}", "line 3, column 1: unknown field `zz`"),
            ("z = { raise = 1, clear = 2 }", "clear is above raise; give a clear of at most"),
            ("z = {}\ntable = 'effects'", "reads the table series; leave out table"),
            ("z = {}\nfigure = 'grwth'", "there is no figure \"grwth\" for rules; give growth"),
            ("z = {}\nby = 'plant'", "there is no level \"plant\"; give one of city"),
            ("change = { beyond = 1 }\nby = 'nation'", "strict has no national total"),
            ("level = { beyond = -1 }", "beyond is -1; give a number above 0"),
            ("breadth = {}", "breadth has no share; give below, above or both"),
            ("stale = {}\nkeys = ['a']", "stale reads no figures; leave out keys"),
            ("feed = {}", "feed has no problem; give late_days"),
            ("sign = {}\nmodel = '3.4'", "model belongs to the table effects"),
            ("sign = {}\ntable = 'effects'\nmodel = '9.9'", "9.9"),
            ("z = {}\nfdr = 0", "fdr is out of range; give a number above 0"),
        ] {
            let found = rule(rest);
            assert!(found.contains(expected), "{rest}: {found}");
        }
        let twice = "[[rule]]\nname = 'x'\nz = {}\n[[rule]]\nname = 'x'\nsign = {}\n";
        assert!(error(twice).starts_with("line 4, column 1: two rules have the name \"x\""));
        assert!(error("fdr = 2").contains("fdr is out of range"));
    }

    #[test]
    fn a_sink_has_its_secrets_elsewhere_and_the_rules_that_exist() {
        let text = "[[rule]]
            name = 'a'
            sign = {}
            [[sink]]
            name = 'program'
            kind = 'webhook'
            url = 'https://a.example/hook'
            secret_file = 'hook.secret'
            [[sink]]
            name = '值班'
            kind = 'feishu'
            language = 'zh'
            url_env = 'FEISHU_URL'
            secret_env = 'FEISHU_SECRET'
            rules = ['a']
            [[sink]]
            name = 'mail'
            kind = 'mail'
            mail = { server = 'mail.example', from = 'a@a.example', to = ['b@a.example'] }";
        let sinks = Settings::parse(text, Path::new("/rules")).expect("three sinks").sinks;
        let SinkKind::Webhook { secret, .. } = &sinks[0].kind else { panic!("{sinks:?}") };
        assert_eq!(*secret, Place::File("/rules/hook.secret".into()));
        assert_eq!(sinks[1].language, Language::Chinese);
        let of_a = Alert { rule: "a".to_owned(), ..Alert::default() };
        assert!(sinks.iter().all(|sink| sink.gets(&of_a)));
        let of_b = Alert { rule: "b".to_owned(), ..Alert::default() };
        assert!(sinks[0].gets(&of_b) && !sinks[1].gets(&of_b));
        let sink = |rest: &str| error(&format!("\n[[sink]]\nname = 's'\n{rest}"));
        for (rest, expected) in [
            (
                "kind = 'pager'",
                "line 2, column 1: sink \"s\": there is no kind \"pager\"; give web",
            ),
            ("kind = 'wecom'\nurl = 'https://a.example/?key=k'", "address of a robot is a secret"),
            ("kind = 'wecom'", "give url_file or url_env"),
            ("kind = 'wecom'\nurl_env = 'U'\nsecret_env = 'S'", "wecom have no signature"),
            ("kind = 'webhook'\nurl = 'https://a.example/'", "signed; give secret_file or secret"),
            ("kind = 'webhook'\nsecret_env = 'S'", "a webhook needs url, url_file or url_env"),
            ("kind = 'webhook'\nurl = 'http://a.example/'\nsecret_env = 'S'", "write https://"),
            ("kind = 'webhook'\nsecret_env = 'S'\nsecret_file = 's'", "secret_env, not both"),
            ("kind = 'mail'", "needs `mail = { server, from, to }`"),
            ("kind = 'dingtalk'\nurl_env = 'U'\nrules = ['b']", "there is no rule \"b\""),
        ] {
            let found = sink(rest);
            assert!(found.contains(expected), "{rest}: {found}");
            assert!(!found.contains("key=k"), "{found}");
        }
    }
}
