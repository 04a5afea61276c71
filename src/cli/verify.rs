//! `verify`: recompute all figures from the home and compare them.

use clap::Args;
use spillover::check::verify::{Affected, FINDINGS_MAX, Verification, verify};
use spillover::engine::with_causes;
use spillover::home::Home;
use spillover::watch::damage;

use super::ending::Done;
use super::home_options::HomeOptions;
use super::progress::bar;
use super::terminal;

#[derive(Debug, Args)]
pub struct Verify {
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        let opened = Home::read(home.folder())?;
        let bar = bar(opened.files()?.len(), "recomputing");
        let verification = verify(&opened, || bar.inc(1)).map_err(|error| {
            let text = with_causes(&error);
            anyhow::anyhow!("{text}")
        })?;
        let of_watcher = damage(home.folder());
        bar.finish_and_clear();
        if self.json {
            print_json(&verification, &of_watcher)?;
        } else {
            print(&verification, &of_watcher);
        }
        let is_whole = verification.n_findings == 0 && of_watcher.is_empty();
        Ok(if is_whole { Done::Clean } else { Done::Damaged })
    }
}

fn print(verification: &Verification, of_watcher: &[String]) {
    let Verification { n_segments, n_records, n_rows, findings, n_findings, .. } = verification;
    println!(
        "{n_segments} segments, {n_records} accepted records, {n_rows} published rows recomputed"
    );
    for finding in findings {
        println!("{finding}");
    }
    for finding in of_watcher {
        println!("{}: {finding}", Affected::Nothing);
    }
    let affected = &verification.affected;
    match n_findings + of_watcher.len() {
        0 => println!("all figures equal those of the records, bit for bit"),
        n if *n_findings > FINDINGS_MAX => {
            println!("{n} findings, the first {FINDINGS_MAX} shown; {affected}");
        }
        n => println!("{n} findings; {affected}"),
    }
}

fn print_json(verification: &Verification, of_watcher: &[String]) -> anyhow::Result<()> {
    let findings = verification.findings.iter().map(ToString::to_string);
    let findings: Vec<String> = findings.chain(of_watcher.iter().cloned()).collect();
    let json = serde_json::json!({
        "segments": verification.n_segments,
        "records": verification.n_records,
        "rows": verification.n_rows,
        "findings": findings,
        "n_findings": verification.n_findings + of_watcher.len(),
        "affected": verification.affected.name(),
    });
    terminal::json(&json)
}
