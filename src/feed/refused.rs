//! Reasons for refusing a file.

use std::io;
use std::path::{Path, PathBuf};

use super::formats::kind::Foreign;
use super::formats::problem::TableProblem;
use super::pattern::FilePattern;
use super::shown::Shown;
use crate::domain::record::{KeptRejects, Reject, Rule};
use crate::files::trouble::{advice, remark};

/// The reason for refusing a file: the problem, its place, and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The file cannot be opened.
    #[error("cannot open {}{}", file.display(), remark(file, source))]
    Open {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file cannot be read to its end, or its packing is damaged.
    #[error(
        "cannot read {} to its end; {}",
        file.display(),
        advice(file, source, "it may be cut short or damaged: fetch it again")
    )]
    Read {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The file was written to during the reading.
    #[error("{file} changed while it was read; let it be whole first", file = file.display())]
    Changed {
        /// The file.
        file: PathBuf,
    },
    /// The file is not a readable zip archive, although it should be.
    #[error("{file} is not a zip archive that can be read; fetch it again", file = file.display())]
    Zip {
        /// The file.
        file: PathBuf,
        /// The cause.
        source: zip::result::ZipError,
    },
    /// The archive has no file that may be a table.
    #[error("{file} is an archive without a table; fetch it again", file = file.display())]
    NoTable {
        /// The file.
        file: PathBuf,
    },
    /// The archive has several members that may be the feed's, or none.
    #[error("{file} is an archive with {} files that may be the feed's ({}); put the name of \
             the one that is meant in the profile, [file] member = \"…\", with * for what varies",
             names.len(), quoted(names), file = file.display())]
    ZipMembers {
        /// The file.
        file: PathBuf,
        /// The names of these members.
        names: Vec<String>,
    },
    /// The archive has no member that matches the profile's pattern.
    #[error("{file} is an archive without a file called like \"{pattern}\"; it has {}; check \
             member in the profile's [file]", quoted(names), file = file.display())]
    NoMember {
        /// The file.
        file: PathBuf,
        /// The pattern of the feed's members.
        pattern: String,
        /// The names of the archive's members.
        names: Vec<String>,
    },
    /// The archive's member is encrypted.
    #[error("{file} is encrypted with a password; unpack it, and put the table in its place",
             file = file.display())]
    Password {
        /// The file.
        file: PathBuf,
    },
    /// The file is of an unsupported kind.
    #[error("{file} is {}, which is not read; {}", kind.name, kind.instead, file = file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
        /// The kind of the file.
        kind: &'static Foreign,
    },
    /// The file is of another kind than the profile declares.
    #[error("{file} is {found}, and the profile's [file] has format = \"{declared}\"; take the key \
             out, or fetch the file that is meant", file = file.display())]
    OtherFormat {
        /// The file.
        file: PathBuf,
        /// The kind of the file.
        found: &'static str,
        /// The format that the profile declares.
        declared: String,
    },
    /// The file is of a supported kind, but not a table of the feed.
    #[error("{file} is {kind} that cannot be read: {problem}", file = file.display())]
    Table {
        /// The file.
        file: PathBuf,
        /// The kind of the file.
        kind: &'static str,
        /// The reason why it cannot be read.
        problem: Box<TableProblem>,
    },
    /// The bytes are plainly of another encoding.
    #[error("{file} is written in {found}, and the profile reads {declared}; set [file] encoding = \
             \"{found}\", or \"detect\" if files differ", file = file.display())]
    OtherEncoding {
        /// The file.
        file: PathBuf,
        /// The profile's encoding.
        declared: String,
        /// The actual encoding.
        found: String,
    },
    /// The unpacked file is larger than allowed.
    #[error("{file} is more than {max_bytes} bytes unpacked; split it into several \
             files of the month",
             file = file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// The limit.
        max_bytes: u64,
    },
    /// The file unpacks to more than any table would.
    #[error("{file} unpacks from {packed_bytes} bytes to more than {n_bytes}, which no table \
             does; unpack it yourself if it is meant", file = file.display())]
    Bomb {
        /// The file.
        file: PathBuf,
        /// The packed size on disk.
        packed_bytes: u64,
        /// The number of bytes that were unpacked before the refusal.
        n_bytes: u64,
    },
    /// The file's name has no month.
    #[error("cannot tell the month of {file}: its name is not like \"{pattern}\"; rename it",
             file = file.display())]
    Period {
        /// The file.
        file: PathBuf,
        /// The pattern of the profile's files.
        pattern: FilePattern,
    },
    /// No line of the file has a month.
    #[error("cannot tell the months of {file}: none of its lines is a record; check the profile",
             file = file.display())]
    NoMonth {
        /// The file.
        file: PathBuf,
    },
    /// The file is empty.
    #[error("{file} is empty; its first line must be the header", file = file.display())]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// The first line cannot be split into columns.
    #[error("{file}, line {line}: the header breaks the rule \"{rule}\"; mend it, or check the \
             profile's delimiter", file = file.display())]
    Header {
        /// The file.
        file: PathBuf,
        /// The line of the header.
        line: u64,
        /// The broken rule.
        rule: Rule,
    },
    /// The header lacks columns of the profile.
    #[error("{file}, line {line}: no column {missing}; {advice}", file = file.display(), missing
             = quoted(missing))]
    MissingColumns {
        /// The file.
        file: PathBuf,
        /// The line of the header.
        line: u64,
        /// The columns that are missing.
        missing: Vec<String>,
        /// The likely cause.
        advice: Advice,
    },
    /// The header has a column of the profile more than once.
    #[error("{file}, line {line}: column \"{column}\" is there more than once; keep one", file =
             file.display())]
    DuplicateColumn {
        /// The file.
        file: PathBuf,
        /// The line of the header.
        line: u64,
        /// The column.
        column: String,
    },
    /// The profile finds cities by a concordance, which is missing.
    #[error("cannot place {file}: the profile finds cities in regions.csv, which is missing; put \
             it beside the feed", file = file.display())]
    NoConcordance {
        /// The file.
        file: PathBuf,
    },
    /// The file has more lines than there are line numbers.
    #[error("{file} has more than {} lines; split it", u32::MAX, file = file.display())]
    TooManyLines {
        /// The file.
        file: PathBuf,
    },
    /// More lines are rejected than can be kept.
    #[error("{file}: more than {rejects_max} lines are rejected; is it of this profile? first: \
             {first}", file = file.display(), first = places(first))]
    TooManyRejects {
        /// The file.
        file: PathBuf,
        /// The limit.
        rejects_max: usize,
        /// The first rejected lines.
        first: Vec<Shown>,
        /// The rejected lines that a home keeps.
        kept: KeptRejects,
    },
    /// A larger share of the lines is rejected than allowed.
    #[error("{file}: {rejected} of {lines} lines are rejected ({:.1} %, allowed are {:.1} %); \
             mend them, or raise max_rejected_share in spillover.toml in the home or the file \
             that --config names; first: {first}",
        percent(*rejected, *lines), max_rejected_share * 100.0, file = file.display(),
        first = places(first))]
    Rejected {
        /// The file.
        file: PathBuf,
        /// The number of rejected lines.
        rejected: u64,
        /// The number of all lines.
        lines: u64,
        /// The allowed share.
        max_rejected_share: f64,
        /// The first rejected lines.
        first: Vec<Shown>,
        /// The rejected lines that a home keeps.
        kept: KeptRejects,
    },
}

