//! Estimates a regression with fixed effects on a file, without a home.
//!
//! ```sh
//! cargo run --release --example estimate_a_panel -- panel.csv \
//!     "ln_export ~ affiliate_growth | plant^year + country^year" "city^country"
//! ```

use std::path::PathBuf;

use spillover::estimate::formula::{Formula, Interaction};
use spillover::estimate::inference::{Inference, Vcov};
use spillover::estimate::{Options, estimate};
use spillover::panel::{ReadOptions, Table, Wanted};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [file, formula, cluster] = arguments.as_slice() else {
        return Err("give a panel, a formula and the clusters".into());
    };
    let formula = Formula::parse(formula)?;
    let vcov = Vcov::Clustered(Interaction::parse_sum(cluster)?);
    let wanted = Wanted::of(&formula, vcov.clusters(), None);
    let table = Table::read(&PathBuf::from(file), &wanted, &ReadOptions::default())?;
    let inference = Inference { vcov, ..Inference::default() };
    let options = Options { inference, ..Options::default() };
    let estimate = estimate(&table.panel()?, &formula, &options, None)?;
    for term in &estimate.terms {
        println!("{}: {:.4} (se {:?})", term.term, term.estimate, term.std_error);
    }
    println!("{} observations", estimate.n_obs);
    Ok(())
}
