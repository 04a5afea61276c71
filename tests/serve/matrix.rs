//! Every route, role and method.

use std::os::unix::fs::PermissionsExt as _;

use crate::client::send;
use crate::feed;
use crate::service::Service;

/// The token of the tests.
pub const TOKEN: &str = "3b6c6a0d9b2f4d4fb1c0a7f6e5d4c3b2";
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"];
/// Routes that need no token.
const OPEN: [&str; 3] = ["/healthz", "/readyz", "/api/v1/openapi.json"];

/// The path of a route with a value for each segment.
pub fn filled(path: &str) -> String {
    let values = [
        ("{table}", if path.contains("estimates") { "3" } else { "plant" }),
        ("{level}", "nation"),
        ("{key}", "all"),
        ("{context}", "dataflow"),
        ("{agency}", "SPILLOVER"),
        ("{flow}", "SERIES"),
        ("{version}", "1.0.0"),
        ("{component}", "*"),
        ("{type}", "dataflow"),
        ("{id}", if path.contains("alerts") { crate::alerts::ID } else { "SERIES" }),
    ];
    values.iter().fold(path.to_owned(), |of, (name, value)| of.replace(name, value))
}

/// The routes of the document, each with an address that has an answer.
pub fn addresses(service: &Service) -> Vec<(String, String)> {
    let document = service.json("/api/v1/openapi.json");
    let paths = document["paths"].as_object().expect("paths");
    let address = |path: &String| {
        let address = filled(path);
        let query = match path.as_str() {
            "/api/v1/explain" => "?firm=3100000002&city=1100&country=133&year=2011",
            "/api/v1/diff" => "?before=0",
            "/api/v1/path" => "?table=3.1",
            "/api/v1/sources" => "?level=city",
            "/api/v1/news" => "?before=36&month=201012",
            _ => "",
        };
        (path.clone(), format!("{address}{query}"))
    };
    paths.keys().map(address).collect()
}

/// A file with the token, of a mode.
pub fn token_file(sandbox: &crate::common::Sandbox) -> String {
    let path = sandbox.folder().join("token");
    std::fs::write(&path, format!("{TOKEN}\n")).expect("written");
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&path, mode).expect("private");
    path.to_str().expect("UTF-8").to_owned()
}

#[test]
fn each_route_answers_its_roles_by_its_methods_alone() {
    let sandbox = feed::demo();
    let token = token_file(&sandbox);
    crate::alerts::add(&sandbox.home(), crate::alerts::ID, 48);
    let service = Service::start(&sandbox.home(), &["--token-file", &token]);
    let own = format!("Bearer {TOKEN}");
    let roles: [(&str, Vec<(&str, &str)>); 6] = [
        ("none", vec![]),
        ("analyst", vec![("Authorization", &own)]),
        ("wrong token", vec![("Authorization", "Bearer 3b6c6a0d9b2f4d4fb1c0a7f6e5d4c3b3")]),
        ("no scheme", vec![("Authorization", TOKEN)]),
        ("basic", vec![("Authorization", "Basic M2I2YzZhMGQ5YjJmNGQ0ZmIxYzA6")]),
        ("two tokens", vec![("Authorization", &own), ("Authorization", "Bearer other")]),
    ];
    let routes = addresses(&service);
    assert!(routes.len() >= 18, "{routes:?}");
    for (path, address) in routes.iter().filter(|(path, _)| path != "/events") {
        for (role, headers) in &roles {
            let may = *role == "analyst" || OPEN.contains(&path.as_str());
            let known: &[&str] = if path.ends_with("/ack") { &["POST"] } else { &["GET", "HEAD"] };
            for method in METHODS {
                let answer = send(service.address, method, address, headers);
                let expected = match (known.contains(&method), may) {
                    (true, true) => 200,
                    (true, false) => 401,
                    (false, _) => 405,
                };
                assert_eq!(answer.status, expected, "{method} {address} by {role}");
                if expected == 401 && method != "HEAD" {
                    assert_eq!(answer.code(), "unauthorized");
                    assert!(answer.header("www-authenticate").starts_with("Bearer"));
                }
                if expected == 405 && method != "TRACE" {
                    assert_eq!(answer.header("allow"), known.join(", "));
                }
                assert_eq!(answer.header("x-content-type-options"), "nosniff");
                assert_eq!(answer.header("access-control-allow-origin"), "");
            }
        }
    }
    for (role, headers) in &roles {
        let may = *role == "analyst";
        let events = send(service.address, "HEAD", "/events", headers);
        assert_eq!(events.status, if may { 200 } else { 401 }, "{role}");
        assert_eq!(send(service.address, "GET", "/", headers).status, 200, "the page is open");
    }
    let in_address = send(service.address, "GET", &format!("/api/v1/status?token={TOKEN}"), &[]);
    assert_eq!(in_address.status, 401, "a token is never in an address");
    let log = service.log();
    assert!(!log.contains(TOKEN), "{log}");
    for path in ["tables/plant", "changes", "explain", "rejects", "revisions", "diff"] {
        let lines = log.lines().filter(|line| line.contains(&format!("path=\"/api/v1/{path}\"")));
        let lines: Vec<&str> = lines.filter(|line| line.contains("firm-level access")).collect();
        assert!(lines.iter().any(|line| line.contains("role=Nobody status=401")), "{path}");
        assert!(lines.iter().any(|line| line.contains("role=Analyst status=200")), "{path}");
    }
    assert!(!log.contains("path=\"/api/v1/calendar\""), "it is not of single firms");
}

