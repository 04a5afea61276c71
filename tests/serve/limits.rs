//! Slow and hostile clients: the rest is served.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::client::raw;
use crate::feed;
use crate::service::Service;

#[test]
fn slow_heads_are_ended_and_do_not_keep_others_waiting() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let begun = Instant::now();
    let slow: Vec<TcpStream> = (0..300)
        .map(|at| {
            let mut stream = TcpStream::connect(service.address).expect("a connection");
            let part: &[u8] = match at % 4 {
                0 => b"",
                1 => b"P",
                2 => b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                _ => b"GET / HTTP/1.1\r\nHost: localhost\r\nX-",
            };
            stream.write_all(part).expect("sent");
            stream
        })
        .collect();
    for _ in 0..20 {
        assert_eq!(service.get("/api/v1/calendar").status, 200);
    }
    for mut stream in slow {
        stream.set_read_timeout(Some(Duration::from_mins(1))).expect("a limit");
        let mut rest = Vec::new();
        // The end of the connection, or a reset, but no wait without an end.
        let ended = stream.read_to_end(&mut rest);
        let is_late = ended.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock);
        assert!(!is_late, "a slow client is still connected after {:?}", begun.elapsed());
    }
    assert_eq!(service.get("/api/v1/status").status, 200);
}

#[test]
fn malformed_requests_end_their_connection_alone() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    for bytes in [
        &b"\0\0\0\0\r\n\r\n"[..],
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET http://evil.example/api/v1/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: local\x00host\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\x01\x05\x00\x00\x00\x01",
        b"CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
    ] {
        let answer = raw(service.address, bytes, false);
        let is_refused = answer.as_ref().is_none_or(|of| (400..500).contains(&of.status));
        assert!(is_refused, "{}: {answer:?}", String::from_utf8_lossy(bytes));
        assert_eq!(service.get("/healthz").status, 200);
    }
}

#[test]
fn any_address_is_answered_or_refused_without_a_defect() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let word = prop_oneof![
        Just("/api/v1/".to_owned()),
        Just("tables/".to_owned()),
        Just("city".to_owned()),
        Just("series/country/".to_owned()),
        Just("304".to_owned()),
        Just(".csv".to_owned()),
        Just("?as_of=".to_owned()),
        Just("&year=2001".to_owned()),
        Just("&month=".to_owned()),
        Just("&sort=-".to_owned()),
        Just("&page=24-".to_owned()),
        Just("growth=ge:".to_owned()),
        Just("%".to_owned()),
        Just("..".to_owned()),
        Just("-1".to_owned()),
        Just("99999999999999999999".to_owned()),
        Just("1e308".to_owned()),
        Just("NaN".to_owned()),
        "[!-~]{0,12}",
    ];
    let path =
        proptest::collection::vec(word, 0..8).prop_map(|words| format!("/{}", words.concat()));
    let mut runner =
        TestRunner::new(Config { cases: 400, failure_persistence: None, ..Config::default() });
    let tried = runner.run(&path, |path| {
        let head = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        let answer = raw(service.address, head.as_bytes(), false);
        if let Some(answer) = answer {
            prop_assert!(answer.status < 500 && answer.is_whole, "{path}: {answer:?}");
        }
        Ok(())
    });
    tried.expect("no defect");
    assert_eq!(service.get("/api/v1/status").status, 200);
}

#[test]
fn requests_for_one_answer_compute_it_once() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let paths = ["/api/v1/series/country/*", "/api/v1/tables/plant", "/api/v1/series/nation/all"];
    let answers: Vec<_> = std::thread::scope(|scope| {
        let service = &service;
        let ask = |at: usize| scope.spawn(move || service.get(paths[at % paths.len()]));
        let asked: Vec<_> = (0..60).map(ask).collect();
        asked.into_iter().map(|one| one.join().expect("an answer")).collect()
    });
    for (at, answer) in answers.iter().enumerate() {
        assert_eq!((answer.status, &answer.body), (200, &answers[at % paths.len()].body));
    }
    let metrics = service.get("/metrics");
    let line = "spillover_answers_computed_total 3";
    assert!(metrics.text().lines().any(|of| of == line), "{}", metrics.text());
}

#[test]
fn an_event_stream_that_nobody_reads_keeps_nothing_waiting() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let streams: Vec<TcpStream> = (0..50)
        .map(|_| {
            let mut stream = TcpStream::connect(service.address).expect("a connection");
            stream.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
            stream
        })
        .collect();
    let n_streams = || {
        let text = service.get("/metrics");
        let line = text.text().lines().find(|line| line.starts_with("spillover_event_streams "));
        line.and_then(|line| line.split(' ').nth(1)?.parse::<usize>().ok())
    };
    let begun = Instant::now();
    while n_streams() != Some(50) {
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", n_streams());
    }
    feed::add_month(&sandbox, 200_201);
    let begun = Instant::now();
    while service.json("/api/v1/status")["vintage"] != 25 {
        assert!(begun.elapsed() < Duration::from_secs(30), "the publication is not served");
    }
    drop(streams);
    let begun = Instant::now();
    while n_streams() != Some(0) {
        assert!(begun.elapsed() < Duration::from_mins(1), "{:?}", n_streams());
    }
}
