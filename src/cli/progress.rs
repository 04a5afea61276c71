//! Progress on the standard error; silent if that is not a terminal.

use indicatif::{ProgressBar, ProgressStyle};
use spillover::engine::{FileOutcome, Observer, Outcome, Refusal, with_causes};
use spillover::feed::refused::Refused;
use spillover::home::{Publication, Seen};

/// A bar over a known number of things.
pub fn bar(n_things: usize, what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}")
        .expect("a valid template");
    ProgressBar::new(n_things as u64).with_style(style).with_message(what)
}

/// A count of things whose total is unknown in advance.
pub fn counter(what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {pos}").expect("a valid template");
    ProgressBar::no_length().with_style(style).with_message(what)
}

/// Shows files during intake, and lists skipped and refused files at the end. A few refusals would
/// be lost among many files.
pub struct Files {
    bar: ProgressBar,
    /// The message for each skipped file.
    skipped: Vec<String>,
    /// The number of withdrawn files among them.
    n_withdrawn: usize,
    /// The message for each refused file.
    refused: Vec<String>,
    /// The message for the first file that waits for a missing month, and the number of further
    /// ones.
    gap: Option<(String, usize)>,
}

impl Files {
    /// Watches a number of files; some were refused by their names.
    pub fn watch(n_files: usize, refused: &[Refused]) -> Self {
        let refused = refused.iter().map(|refused| with_causes(refused)).collect();
        let bar = bar(n_files, "taking in");
        Self { bar, skipped: Vec::new(), n_withdrawn: 0, refused, gap: None }
    }

    /// Prints the number of skipped files, or lists them.
    pub fn tell_skipped(&self, how: Skipped) {
        let (n_withdrawn, n_known) = (self.n_withdrawn, self.skipped.len() - self.n_withdrawn);
        if how == Skipped::Listed {
            self.skipped.iter().for_each(|file| eprintln!("{file}"));
            return;
        }
        if let [file] = &self.skipped[..] {
            eprintln!("{file}");
            return;
        }
        if n_known > 0 {
            eprintln!("{n_known} files skipped: accepted before; --verbose lists them");
        }
        if n_withdrawn > 0 {
            eprintln!(
                "{n_withdrawn} files left out: withdrawn; name a file by itself to ingest it \
                again, --verbose lists them"
            );
        }
    }

    /// Lists refused files with the remedy; files that wait for one month are one entry.
    pub fn tell_refused(&self) {
        if let Some((first, n_more)) = &self.gap {
            eprintln!("refused: {first}");
            if *n_more > 0 {
                eprintln!("refused: {n_more} files of later months, for the same reason");
            }
        }
        self.refused.iter().for_each(|refused| eprintln!("refused: {refused}"));
    }
}

/// The way in which a command reports skipped files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skipped {
    /// Only their number.
    Counted,
    /// One by one.
    Listed,
}

impl Observer for Files {
    fn file(&mut self, outcome: &FileOutcome) {
        self.bar.inc(1);
        let path = outcome.path.display();
        let mut messages = Vec::new();
        if let Outcome::Accepted { findings, .. } = &outcome.outcome {
            messages.extend(findings.iter().map(|finding| format!("{path}: {finding}")));
        }
        messages.push(match &outcome.outcome {
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
            Outcome::Accepted { .. } => String::new(),
            Outcome::Seen(seen) => {
                self.n_withdrawn += usize::from(matches!(seen, Seen::Withdrawn { .. }));
                self.skipped.push(format!("{path}: {}", skipped(seen)));
                return;
            }
            Outcome::Refused(refusal @ Refusal::Gap { .. }) => {
                match &mut self.gap {
                    Some((_, n_more)) => *n_more += 1,
                    None => self.gap = Some((with_causes(refusal), 0)),
                }
                return;
            }
            Outcome::Refused(refusal) => {
                let see =
                    if refusal.has_rejects() { "; see `export rejects --refused`" } else { "" };
                self.refused.push(format!("{}{see}", with_causes(refusal)));
                return;
            }
        });
        messages.retain(|message| !message.is_empty());
        self.bar.suspend(|| messages.iter().for_each(|message| eprintln!("{message}")));
    }

    fn publishing(&mut self, _: Publication) {
        self.bar.set_message("publishing");
        self.bar.tick();
        self.bar.set_message("taking in");
    }
}

/// The message for a skipped file, with the reason.
fn skipped(seen: &Seen) -> String {
    match seen {
        Seen::Known { accepted_as, superseded_by: None } => {
            format!("skipped, these bytes were accepted before as {accepted_as}")
        }
        Seen::Known { accepted_as, superseded_by: Some(by) } => format!(
            "skipped, these bytes were accepted before as {accepted_as}, which vintage {by} \
             replaced; to count them again, withdraw vintage {by} first"
        ),
        Seen::Withdrawn { accepted_as, at } => format!(
            "left out, these bytes were accepted as {accepted_as} and withdrawn as vintage {at}; \
             name the file itself to ingest them again"
        ),
    }
}