impl Refused {
    /// The refusal of a file whose share of rejected lines exceeds the allowed share.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share of lines is compared with an option")]
    pub fn share_of_rejects(
        file: &Path,
        (rejected, lines): (u64, u64),
        first: &[Shown],
        max_rejected_share: f64,
    ) -> Option<Self> {
        (rejected as f64 > max_rejected_share * lines as f64).then(|| Self::Rejected {
            file: file.to_owned(),
            rejected,
            lines,
            max_rejected_share,
            first: first.to_vec(),
            kept: KeptRejects::default(),
        })
    }

    /// The refusal with the rejected lines that a home keeps.
    #[must_use]
    pub fn keeping(mut self, rejects: Vec<Reject>) -> Self {
        if let Self::Rejected { kept, .. } | Self::TooManyRejects { kept, .. } = &mut self {
            *kept = KeptRejects::of(rejects);
        }
        self
    }

    /// The rejected lines that a home keeps.
    #[must_use]
    pub fn kept(&self) -> Option<&KeptRejects> {
        match self {
            Self::Rejected { kept, .. } | Self::TooManyRejects { kept, .. } => Some(kept),
            _ => None,
        }
    }

    /// True if the system, and not the file's bytes, prevented the reading.
    #[must_use]
    pub fn is_of_system(&self) -> bool {
        match self {
            Self::Open { source, .. } | Self::Read { source, .. } => {
                source.raw_os_error().is_some()
            }
            _ => false,
        }
    }
}

/// The likely cause of a header without the profile's columns.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Advice {
    /// Another delimiter would give all columns.
    #[error("the header has them when split at {0:?}: set the profile's delimiter")]
    Delimiter(char),
    /// Another encoding would give all columns.
    #[error(
        "the header is written in {found}, and the profile reads {declared}: set [file] \
             encoding = \"{found}\" if the lines are written in it, too; if only the header is, \
             write it in {declared}, or pass over it by skip_lines = 1, header = false and columns \
             by their number"
    )]
    Encoding {
        /// The header's encoding.
        found: String,
        /// The profile's encoding.
        declared: String,
    },
    /// The header has these columns.
    #[error("the header has {}: is it of this profile?", quoted(_0))]
    Has(Vec<String>),
}

/// The number of rejects in the message of a refusal.
pub(super) const REJECTS_SHOWN: usize = 5;
/// The number of a header's columns in the message of a refusal.
const COLUMNS_SHOWN: usize = 20;

fn quoted(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(COLUMNS_SHOWN).map(|name| format!("{name:?}")).collect();
    let more = if names.len() > COLUMNS_SHOWN { ", …" } else { "" };
    shown.join(", ") + more
}

fn places(shown: &[Shown]) -> String {
    shown.iter().take(REJECTS_SHOWN).map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn percent(part: u64, whole: u64) -> f64 {
    100.0 * part as f64 / whole as f64
}
