//! A sink with its secrets: sends messages.

use super::error::SenderError;
use super::http::{self, Client};
#[cfg(feature = "mail")]
use super::mail;
use super::message::{Message, Sent};
use super::robot::Robot;
use super::secret::{Place, Secret};
use super::sink::{Sink, SinkKind, Url};
use super::webhook;

/// A sink that is ready to send.
pub struct Sender {
    kind: Ready,
}

enum Ready {
    Webhook {
        client: Client,
        url: Secret,
        secret: Secret,
    },
    Robot {
        client: Client,
        robot: Robot,
        url: Secret,
        secret: Option<Secret>,
    },
    #[cfg(feature = "mail")]
    Mail(Box<mail::Mailer>),
}

impl Sink {
    /// Reads the secrets.
    ///
    /// # Errors
    /// [`SenderError`] if one cannot be read, or an address is none.
    pub fn sender(&self) -> Result<Sender, SenderError> {
        let kind = match &self.kind {
            SinkKind::Webhook { url, secret } => {
                let url = match url {
                    Url::Plain(text) => http::checked(text).map(|()| Secret::plain(text))?,
                    Url::Secret(place) => checked(place)?,
                };
                Ready::Webhook { client: Client::new()?, url, secret: secret.read()? }
            }
            SinkKind::Robot { robot, url, secret } => Ready::Robot {
                client: Client::new()?,
                robot: *robot,
                url: checked(url)?,
                secret: secret.as_ref().map(Place::read).transpose()?,
            },
            #[cfg(feature = "mail")]
            SinkKind::Mail(text) => Ready::Mail(Box::new(mail::Mailer::new(text)?)),
            #[cfg(not(feature = "mail"))]
            SinkKind::Mail(_) => return Err(SenderError::NoMail),
        };
        Ok(Sender { kind })
    }
}

fn checked(place: &Place) -> Result<Secret, SenderError> {
    let url = place.read()?;
    http::checked(url.expose())?;
    Ok(url)
}

impl Sender {
    /// Sends a message once.
    #[must_use]
    pub fn send(&self, message: &Message<'_>, unix_ms: i64) -> Sent {
        match &self.kind {
            Ready::Webhook { client, url, secret } => {
                webhook::send((client, url, secret), message, unix_ms / 1_000)
            }
            Ready::Robot { client, robot, url, secret } => {
                let request = robot.request(url.expose(), secret.as_ref(), &message.text, unix_ms);
                robot.judge(client.post(&request))
            }
            #[cfg(feature = "mail")]
            Ready::Mail(mailer) => mailer.send(message),
        }
    }
}
