//! E-mail: a server of the test plays SMTP on this machine.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::common::Sandbox;
use crate::delivery::{LATE, home, once, rules};
use crate::receiver::{Receiver, Reply};
use crate::watcher::Watcher;

/// The longest wait for a mail.
const WAIT_MAX: Duration = Duration::from_mins(2);

/// What the server does with a mail.
#[derive(Clone, Copy, Debug)]
enum Answer {
    /// It takes the mail.
    Taken,
    /// It answers the receiver with a status and a text.
    Status(&'static str),
    /// It says nothing after the mail.
    Silence,
}

/// A mail as it came: the envelope, and the content.
#[derive(Clone, Debug)]
struct Mail {
    from: String,
    to: Vec<String>,
    content: String,
}

impl Mail {
    /// A header, decoded.
    fn header(&self, name: &str) -> String {
        let head = self.content.split("\r\n\r\n").next().expect("a head");
        let head = head.replace("\r\n ", " ");
        let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        let line = line.unwrap_or_else(|| panic!("no {name}: {head}"));
        let (mut text, mut was_coded) = (String::new(), true);
        for word in line.split(' ') {
            let coded = word.strip_prefix("=?utf-8?b?").and_then(|of| of.strip_suffix("?="));
            // Blanks between two coded words are none of the text.
            let is_between = was_coded && coded.is_some();
            if !is_between && !text.is_empty() {
                text.push(' ');
            }
            was_coded = coded.is_some();
            text += &coded.map_or_else(|| word.to_owned(), decoded);
        }
        text
    }

    /// The text, decoded.
    fn text(&self) -> String {
        let (_, body) = self.content.split_once("\r\n\r\n").expect("a body");
        match self.header("Content-Transfer-Encoding").as_str() {
            "base64" => decoded(&body.replace("\r\n", "")),
            "7bit" | "8bit" => body.replace("\r\n", "\n"),
            "quoted-printable" => unquoted(body),
            other => panic!("{other}"),
        }
    }
}

fn decoded(text: &str) -> String {
    String::from_utf8(STANDARD.decode(text).expect("base64")).expect("UTF-8")
}

fn unquoted(text: &str) -> String {
    let text = text.replace("=\r\n", "").replace("\r\n", "\n");
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        let (byte, after) = match (first, after) {
            (b'=', [a, b, after @ ..]) => {
                let hex = std::str::from_utf8(&[*a, *b]).map(|of| u8::from_str_radix(of, 16));
                (hex.expect("ASCII").expect("a byte"), after)
            }
            _ => (*first, after),
        };
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).expect("UTF-8")
}

#[derive(Default)]
struct State {
    answers: VecDeque<Answer>,
    mails: Vec<Mail>,
    open: Vec<TcpStream>,
}

/// A running server.
struct Server {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Server {
    /// Starts a server with its answers, in order; the last one is repeated.
    fn start(answers: &[Answer]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let answers = answers.iter().copied().collect();
        let state = Arc::new(Mutex::new(State { answers, ..State::default() }));
        let own = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, state) = (stream.expect("a connection"), Arc::clone(&own));
                // A client that is gone ends its connection.
                std::thread::spawn(move || drop(converse(stream, &state)));
            }
        });
        Self { port, state }
    }

    fn mails(&self) -> Vec<Mail> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).mails.clone()
    }

    fn until(&self, n: usize) -> Vec<Mail> {
        let begun = Instant::now();
        loop {
            let mails = self.mails();
            if mails.len() >= n {
                return mails;
            }
            assert!(begun.elapsed() < WAIT_MAX, "{} of {n} mails", mails.len());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A sink of the server.
    fn sink(&self) -> String {
        let port = self.port;
        format!(
            "[[sink]]\nname = 'post'\nkind = 'mail'\nlanguage = 'zh'\n[sink.mail]\nserver = \
             '127.0.0.1'\nport = {port}\ntls = 'none'\nfrom = 'Monitor \
             <monitor@customs.example>'\nto = ['a@customs.example', 'b@customs.example']\n"
        )
    }
}

/// Plays the server of one connection.
fn converse(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    stream.write_all(b"220 mail.example ESMTP\r\n")?;
    let mut mail = Mail { from: String::new(), to: Vec::new(), content: String::new() };
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end();
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let address = || line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
        match verb.as_str() {
            "EHLO" => stream.write_all(b"250-mail.example\r\n250 8BITMIME\r\n")?,
            "MAIL" => {
                (mail.from, mail.to) = (address(), Vec::new());
                stream.write_all(b"250 ok\r\n")?;
            }
            "RCPT" => {
                mail.to.push(address());
                stream.write_all(b"250 ok\r\n")?;
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n")?;
                mail.content = content(&mut reader)?;
                let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
                state.mails.push(mail.clone());
                let answer = match state.answers.len() {
                    0 | 1 => state.answers.front().copied(),
                    _ => state.answers.pop_front(),
                };
                match answer.unwrap_or(Answer::Taken) {
                    Answer::Taken => stream.write_all(b"250 taken\r\n")?,
                    Answer::Status(text) => stream.write_all(format!("{text}\r\n").as_bytes())?,
                    Answer::Silence => {
                        state.open.push(stream);
                        return Ok(());
                    }
                }
            }
            "QUIT" => return stream.write_all(b"221 bye\r\n"),
            _ => stream.write_all(b"250 ok\r\n")?,
        }
    }
}

