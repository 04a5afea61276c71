//! Progress on the standard error, silent where that is no terminal.

use indicatif::{ProgressBar, ProgressStyle};
use spillover::archive::{Publication, Seen};
use spillover::engine::{FileOutcome, Observer, Outcome, with_causes};

/// A bar over a known number of things.
pub fn bar(n_things: usize, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}")
        .expect("a valid template");
    ProgressBar::new(n_things as u64).with_style(style).with_message(what)
}

/// A count of things whose number is not known before they are looked up.
pub fn counter(what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {pos}").expect("a valid template");
    ProgressBar::no_length().with_style(style).with_message(what)
}

/// Shows files as they are taken in, and says what was not.
pub struct Files {
    bar: ProgressBar,
}

impl Files {
    /// Watches a number of files.
    pub fn watch(n_files: usize) -> Self {
        Self { bar: bar(n_files, "taking in") }
    }
}

impl Observer for Files {
    fn file(&mut self, outcome: &FileOutcome) {
        self.bar.inc(1);
        let path = outcome.path.display();
        let message = match &outcome.outcome {
            Outcome::Accepted { counts, .. } if counts.rejected_total() > 0 => {
                let n_rejected = counts.rejected_total();
                format!(
                    "{path}: {n_rejected} of {} lines rejected; see `export rejects`",
                    counts.lines
                )
            }
            Outcome::Accepted { counts, .. } if counts.lines == 0 => {
                format!("{path}: no line but the header; the month counts as one without trade")
            }
            Outcome::Accepted { .. } => return,
            Outcome::Seen(Seen::Known { accepted_as, superseded_by: None }) => {
                format!("{path}: skipped, these bytes were accepted before as {accepted_as}")
            }
            Outcome::Seen(Seen::Known { accepted_as, superseded_by: Some(by) }) => format!(
                "{path}: skipped, these bytes were accepted before as {accepted_as}, whose place \
                 vintage {by} has taken; withdraw that one first if these are to count again"
            ),
            Outcome::Seen(Seen::Withdrawn { accepted_as, at }) => format!(
                "{path}: left out, these bytes were accepted as {accepted_as} and withdrawn as \
                 vintage {at}; name the file itself to take them in again"
            ),
            Outcome::Refused(refusal) => format!("refused: {}", with_causes(refusal)),
        };
        self.bar.suspend(|| eprintln!("{message}"));
    }

    fn publishing(&mut self, _: Publication) {
        self.bar.set_message("publishing");
        self.bar.tick();
        self.bar.set_message("taking in");
    }
}
