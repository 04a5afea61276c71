//! Alerts over HTTP: their list, their acknowledgement, events and metrics.

use std::path::Path;

use spillover::alerts::Alert;
use spillover::alerts::alert::Outcome;
use spillover::alerts::states::{Progress, States};
use spillover::alerts::store::Store;
use spillover::clock;
use spillover::domain::types::Vintage;

use crate::client::send;
use crate::feed;
use crate::following::Events;
use crate::matrix::{TOKEN, token_file};
use crate::service::Service;

/// The identifier of the alert that tests add.
pub const ID: &str = "0123456789abcdef";

/// Adds an alert to a home.
pub fn add(home: &Path, id: &str, vintage: u32) {
    let alert = Alert {
        id: id.to_owned(),
        rule: "growth, by city".to_owned(),
        condition: "z".to_owned(),
        key: "4403".to_owned(),
        level: Some("city".to_owned()),
        month: Some(200_112),
        vintage,
        z: Some(-2.5),
        text: "Shenzhen fell".to_owned(),
        text_zh: "深圳下降".to_owned(),
        ..Alert::default()
    };
    let outcome = Outcome { alerts: vec![alert], ..Outcome::default() };
    let progress = Progress { vintage: Vintage(vintage), last_closed: None };
    let now = clock::now().expect("a time");
    let sinks = |_: &Alert| vec!["duty".to_owned()];
    let mut store = Store::open(home).expect("opened");
    store.record((progress, &States::new()), &outcome, now, &sinks).expect("stored");
}

#[test]
fn alerts_are_listed_as_other_tables_up_to_a_vintage() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let none = service.json("/api/v1/alerts");
    assert_eq!((&none["vintage"], none["rows"].as_array().map(Vec::len)), (&24.into(), Some(0)));
    add(&sandbox.home(), ID, 24);
    add(&sandbox.home(), "a-later-vintage", 25);
    let rows = service.json("/api/v1/alerts")["rows"].clone();
    let row = &rows.as_array().expect("rows")[0];
    assert_eq!((rows.as_array().map(Vec::len), &row["id"]), (Some(1), &ID.into()), "{rows}");
    let found = (&row["year"], &row["month"], &row["z"], &row["state"], &row["value"]);
    let null = serde_json::Value::Null;
    assert_eq!(found, (&2001.into(), &12.into(), &(-2.5).into(), &"raised".into(), &null));
    let n_rows = |query: &str| {
        let answer = service.json(&format!("/api/v1/alerts?{query}"));
        answer["rows"].as_array().map(Vec::len)
    };
    assert_eq!(n_rows("state=raised&level=city&key=4403,1100&condition=z"), Some(1));
    assert_eq!(n_rows("state=cleared"), Some(0));
    assert_eq!(n_rows("as_of=23"), Some(0));
    let csv = service.get("/api/v1/alerts.csv?columns=id,text_zh");
    assert_eq!(csv.text(), format!("id,text_zh\n{ID},深圳下降\n"));
    assert_eq!(service.get("/api/v1/alerts?stat=raised").code(), "unknown_parameter");
    for bad in ["year=eleven", "state=open"] {
        assert_eq!(service.get(&format!("/api/v1/alerts?{bad}")).code(), "bad_parameter", "{bad}");
    }
    let status = service.json("/api/v1/status");
    assert_eq!(status["alerts"]["raised"], 2);
    let metrics = service.get("/metrics");
    for line in ["spillover_alerts 2\n", "spillover_alerts_undelivered 2\n"] {
        assert!(metrics.text().contains(line), "{}", metrics.text());
    }
}

#[test]
fn an_acknowledgement_needs_a_token_and_is_the_one_write() {
    let sandbox = feed::home();
    add(&sandbox.home(), ID, 24);
    let path = format!("/api/v1/alerts/{ID}/ack");
    let open = Service::start::<&str>(&sandbox.home(), &[]);
    let refused = send(open.address, "POST", &path, &[]);
    assert_eq!((refused.status, refused.code().as_str()), (401, "unauthorized"));
    assert!(refused.text().contains("--token-file"), "{}", refused.text());
    let token = token_file(&sandbox);
    let service = Service::start(&sandbox.home(), &["--token-file", &token]);
    let own = format!("Bearer {TOKEN}");
    let post = |path: &str, headers: &[(&str, &str)]| send(service.address, "POST", path, headers);
    let site = [("Authorization", own.as_str()), ("Origin", "https://evil.example")];
    assert_eq!(post(&path, &site).code(), "cross_site");
    let first = post(&path, &[("Authorization", &own)]);
    assert_eq!(first.status, 200, "{}", first.text());
    let at = first.json()["rows"][0]["acknowledged_at"].clone();
    let again = post(&path, &[("Authorization", &own)]);
    assert_eq!(again.json()["rows"][0]["acknowledged_at"], at, "the first time stays");
    let list = send(service.address, "GET", "/api/v1/alerts", &[("Authorization", &own)]);
    assert_eq!(list.json()["rows"][0]["acknowledged_at"], at);
    let none = post("/api/v1/alerts/none/ack", &[("Authorization", &own)]);
    assert_eq!((none.status, none.code().as_str()), (404, "no_row"));
    let body = [("Authorization", own.as_str()), ("Content-Length", "5")];
    assert_eq!(post(&path, &body).code(), "body_too_large");
}

#[test]
fn a_new_alert_is_told_to_event_streams() {
    let sandbox = feed::home();
    add(&sandbox.home(), "an-old-alert", 24);
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let mut events = Events::open(&service, "");
    assert_eq!(events.next().0, "publication");
    add(&sandbox.home(), ID, 24);
    let (kind, id, data) = events.next();
    assert_eq!((kind.as_str(), &data["id"], id.is_some()), ("alert", &ID.into(), true));
    assert_eq!(data["text_zh"], "深圳下降");
}