/// The suffixes that choose a format.
const SUFFIXES: [&str; 7] = ["json", "csv", "parquet", "xlsx", "arrow", "jsonl", "dta"];

/// An address with a suffix at the end of its path.
fn suffixed(address: &str, suffix: &str) -> String {
    match address.split_once('?') {
        Some((path, query)) => format!("{path}.{suffix}?{query}"),
        None => format!("{address}.{suffix}"),
    }
}

/// True if the route of the document has rows or records.
fn has_formats(document: &serde_json::Value, path: &str) -> bool {
    let of = document["paths"][path].as_object().expect("methods");
    let content = of.values().map(|of| &of["responses"]["200"]["content"]);
    content.into_iter().any(|content| content.get("text/csv; charset=utf-8").is_some())
}

#[test]
fn a_suffix_gives_no_route_another_method_or_role() {
    let sandbox = feed::home();
    let token = token_file(&sandbox);
    crate::alerts::add(&sandbox.home(), crate::alerts::ID, 24);
    let service = Service::start(&sandbox.home(), &["--token-file", &token]);
    let own = format!("Bearer {TOKEN}");
    let roles: [(&str, Vec<(&str, &str)>); 2] =
        [("none", vec![]), ("analyst", vec![("Authorization", &own)])];
    let document = service.json("/api/v1/openapi.json");
    let (mut n_allowed, mut n_refused) = (0, 0);
    for (path, address) in addresses(&service) {
        if !path.starts_with("/api/v1/")
            || ["openapi.json", "report"].iter().any(|of| path.ends_with(of))
        {
            continue;
        }
        assert!(has_formats(&document, &path), "{path} has no formats; give it a row here");
        let known: &[&str] = if path.ends_with("/ack") { &["POST"] } else { &["GET", "HEAD"] };
        for suffix in SUFFIXES {
            let address = suffixed(&address, suffix);
            for ((role, headers), method) in
                roles.iter().flat_map(|role| METHODS.map(|method| (role, method)))
            {
                // What each format has is compared elsewhere; the one write comes last.
                if *role == "analyst" && known.contains(&method) {
                    continue;
                }
                let answer = send(service.address, method, &address, headers);
                let expected = if known.contains(&method) { 401 } else { 405 };
                assert_eq!(answer.status, expected, "{method} {address} by {role}");
                n_refused += 1;
            }
        }
    }
    assert!(n_refused >= 18 * 7 * 14, "{n_refused}");
    let acknowledged = || {
        let list = send(service.address, "GET", "/api/v1/alerts", &[("Authorization", &own)]);
        list.json()["rows"][0]["acknowledged_at"].clone()
    };
    let ack = format!("/api/v1/alerts/{}/ack", crate::alerts::ID);
    for form in [
        format!("{ack}.csv.csv"),
        format!("{ack}.csv?columns=id"),
        format!("{ack}/"),
        format!("{ack}/.csv"),
        format!("/{ack}.csv"),
        ack.replace("ack", "%61ck"),
        ack.replace("ack", "ack%2Ecsv"),
        ack.replace("ack", "ack;.csv"),
        ack.replace("/alerts/", "/./alerts/"),
    ] {
        for method in ["GET", "HEAD"] {
            let answer = send(service.address, method, &form, &[("Authorization", &own)]);
            assert!([404, 405].contains(&answer.status), "{method} {form}: {}", answer.status);
        }
    }
    assert_eq!(acknowledged(), serde_json::Value::Null, "no request so far changed anything");
    for suffix in SUFFIXES {
        let address = suffixed(&ack, suffix);
        let answer = send(service.address, "POST", &address, &[("Authorization", &own)]);
        assert_eq!(answer.status, 200, "POST {address}: {}", answer.text());
        n_allowed += 1;
    }
    assert_ne!((n_allowed, acknowledged()), (0, serde_json::Value::Null));
    for none in ["/api/v1/openapi.json.csv", "/api/v1/openapi.csv", "/api/v1/openapi"] {
        let answer = send(service.address, "GET", none, &[("Authorization", &own)]);
        assert_eq!(answer.status, 404, "{none}");
    }
}

