//! What follows a change of a home: it makes the next start and the next look quick, and changes no
//! figure.

use spillover::engine::{Engine, with_causes};
use spillover::home::CompactionRules;

/// Folds what is due by some rules, and says what could not be read; gives how many years of tables
/// were folded.
pub fn compact(engine: &mut Engine, rules: CompactionRules) -> anyhow::Result<usize> {
    let done = engine.compact(rules)?;
    for damaged in &done.damaged {
        eprintln!(
            "a year of a table was not folded, and stays as it is: {}; run `verify`",
            with_causes(damaged)
        );
    }
    Ok(done.n_chains)
}

/// Keeps a snapshot and folds parts where they are due.
pub fn follow_up(engine: &mut Engine) -> anyhow::Result<()> {
    engine.snapshot_if_due()?;
    compact(engine, CompactionRules::default())?;
    Ok(())
}
