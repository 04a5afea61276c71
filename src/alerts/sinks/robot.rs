//! Robots of chats: 企业微信, 钉钉 and 飞书.
//!
//! A robot takes 20 messages a minute. Its address has its key; 钉钉 and 飞书 can ask for a signature
//! too. All three answer with status 200 and an error code in JSON.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::http::{Answer, Request, failed, hmac_sha256};
use super::message::Sent;
use super::secret::Secret;

/// The service of a robot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Robot {
    /// 企业微信.
    Wecom,
    /// 钉钉.
    Dingtalk,
    /// 飞书.
    Feishu,
}

impl Robot {
    /// The robot with a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "wecom" => Some(Self::Wecom),
            "dingtalk" => Some(Self::Dingtalk),
            "feishu" => Some(Self::Feishu),
            _ => None,
        }
    }

    /// The largest size of a text, in bytes.
    #[must_use]
    pub fn bytes_max(self) -> usize {
        match self {
            Self::Wecom => 2_048,
            Self::Dingtalk | Self::Feishu => 15_000,
        }
    }

    /// The request of a text.
    ///
    /// # Equation
    /// - 钉钉: `sign = base64(HMAC(secret, "timestamp\nsecret"))`, with milliseconds, in the address.
    /// - 飞书: `sign = base64(HMAC("timestamp\nsecret", ""))`, with seconds, in the body.
    #[must_use]
    pub fn request(self, url: &str, secret: Option<&Secret>, text: &str, unix_ms: i64) -> Request {
        let headers = Vec::new();
        match self {
            Self::Wecom => {
                let body = json!({ "msgtype": "text", "text": { "content": text } });
                Request { url: url.to_owned(), headers, body: body.to_string() }
            }
            Self::Dingtalk => {
                let body = json!({ "msgtype": "text", "text": { "content": text } });
                let signed = secret.map(|secret| {
                    let of = format!("{unix_ms}\n{}", secret.expose());
                    let sign = hmac_sha256(secret.expose().as_bytes(), of.as_bytes());
                    let separator = if url.contains('?') { '&' } else { '?' };
                    let sign = encoded(&STANDARD.encode(sign));
                    format!("{url}{separator}timestamp={unix_ms}&sign={sign}")
                });
                let url = signed.unwrap_or_else(|| url.to_owned());
                Request { url, headers, body: body.to_string() }
            }
            Self::Feishu => {
                let mut body = json!({ "msg_type": "text", "content": { "text": text } });
                if let Some(secret) = secret {
                    let timestamp = (unix_ms / 1_000).to_string();
                    let key = format!("{timestamp}\n{}", secret.expose());
                    body["sign"] = STANDARD.encode(hmac_sha256(key.as_bytes(), b"")).into();
                    body["timestamp"] = timestamp.into();
                }
                Request { url: url.to_owned(), headers, body: body.to_string() }
            }
        }
    }

    /// The result of an answer.
    #[must_use]
    pub fn judge(self, answer: Result<Answer, String>) -> Sent {
        let answer = match answer {
            Ok(answer) => answer,
            Err(why) => return Sent::Failed(why),
        };
        if let Some(sent) = failed(&answer) {
            return sent;
        }
        let answer: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let members: &[&str] =
            if self == Self::Feishu { &["code", "StatusCode"] } else { &["errcode"] };
        let code = members.iter().find_map(|name| answer[*name].as_i64());
        match code {
            Some(0) => Sent::Delivered,
            Some(code) => {
                let why = format!("the robot answered with error {code}");
                match self.throttle(code) {
                    Some(wait) => Sent::Throttled { wait, why },
                    None => Sent::Failed(why),
                }
            }
            None => Sent::Failed("the answer of the robot has no error code".to_owned()),
        }
    }

    /// The wait after an error that means too many messages; 钉钉 then refuses them for ten minutes.
    fn throttle(self, code: i64) -> Option<Duration> {
        match (self, code) {
            (Self::Wecom, 45_009) | (Self::Feishu, 9_499 | 11_232) => Some(Duration::from_mins(1)),
            (Self::Dingtalk, 130_101) => Some(Duration::from_mins(10)),
            _ => None,
        }
    }
}

/// A text of base64 in an address.
fn encoded(text: &str) -> String {
    text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: i64 = 1_700_000_000_000;

    #[test]
    fn each_robot_gets_the_body_and_the_signature_that_it_documents() {
        let secret = Secret::plain("SEC000");
        let wecom = Robot::Wecom.request("https://w.example/?key=k", None, "文", AT);
        assert_eq!(wecom.body, r#"{"msgtype":"text","text":{"content":"文"}}"#);
        // printf '1700000000000\nSEC000' | openssl dgst -sha256 -hmac SEC000 -binary | base64
        let sign = encoded("ltBBey5eZrWKh1cPzFIdz3v3xpkc4Tjx4lLsPSHqdtA=");
        let dingtalk =
            Robot::Dingtalk.request("https://d.example/?access_token=t", Some(&secret), "a", AT);
        let expected =
            format!("https://d.example/?access_token=t&timestamp=1700000000000&sign={sign}");
        assert_eq!(dingtalk.url, expected);
        assert_eq!(dingtalk.body, r#"{"msgtype":"text","text":{"content":"a"}}"#);
        // openssl dgst -sha256 -hmac "$(printf '1700000000\nSEC000')" -binary < /dev/null | base64
        let feishu = Robot::Feishu.request("https://f.example/", Some(&secret), "a", AT);
        let body: Value = serde_json::from_str(&feishu.body).expect("JSON");
        let expected = json!({
            "timestamp": "1700000000",
            "sign": "QKhXycVUGrhA1dUEbXA2Vo/zGkv/W88IgYgKNA7Xmk0=",
            "msg_type": "text",
            "content": { "text": "a" },
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn an_answer_is_judged_by_its_error_code() {
        let answer =
            |status, body: &str| Ok(Answer { status, wait: None, body: body.as_bytes().to_vec() });
        let minutes = |n| Duration::from_mins(n);
        let ok = r#"{"errcode":0,"errmsg":"ok"}"#;
        assert_eq!(Robot::Wecom.judge(answer(200, ok)), Sent::Delivered);
        let ok = r#"{"code":0,"msg":"success"}"#;
        assert_eq!(Robot::Feishu.judge(answer(200, ok)), Sent::Delivered);
        for (robot, body, expected) in [
            (Robot::Wecom, r#"{"errcode":45009}"#, minutes(1)),
            (Robot::Dingtalk, r#"{"errcode":130101}"#, minutes(10)),
            (Robot::Feishu, r#"{"code":11232}"#, minutes(1)),
        ] {
            let sent = robot.judge(answer(200, body));
            assert!(matches!(sent, Sent::Throttled { wait, .. } if wait == expected), "{sent:?}");
        }
        for body in [r#"{"errcode":93000}"#, "{}", "<html>"] {
            let sent = Robot::Wecom.judge(answer(200, body));
            assert!(matches!(sent, Sent::Failed(_)), "{body}: {sent:?}");
        }
        assert!(matches!(Robot::Wecom.judge(answer(500, ok)), Sent::Failed(_)));
        assert!(matches!(Robot::Wecom.judge(answer(429, "")), Sent::Throttled { .. }));
    }
}
