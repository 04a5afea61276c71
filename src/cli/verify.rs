//! `verify`: recompute everything from the archive and compare.

use clap::Args;
use spillover::archive::Archive;
use spillover::engine::with_causes;
use spillover::verify::{FINDINGS_MAX, Verification, verify};

use super::progress::bar;
use super::{Done, Home, terminal};

#[derive(Debug, Args)]
pub struct Verify {
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
}

impl Verify {
    pub fn run(self, home: &Home) -> anyhow::Result<Done> {
        let archive = Archive::read(home.folder())?;
        let bar = bar(archive.files()?.len(), "recomputing");
        let verification = verify(archive, || bar.inc(1)).map_err(|error| {
            let text = with_causes(&error);
            anyhow::anyhow!("{text}")
        })?;
        bar.finish_and_clear();
        if self.json {
            print_json(&verification)?;
        } else {
            print(&verification);
        }
        Ok(if verification.n_findings == 0 { Done::Clean } else { Done::Damaged })
    }
}

fn print(verification: &Verification) {
    let Verification { n_segments, n_records, n_rows, findings, n_findings, old } = verification;
    println!(
        "{n_segments} segments, {n_records} accepted records, {n_rows} published rows recomputed"
    );
    for finding in findings {
        println!("{finding}");
    }
    for error in old {
        println!("no figure of now is affected, older vintages may be: {error}");
    }
    match n_findings {
        0 => println!("all figures are what the records say, bit for bit"),
        n if *n > FINDINGS_MAX => println!("{n} findings, the first {FINDINGS_MAX} shown"),
        n => println!("{n} findings"),
    }
}

fn print_json(verification: &Verification) -> anyhow::Result<()> {
    let findings: Vec<String> = verification.findings.iter().map(ToString::to_string).collect();
    let old: Vec<String> = verification.old.iter().map(ToString::to_string).collect();
    let json = serde_json::json!({
        "segments": verification.n_segments,
        "records": verification.n_records,
        "rows": verification.n_rows,
        "findings": findings,
        "n_findings": verification.n_findings,
        "old": old,
    });
    terminal::json(&json)
}