/// The content of a mail, up to the line with a dot.
fn content(reader: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == ".\r\n" {
            return Ok(text);
        }
        text += line.strip_prefix('.').unwrap_or(&line);
    }
}

fn status(sandbox: &Sandbox) -> String {
    sandbox.run(["status"]).stdout
}

#[test]
fn a_mail_has_the_sentences_and_an_identifier_and_is_sent_once() {
    let (sandbox, _) = home();
    let server = Server::start(&[Answer::Taken]);
    rules(&sandbox, &(LATE.to_owned() + &server.sink()));
    let run = once(&sandbox);
    let mails = server.mails();
    assert_eq!(mails.len(), 1, "a digest: {}", run.stderr);
    let (mail, to) = (&mails[0], ["a@customs.example", "b@customs.example"]);
    assert_eq!(
        (mail.from.as_str(), &mail.to[..]),
        ("monitor@customs.example", &to.map(str::to_owned)[..])
    );
    let text = mail.text();
    assert!(text.contains("2002年1月的数据文件已逾期"), "{text}");
    assert_eq!(text.matches("。规则").count(), 3, "{text}");
    let id = mail.header("Message-ID");
    let (own, domain) = id.trim_matches(['<', '>']).split_once('@').expect("an identifier");
    assert_eq!(domain, "customs.example");
    let first = text.lines().next().expect("a line");
    assert!(first.contains(own) && mail.header("Subject") == first, "{}", mail.content);
    once(&sandbox);
    assert_eq!(server.mails().len(), 1, "nothing is new");
    assert!(!status(&sandbox).contains("undelivered"), "{}", status(&sandbox));
}

#[test]
fn a_mail_that_is_refused_for_now_is_repeated_with_its_identifier() {
    let (sandbox, _) = home();
    let later = Answer::Status("451 4.7.1 try again later");
    let server = Server::start(&[later, later, Answer::Taken]);
    rules(&sandbox, &(LATE.to_owned() + &server.sink()));
    let watcher = Watcher::start(&sandbox, 1);
    let mails = server.until(3);
    let ids: Vec<String> = mails.iter().map(|mail| mail.header("Message-ID")).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert!(mails.iter().all(|mail| mail.text() == mails[0].text()));
    let log = watcher.log();
    assert!(log.contains("refused the mail for now") && log.contains("451"), "{log}");
    drop(watcher);
    once(&sandbox);
    assert_eq!(server.mails().len(), 3, "a delivered mail is not repeated");
}

#[test]
fn a_mail_that_is_refused_for_good_is_not_repeated_at_once_and_the_status_says_why() {
    let (sandbox, _) = home();
    let server = Server::start(&[Answer::Status("554 5.7.1 no mail from you")]);
    rules(&sandbox, &(LATE.to_owned() + &server.sink()));
    let run = once(&sandbox);
    assert!(run.stderr.contains("the server of mail refused the mail: "), "{}", run.stderr);
    once(&sandbox);
    assert_eq!(server.mails().len(), 1, "a repeat waits");
    let status = status(&sandbox);
    assert!(status.contains("undelivered    3 to post"), "{status}");
    assert!(status.contains("554"), "{status}");
    let list = sandbox.run(["alerts", "list", "--open"]);
    assert_eq!(list.stdout.lines().count(), 4, "the alerts stay: {}", list.stdout);
}

#[test]
fn a_server_of_mail_that_says_nothing_delays_no_other_sink_and_gets_the_mail_later() {
    let (sandbox, _) = home();
    let server = Server::start(&[Answer::Silence, Answer::Taken]);
    let receiver = Receiver::start();
    receiver.script("/hook", &[Reply::Answer(200, "", "{}")]);
    let hook = crate::delivery::webhook(&sandbox, "program", &receiver, "/hook");
    rules(&sandbox, &(LATE.to_owned() + &server.sink() + &hook));
    let begun = Instant::now();
    let watcher = Watcher::start(&sandbox, 1);
    receiver.until("/hook", 1);
    let mails = server.until(1);
    assert!(begun.elapsed() < Duration::from_mins(1), "{:?}", begun.elapsed());
    let again = server.until(2);
    assert_eq!(again[1].header("Message-ID"), mails[0].header("Message-ID"));
    drop(watcher);
}