#[test]
fn without_tokens_the_machine_itself_reads_everything() {
    let sandbox = feed::demo();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let is_read = |path: &str| path != "/events" && !path.ends_with("/ack");
    for (path, address) in addresses(&service).iter().filter(|(path, _)| is_read(path)) {
        let answer = service.get(address);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
}

#[test]
fn other_names_other_sites_and_bodies_are_refused() {
    let sandbox = feed::home();
    let service = Service::start(&sandbox.home(), &["--host", "monitor.example"]);
    let get = |headers: &[(&str, &str)]| send(service.address, "GET", "/api/v1/status", headers);
    assert_eq!(get(&[("Host", "monitor.example:443")]).status, 200);
    for host in ["evil.example", "127.0.0.1.evil.example", "", "localhost, evil.example"] {
        let answer = get(&[("Host", host)]);
        assert!([400, 421].contains(&answer.status), "{host}: {}", answer.status);
    }
    let two = get(&[("Host", "localhost"), ("Host", "evil.example")]);
    assert!([400, 421].contains(&two.status), "two names: {}", two.status);
    let post = |headers: &[(&str, &str)]| {
        let answer = send(service.address, "POST", "/api/v1/status", headers);
        (answer.status, answer.code())
    };
    assert_eq!(post(&[("Sec-Fetch-Site", "cross-site")]), (403, "cross_site".to_owned()));
    assert_eq!(post(&[("Origin", "https://evil.example")]), (403, "cross_site".to_owned()));
    assert_eq!(post(&[("Origin", "http://localhost")]), (405, "method_not_allowed".to_owned()));
    let body = get(&[("Content-Length", "5")]);
    assert_eq!((body.status, body.code().as_str()), (413, "body_too_large"));
    let chunked = get(&[("Transfer-Encoding", "chunked")]);
    assert_eq!(chunked.status, 413);
    let long = format!("/api/v1/names?q={}", "a".repeat(9_000));
    let long = send(service.address, "GET", &long, &[]);
    assert_eq!((long.status, long.code().as_str()), (414, "address_too_long"));
    let large = "a".repeat(40_000);
    let answer = get(&[("X-Large", &large)]);
    assert_eq!(answer.status, 431, "headers have a limit");
}
