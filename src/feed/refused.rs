//! Why nothing of a file counts.

use std::io;
use std::path::{Path, PathBuf};

use super::formats::kind::Foreign;
use super::formats::problem::TableProblem;
use super::pattern::FilePattern;
use super::shown::Shown;
use crate::domain::record::Rule;
use crate::files::trouble::{advice, remark};

/// Why nothing of a file counts: what, where, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// It cannot be opened.
    #[error("cannot open {}{}", file.display(), remark(file, source))]
    Open {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It cannot be read to its end, or its packing is damaged.
    #[error(
        "cannot read {} to its end; {}",
        file.display(),
        advice(file, source, "it may be cut short or damaged: fetch it again")
    )]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It was written to while it was read.
    #[error("{file} changed while it was read; let it be whole first", file = file.display())]
    Changed {
        /// The file.
        file: PathBuf,
    },
    /// It should be a zip archive.
    #[error("{file} is not a zip archive that can be read; fetch it again", file = file.display())]
    Zip {
        /// The file.
        file: PathBuf,
        /// Why.
        source: zip::result::ZipError,
    },
    /// An archive with no file that may be a table.
    #[error("{file} is an archive without a table; fetch it again", file = file.display())]
    NoTable {
        /// The file.
        file: PathBuf,
    },
    /// A zip archive of which not exactly one member can be meant.
    #[error("{file} is an archive with {} files that may be the feed's ({}); put the name of \
             the one that is meant in the profile, [file] member = \"…\", with * for what varies",
             names.len(), quoted(names), file = file.display())]
    ZipMembers {
        /// The file.
        file: PathBuf,
        /// What may be meant.
        names: Vec<String>,
    },
    /// A zip archive without a member that is called as the profile says.
    #[error("{file} is an archive without a file called like \"{pattern}\"; it has {}; check \
             member in the profile's [file]", quoted(names), file = file.display())]
    NoMember {
        /// The file.
        file: PathBuf,
        /// What the feed's members are called.
        pattern: String,
        /// What it has.
        names: Vec<String>,
    },
    /// A zip archive whose member is encrypted.
    #[error("{file} is encrypted with a password; unpack it, and put the table in its place",
             file = file.display())]
    Password {
        /// The file.
        file: PathBuf,
    },
    /// A kind of file that is not read.
    #[error("{file} is {}, which is not read; {}", kind.name, kind.instead, file = file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
        /// What it is.
        kind: &'static Foreign,
    },
    /// A kind of file that the profile does not name.
    #[error("{file} is {found}, and the profile's [file] has format = \"{declared}\"; take the key \
             out, or fetch the file that is meant", file = file.display())]
    OtherFormat {
        /// The file.
        file: PathBuf,
        /// What it is.
        found: &'static str,
        /// What the profile says.
        declared: String,
    },
    /// It is of a kind that is read, but no table of the feed.
    #[error("{file} is {kind} that cannot be read: {problem}", file = file.display())]
    Table {
        /// The file.
        file: PathBuf,
        /// What it is.
        kind: &'static str,
        /// Why it cannot be read.
        problem: Box<TableProblem>,
    },
    /// Its bytes are plainly of another encoding.
    #[error("{file} is written in {found}, and the profile reads {declared}; set [file] encoding = \
             \"{found}\", or \"detect\" if files differ", file = file.display())]
    OtherEncoding {
        /// The file.
        file: PathBuf,
        /// What the profile says.
        declared: String,
        /// What it is.
        found: String,
    },
    /// Unpacked, it is larger than allowed.
    #[error("{file} is more than {max_bytes} bytes unpacked; split it into several \
             files of the month",
             file = file.display())]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// The limit.
        max_bytes: u64,
    },
    /// It unpacks to so much that it is no table.
    #[error("{file} unpacks from {packed_bytes} bytes to more than {n_bytes}, which no table \
             does; unpack it yourself if it is meant", file = file.display())]
    Bomb {
        /// The file.
        file: PathBuf,
        /// Its size as it lies there.
        packed_bytes: u64,
        /// How much had come out of it.
        n_bytes: u64,
    },
    /// Its name names no month.
    #[error("cannot tell the month of {file}: its name is not like \"{pattern}\"; rename it",
             file = file.display())]
    Period {
        /// The file.
        file: PathBuf,
        /// What the profile's files are called.
        pattern: FilePattern,
    },
    /// No line of it names a month.
    #[error("cannot tell the months of {file}: none of its lines is a record; check the profile",
             file = file.display())]
    NoMonth {
        /// The file.
        file: PathBuf,
    },
    /// Nothing is in it.
    #[error("{file} is empty; its first line must be the header", file = file.display())]
    Empty {
        /// The file.
        file: PathBuf,
    },
    /// Its first line cannot be told apart into columns.
    #[error("{file}, line {line}: the header breaks the rule \"{rule}\"; mend it, or check the \
             profile's delimiter", file = file.display())]
    Header {
        /// The file.
        file: PathBuf,
        /// Where the header is.
        line: u64,
        /// What it breaks.
        rule: Rule,
    },
    /// The header lacks columns of the profile.
    #[error("{file}, line {line}: no column {missing}; {advice}", file = file.display(), missing
             = quoted(missing))]
    MissingColumns {
        /// The file.
        file: PathBuf,
        /// Where the header is.
        line: u64,
        /// The columns that are missing.
        missing: Vec<String>,
        /// What it looks like.
        advice: Advice,
    },
    /// The header has a column of the profile more than once.
    #[error("{file}, line {line}: column \"{column}\" is there more than once; keep one", file =
             file.display())]
    DuplicateColumn {
        /// The file.
        file: PathBuf,
        /// Where the header is.
        line: u64,
        /// The column.
        column: String,
    },
    /// The profile finds cities by a concordance, and there is none.
    #[error("cannot place {file}: the profile finds cities in regions.csv, which is missing; put \
             it beside the feed", file = file.display())]
    NoConcordance {
        /// The file.
        file: PathBuf,
    },
    /// More lines than line numbers.
    #[error("{file} has more than {} lines; split it", u32::MAX, file = file.display())]
    TooManyLines {
        /// The file.
        file: PathBuf,
    },
    /// More rejected lines than are kept.
    #[error("{file}: more than {rejects_max} lines are rejected; is it of this profile? first: \
             {first}", file = file.display(), first = places(first))]
    TooManyRejects {
        /// The file.
        file: PathBuf,
        /// The limit.
        rejects_max: usize,
        /// The first of them.
        first: Vec<Shown>,
    },
    /// A larger share of its lines is rejected than allowed.
    #[error("{file}: {rejected} of {lines} lines are rejected ({:.1} %, allowed are {:.1} %); \
             mend them, or raise max_rejected_share in spillover.toml in the home or the file \
             that --config names; first: {first}",
        percent(*rejected, *lines), max_rejected_share * 100.0, file = file.display(),
        first = places(first))]
    Rejected {
        /// The file.
        file: PathBuf,
        /// Rejected lines.
        rejected: u64,
        /// All lines.
        lines: u64,
        /// The share that is allowed.
        max_rejected_share: f64,
        /// The first of them.
        first: Vec<Shown>,
    },
}

