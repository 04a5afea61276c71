//! A sink, and its text in `alerts.toml`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use super::http;
use super::mail_text::{MailText, MailTls};
use super::robot::Robot;
use super::secret::Place;
use crate::alerts::alert::Alert;
use crate::alerts::rule_text::Cause;
use crate::tables::meanings::Language;

/// A sink.
#[derive(Clone, Debug, PartialEq)]
pub struct Sink {
    /// The name, unique in its file.
    pub name: String,
    /// The language of its messages.
    pub language: Language,
    /// The rules whose alerts it gets; all of them without a list.
    pub rules: Option<BTreeSet<String>>,
    /// The kind, with its addresses.
    pub kind: SinkKind,
}

/// The kind of a sink.
#[derive(Clone, Debug, PartialEq)]
pub enum SinkKind {
    /// A program that gets JSON, signed.
    Webhook {
        /// The address.
        url: Url,
        /// The secret of the signature.
        secret: Place,
    },
    /// A robot of a chat. Its address is a secret.
    Robot {
        /// The service.
        robot: Robot,
        /// The address.
        url: Place,
        /// The secret of the signature, if the robot has one.
        secret: Option<Place>,
    },
    /// E-mail.
    Mail(MailText),
}

/// The address of a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Url {
    /// In the file of rules.
    Plain(String),
    /// Elsewhere.
    Secret(Place),
}

/// A sink as text has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SinkText {
    name: String,
    kind: String,
    #[serde(default)]
    language: LanguageText,
    rules: Option<BTreeSet<String>>,
    url: Option<String>,
    url_file: Option<PathBuf>,
    url_env: Option<String>,
    secret_file: Option<PathBuf>,
    secret_env: Option<String>,
    mail: Option<MailText>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LanguageText {
    Zh,
    #[default]
    En,
}

impl Sink {
    /// True if the sink gets an alert.
    #[must_use]
    pub fn gets(&self, alert: &Alert) -> bool {
        self.rules.as_ref().is_none_or(|rules| rules.contains(&alert.rule))
    }

    /// The largest size of a text, in bytes.
    #[must_use]
    pub fn bytes_max(&self) -> usize {
        match &self.kind {
            SinkKind::Robot { robot, .. } => robot.bytes_max(),
            SinkKind::Webhook { .. } | SinkKind::Mail(_) => 256 << 10,
        }
    }

    /// The shortest time between two messages: a robot takes 20 a minute.
    #[must_use]
    pub fn pause(&self) -> Duration {
        match &self.kind {
            SinkKind::Robot { .. } => Duration::from_millis(3_200),
            SinkKind::Webhook { .. } | SinkKind::Mail(_) => Duration::ZERO,
        }
    }
}

impl SinkText {
    fn sink(self, folder: &Path) -> Result<Sink, Cause> {
        if self.name.is_empty() || self.name.chars().any(char::is_control) {
            return Err("the sink has no name; give one without control characters".to_owned());
        }
        let language = match self.language {
            LanguageText::Zh => Language::Chinese,
            LanguageText::En => Language::English,
        };
        let kind = self.kind(folder)?;
        Ok(Sink { name: self.name, language, rules: self.rules, kind })
    }

    fn kind(&self, folder: &Path) -> Result<SinkKind, Cause> {
        let place = |file: &Option<PathBuf>, variable: &Option<String>, what: &str| match (
            file, variable,
        ) {
            (Some(file), None) => Ok(Some(Place::File(folder.join(file)))),
            (None, Some(name)) => Ok(Some(Place::Environment(name.clone()))),
            (None, None) => Ok(None),
            (Some(_), Some(_)) => Err(format!("give {what}_file or {what}_env, not both")),
        };
        let url = place(&self.url_file, &self.url_env, "url")?;
        let secret = place(&self.secret_file, &self.secret_env, "secret")?;
        if self.kind == "mail" {
            let has_other = url.is_some() || secret.is_some() || self.url.is_some();
            return match &self.mail {
                Some(mail) if !has_other => mail_kind(mail.clone(), folder),
                Some(_) => {
                    Err("a sink of mail has its keys in `mail`; leave out others".to_owned())
                }
                None => Err("a sink of mail needs `mail = { server, from, to }`".to_owned()),
            };
        }
        if self.mail.is_some() {
            return Err("mail belongs to kind = \"mail\"; leave it out".to_owned());
        }
        if self.kind == "webhook" {
            let url = match (&self.url, url) {
                (Some(text), None) => {
                    http::checked(text).map_err(|error| error.to_string())?;
                    Url::Plain(text.clone())
                }
                (None, Some(place)) => Url::Secret(place),
                _ => return Err("a webhook needs url, url_file or url_env: one of them".to_owned()),
            };
            let what = "a webhook is signed; give secret_file or secret_env";
            return Ok(SinkKind::Webhook { url, secret: secret.ok_or_else(|| what.to_owned())? });
        }
        let robot = Robot::named(&self.kind).ok_or_else(|| {
            let kind = &self.kind;
            format!("there is no kind \"{kind}\"; give webhook, wecom, dingtalk, feishu or mail")
        })?;
        let (None, Some(url)) = (&self.url, url) else {
            let what = "the address of a robot is a secret; give url_file or url_env";
            return Err(what.to_owned());
        };
        if secret.is_some() && robot == Robot::Wecom {
            return Err("robots of wecom have no signature; leave the secret out".to_owned());
        }
        Ok(SinkKind::Robot { robot, url, secret })
    }
}

fn mail_kind(mail: MailText, folder: &Path) -> Result<SinkKind, Cause> {
    if mail.to.is_empty() {
        return Err("mail has no receiver; give to = [\"name@example.org\"]".to_owned());
    }
    let is_local = ["localhost", "127.0.0.1", "::1"].contains(&mail.server.as_str());
    if mail.tls == MailTls::None && !is_local {
        let what = "tls = \"none\" is for a server on this machine; use implicit or starttls";
        return Err(what.to_owned());
    }
    let has_password = mail.password_file.is_some() || mail.password_env.is_some();
    if mail.user.is_some() != has_password
        || (mail.password_file.is_some() && mail.password_env.is_some())
    {
        let what = "give user with password_file or password_env, or neither";
        return Err(what.to_owned());
    }
    let password_file = mail.password_file.as_ref().map(|file| folder.join(file));
    Ok(SinkKind::Mail(MailText { password_file, ..mail }))
}

/// The sinks of texts with places, with unique names.
///
/// # Errors
/// The position of the sink in the text, and the cause.
pub fn sinks(
    texts: Vec<Spanned<SinkText>>,
    folder: &Path,
    has_rule: &dyn Fn(&str) -> bool,
) -> Result<Vec<Sink>, (usize, Cause)> {
    let mut sinks: Vec<Sink> = Vec::new();
    for text in texts {
        let at = text.span().start;
        let text = text.into_inner();
        let name = text.name.clone();
        let sink = text.sink(folder).map_err(|cause| (at, format!("sink \"{name}\": {cause}")))?;
        if sinks.iter().any(|other| other.name == sink.name) {
            return Err((at, format!("two sinks have the name \"{name}\"; rename one of them")));
        }
        if let Some(rule) = sink.rules.iter().flatten().find(|rule| !has_rule(rule)) {
            let cause = format!("sink \"{name}\": there is no rule \"{rule}\"; correct rules");
            return Err((at, cause));
        }
        sinks.push(sink);
    }
    Ok(sinks)
}
