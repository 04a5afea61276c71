//! The texts that create the tables of the manifest, and the numbers of its layouts.

/// The tables of the first layout.
pub(super) const SCHEMA: &str = include_str!("schema.sql");
/// The tables of revisions.
pub(super) const REVISIONS: &str = include_str!("revisions.sql");
/// The columns and tables of parts with facts.
pub(super) const FACTS: &str = include_str!("facts.sql");
/// The times of commits.
pub(super) const TIMES: &str = include_str!("times.sql");
/// The notes on files: coverage, findings, columns.
pub(super) const INTAKE: &str = include_str!("intake.sql");
/// The folds of parts.
pub(super) const FOLDS: &str = include_str!("folds.sql");
/// Panels, memories and estimates.
pub(super) const RESULTS: &str = include_str!("results.sql");
/// The runs of files.
pub(super) const RUNS: &str = include_str!("runs.sql");
/// The `user_version` of the database; each layout has another number.
pub(super) const LAYOUT: i64 = 10;
/// The first layout that identifies estimates by their content.
pub(super) const LAYOUT_OF_CONTENT: i64 = 3;
/// The first layout with facts in the parts of tables, and with folds.
pub(super) const LAYOUT_OF_FACTS: i64 = 4;
/// The first layout with times of commits.
pub(super) const LAYOUT_OF_TIMES: i64 = 5;
/// The first layout with files of several months, replaced as a whole or in part.
pub(super) const LAYOUT_OF_NOTES: i64 = 6;
/// The first layout that keeps the columns of files whose rejects may be read again.
pub(super) const LAYOUT_OF_COLUMNS: i64 = 7;
/// The first layout that keeps the rejected lines of refused files.
pub(super) const LAYOUT_OF_REFUSED: i64 = 8;
/// The first layout with the runs of files.
pub(super) const LAYOUT_OF_RUNS: i64 = 9;
/// The first layout with estimates at the close of months, and panels of months.
pub(super) const LAYOUT_OF_MONTHS: i64 = 10;
/// The oldest readable layout; a writer converts it to the newest first.
pub(super) const LAYOUT_MIN: i64 = 2;