impl Refused {
    /// That a larger share of a file's lines is rejected than allowed, if so.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a share of lines is compared with an option")]
    pub fn share_of_rejects(
        file: &Path,
        (rejected, lines): (u64, u64),
        first: &[Shown],
        max_rejected_share: f64,
    ) -> Option<Self> {
        let (file, first) = (file.to_owned(), first.to_vec());
        (rejected as f64 > max_rejected_share * lines as f64).then_some(Self::Rejected {
            file,
            rejected,
            lines,
            max_rejected_share,
            first,
        })
    }

    /// Whether the system kept the file from being read, for which its bytes are not to blame.
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

/// What a header without the profile's columns looks like.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Advice {
    /// Another delimiter would give all of them.
    #[error("the header has them when split at {0:?}: set the profile's delimiter")]
    Delimiter(char),
    /// In another encoding it has all of them.
    #[error(
        "the header is written in {found}, and the profile reads {declared}: set [file] \
             encoding = \"{found}\" if the lines are written in it, too; if only the header is, \
             write it in {declared}, or pass over it by skip_lines = 1, header = false and columns \
             by their number"
    )]
    Encoding {
        /// Its encoding.
        found: String,
        /// That of the profile.
        declared: String,
    },
    /// It has these.
    #[error("the header has {}: is it of this profile?", quoted(_0))]
    Has(Vec<String>),
}

/// How many rejects a refusal shows.
pub(super) const REJECTS_SHOWN: usize = 5;
/// How many of a header's columns a refusal shows.
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
