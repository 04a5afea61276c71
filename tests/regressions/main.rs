//! The paper's tables from a home, through the binary: compared with pyfixest and with the truth of
//! a linear feed, and the times of writing.

#[path = "../common/mod.rs"]
mod common;

mod beside;
mod commands;
mod golden;
mod homes;
mod identity;
mod influence;
mod months;
mod paper;
mod samples;
mod stored;
mod truth;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use common::{Run, Sandbox, run};

/// A file of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A home with `streams/demo`, created once; tests that change a home create their own.
fn demo() -> &'static Sandbox {
    static DEMO: OnceLock<Sandbox> = OnceLock::new();
    DEMO.get_or_init(|| {
        let sandbox = Sandbox::new();
        // The tests estimate, not the close of a year: they read the estimates that they request.
        sandbox.options("estimate = []");
        sandbox.ingest(&[&repository("streams/demo")], 1);
        sandbox
    })
}

/// Runs the binary on a home without a writer's lock, like readers; a column may lack data.
fn estimate(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let run = sandbox.run([&["estimate"], arguments].concat());
    assert!(matches!(run.code, Some(0 | 3)), "estimate {arguments:?}: {}", run.stderr);
    run
}

/// The models of an estimation by name.
fn models(sandbox: &Sandbox, arguments: &[&str]) -> BTreeMap<String, serde_json::Value> {
    let run = estimate(sandbox, &[arguments, &["--format", "json"]].concat());
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    let models = json["models"].as_array().expect("models").clone();
    models.into_iter().map(|m| (m["name"].as_str().expect("a name").to_owned(), m)).collect()
}

/// A term of a model.
fn term<'m>(model: &'m serde_json::Value, name: &str) -> &'m serde_json::Value {
    let terms = model["terms"].as_array().expect("terms");
    terms.iter().find(|term| term["term"] == name).unwrap_or_else(|| panic!("{name}: {model}"))
}

fn number(value: &serde_json::Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// A simulated feed.
fn simulate(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_spillover"));
    let run = run(command.arg("simulate").arg("--out").arg(folder).args(arguments));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
}
