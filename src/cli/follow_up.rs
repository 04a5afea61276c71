//! Work after a change of a home, which speeds up the next start and the next reading. It changes
//! no figure.

use spillover::engine::{Engine, with_causes};
use spillover::home::{Compaction, CompactionRules};

/// The number of years of tables that a compaction folded; prints those that could not be read.
pub fn n_folded(done: &Compaction) -> usize {
    for damaged in &done.damaged {
        eprintln!(
            "a year of a table was not folded and is unchanged: {}; run `verify`",
            with_causes(damaged)
        );
    }
    done.n_chains
}

/// Writes a snapshot and folds parts if they are due.
pub fn follow_up(engine: &mut Engine) -> anyhow::Result<()> {
    engine.snapshot_if_due()?;
    engine.store_missing_runs()?;
    n_folded(&engine.compact(CompactionRules::default())?);
    Ok(())
}
