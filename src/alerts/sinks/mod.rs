//! Sinks of alerts: a webhook, robots of 企业微信, 钉钉 and 飞书, and e-mail.
//!
//! ```text
//! alerts.toml ─▶ SinkText ─▶ checks ─▶ Sink ─▶ Sender: secrets read ─▶ send(Message) ─▶ Sent
//! ```

mod error;
mod http;
#[cfg(feature = "mail")]
mod mail;
mod mail_text;
mod message;
mod robot;
pub mod secret;
mod sender;
mod sink;
mod webhook;

pub use error::SenderError;
pub use http::HttpError;
pub use mail_text::{MailText, MailTls};
pub use message::{Message, Sent};
pub use robot::Robot;
pub use sender::Sender;
pub use sink::{Sink, SinkKind, SinkText, Url, sinks};
