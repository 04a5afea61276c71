//! Why a file that is no text is not a table of the feed.

/// Why a table cannot be read, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum TableProblem {
    /// Its bytes are not as its format has them.
    #[error("it may be cut short or damaged: fetch it again, or save it once more; {cause}")]
    Damaged {
        /// What its reader says.
        cause: String,
    },
    /// It has several tables.
    #[error(
        "it has {} {key}s ({}); name the one that is meant in the profile, [file] {key} = \"…\"",
        names.len(), shown(names)
    )]
    Several {
        /// The key of the profile that names one.
        key: &'static str,
        /// Their names.
        names: Vec<String>,
    },
    /// It has no table of the name in the profile.
    #[error(
        "it has no {key} \"{wanted}\", but {}; check {key} in the profile's [file]",
        shown(names)
    )]
    Missing {
        /// The key of the profile.
        key: &'static str,
        /// What the profile says.
        wanted: String,
        /// What it has.
        names: Vec<String>,
    },
    /// It has no table at all.
    #[error("it has no {key}; check that it is the file that is meant")]
    Nothing {
        /// What it has none of.
        key: &'static str,
    },
    /// An identifier or a code is a number that cannot hold its digits.
    #[error(
        "row {row}, column \"{column}\": the code {value} is stored as a real of {n_bits} bits, \
         which has lost digits; write it as text or as a whole number"
    )]
    LostDigits {
        /// The row, the names of columns being the first.
        row: u64,
        /// The column.
        column: String,
        /// What it holds.
        value: String,
        /// The size of the real.
        n_bits: u8,
    },
    /// Fewer rows than it says.
    #[error(
        "its table \"{table}\" has {found} rows that can be found, and says that it has {stated}; \
         compact and repair the database in Access"
    )]
    Rows {
        /// The table.
        table: String,
        /// How many it says.
        stated: u64,
        /// How many there are.
        found: u64,
    },
    /// A column of values that have parts.
    #[error(
        "column \"{column}\" is of type {data_type}, which is no value; write its parts as \
             columns"
    )]
    Type {
        /// The column.
        column: String,
        /// Its type.
        data_type: String,
    },
    /// It is encrypted.
    #[error("it is protected by a password; save it without one")]
    Password,
    /// Bytes of texts that only the profile can name the encoding of.
    #[error(
        "it does not say how its texts are encoded; put the encoding in the profile's [file], \
             such as encoding = \"gb18030\""
    )]
    Encoding,
    /// Nobody wants its rows any more.
    #[error("reading stopped")]
    Stopped,
}

impl TableProblem {
    /// Bytes that are not as the format has them.
    pub(super) fn damaged(cause: impl std::fmt::Display) -> Self {
        Self::Damaged { cause: cause.to_string() }
    }
}

/// How many names a message shows.
const NAMES_SHOWN: usize = 20;

fn shown(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(NAMES_SHOWN).map(|n| format!("{n:?}")).collect();
    let more = if names.len() > NAMES_SHOWN { ", …" } else { "" };
    shown.join(", ") + more
}
