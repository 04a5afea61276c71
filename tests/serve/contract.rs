//! The `OpenAPI` document: every route is in it, and it changes on purpose alone.

use std::collections::BTreeSet;
use std::path::Path;

use crate::feed;
use crate::matrix::filled;
use crate::service::Service;

/// The document as it was last agreed; `UPDATE_EXPECT=1` writes it.
const AGREED: &str = "tests/serve/openapi.json";

#[test]
fn the_contract_is_the_agreed_one() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let found = service.json("/api/v1/openapi.json");
    assert_eq!(found["openapi"], "3.1.0");
    let text = serde_json::to_string_pretty(&found).expect("a document") + "\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(AGREED);
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        std::fs::write(&path, &text).expect("written");
    }
    let agreed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        text == agreed,
        "the API is not the agreed one in {AGREED}; if the change is wanted, run \
         `UPDATE_EXPECT=1 cargo test --test serve contract` and look at the difference"
    );
}

#[test]
fn every_route_is_in_the_document_and_each_of_its_parameters_is_known() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let document = service.json("/api/v1/openapi.json");
    let paths = document["paths"].as_object().expect("paths");
    let listed = include_str!("../../src/serve/routes.rs");
    let listed: BTreeSet<&str> = listed
        .lines()
        .filter_map(|line| line.trim().strip_prefix("path: \"")?.strip_suffix("\","))
        .collect();
    let found: BTreeSet<&str> = paths.keys().map(String::as_str).collect();
    assert_eq!(found, listed);
    let mut names = BTreeSet::new();
    for (path, item) in paths {
        let operation = item.get("get").unwrap_or(&item["post"]);
        assert!(names.insert(operation["operationId"].as_str().expect("a name")), "{path}");
        assert!(operation["responses"]["200"].is_object(), "{path}");
        let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
        let of_path = path.matches('{').count();
        let in_path = parameters.iter().filter(|of| of["in"] == "path");
        assert_eq!(in_path.count(), of_path, "{path}");
        for of in parameters.iter().filter(|of| of["in"] == "query") {
            // A known parameter with a strange value is refused by value, not by name.
            let name = of["name"].as_str().expect("a name");
            let answer = service.get(&format!("{}?{name}=%21", filled(path)));
            let is_unknown = answer.status == 400 && answer.code() == "unknown_parameter";
            assert!(!is_unknown, "{path}: {name}");
        }
    }
    let problem = &document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"];
    assert!(problem.as_array().is_some_and(|codes| codes.len() > 15), "{problem}");
}
