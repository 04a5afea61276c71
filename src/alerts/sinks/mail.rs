//! E-mail, over TLS with the certificates of the system.

use std::time::Duration;

use lettre::message::header::{ContentType, MessageId};
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Message as Mail, SmtpTransport, Transport as _};

use super::error::SenderError;
use super::mail_text::{MailText, MailTls};
use super::message::{Message, Sent};
use super::secret::Place;

/// The longest wait for the server.
const TIME_MAX: Duration = Duration::from_secs(10);

/// A server of mail with addresses.
pub struct Mailer {
    transport: SmtpTransport,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Mailer {
    /// The mailer of a sink.
    ///
    /// # Errors
    /// [`SenderError`] if an address or a secret cannot be used.
    pub fn new(text: &MailText) -> Result<Self, SenderError> {
        let mailbox = |of: &String| {
            of.parse::<Mailbox>()
                .map_err(|error| SenderError::Mail(format!("\"{of}\" is no address: {error}")))
        };
        let parameters = TlsParameters::new(text.server.clone())
            .map_err(|_| SenderError::Mail(format!("\"{}\" is no server", text.server)))?;
        let (tls, port) = match text.tls {
            MailTls::Implicit => (Tls::Wrapper(parameters), 465),
            MailTls::Starttls => (Tls::Required(parameters), 587),
            MailTls::None => (Tls::None, 25),
        };
        let mut transport = SmtpTransport::builder_dangerous(&text.server)
            .port(text.port.unwrap_or(port))
            .tls(tls)
            .timeout(Some(TIME_MAX));
        let place = match (&text.password_file, &text.password_env) {
            (Some(file), _) => Some(Place::File(file.clone())),
            (None, Some(name)) => Some(Place::Environment(name.clone())),
            (None, None) => None,
        };
        if let Some((user, place)) = text.user.clone().zip(place) {
            let password = place.read()?.expose().to_owned();
            transport = transport.credentials(Credentials::new(user, password));
        }
        Ok(Self {
            transport: transport.build(),
            from: mailbox(&text.from)?,
            to: text.to.iter().map(mailbox).collect::<Result<_, _>>()?,
        })
    }

    /// Sends a message. Its identifier is in `Message-ID`.
    pub fn send(&self, message: &Message<'_>) -> Sent {
        let host = self.from.email.domain();
        let id = MessageId::from(format!("<{}@{host}>", message.id));
        let first = message.text.lines().next().unwrap_or_default();
        let subject: String = first.chars().take(120).collect();
        let to = |mail: MessageBuilder, of: &Mailbox| mail.to(of.clone());
        let mail = Mail::builder().from(self.from.clone()).header(id).subject(subject);
        let mail = self.to.iter().fold(mail, to).header(ContentType::TEXT_PLAIN);
        let mail = match mail.body(message.text.clone()) {
            Ok(mail) => mail,
            Err(error) => return Sent::Failed(format!("the mail cannot be written: {error}")),
        };
        match self.transport.send(&mail) {
            Ok(_) => Sent::Delivered,
            Err(error) if error.is_permanent() => {
                Sent::Refused(format!("the server of mail refused the mail: {error}"))
            }
            Err(error) if error.is_transient() => {
                Sent::Failed(format!("the server of mail refused the mail for now: {error}"))
            }
            Err(error) => Sent::Failed(format!("the mail was not sent: {error}")),
        }
    }
}
