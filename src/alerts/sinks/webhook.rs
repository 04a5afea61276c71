//! A webhook: JSON with a signature of its time and body.
//!
//! Headers: `X-Spillover-Id` has the identifier of the message, by which a receiver drops repeats.
//! `X-Spillover-Timestamp` has the time in seconds, and `X-Spillover-Signature` has `sha256=` and
//! the hexadecimal HMAC-SHA256 of `timestamp.body`.

use std::fmt::Write as _;

use serde_json::json;

use super::http::{Client, Request, failed, hmac_sha256};
use super::message::{Message, Sent};
use super::secret::Secret;

/// Sends a message.
pub fn send(
    (client, url, secret): (&Client, &Secret, &Secret),
    message: &Message<'_>,
    unix_s: i64,
) -> Sent {
    let body = json!({ "id": message.id, "text": message.text, "alerts": message.alerts });
    let body = body.to_string();
    let headers = vec![
        ("x-spillover-id", message.id.to_owned()),
        ("x-spillover-timestamp", unix_s.to_string()),
        ("x-spillover-signature", signature(secret, unix_s, &body)),
    ];
    match client.post(&Request { url: url.expose().to_owned(), headers, body }) {
        Ok(answer) => failed(&answer).unwrap_or(Sent::Delivered),
        Err(why) => Sent::Failed(why),
    }
}

/// The signature of a time and a body.
fn signature(secret: &Secret, unix_s: i64, body: &str) -> String {
    let signed = hmac_sha256(secret.expose().as_bytes(), format!("{unix_s}.{body}").as_bytes());
    signed.iter().fold("sha256=".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_covers_the_time_and_the_body() {
        // printf '1700000000.{"id":"a"}' | openssl dgst -sha256 -hmac topsecret
        let found = signature(&Secret::plain("topsecret"), 1_700_000_000, "{\"id\":\"a\"}");
        let expected = "sha256=84acb5a133bc30506674bd16f816dae13b4605f76658aa8f160d5623fe719630";
        assert_eq!(found, expected);
    }
}
