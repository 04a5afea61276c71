//! Problems of binary files.

/// The reason why a table cannot be read, with its remedy.
#[derive(Debug, thiserror::Error)]
pub enum TableProblem {
    /// The bytes do not follow the format.
    #[error("it may be cut short or damaged: fetch it again, or save it once more; {cause}")]
    Damaged {
        /// The error of the reader.
        cause: String,
    },
    /// The file has several tables.
    #[error(
        "it has {} {key}s ({}); name the one that is meant in the profile, [file] {key} = \"…\"",
        names.len(), shown(names)
    )]
    Several {
        /// The profile's key that names one.
        key: &'static str,
        /// The names of the tables.
        names: Vec<String>,
    },
    /// The file has no table of the name in the profile.
    #[error(
        "it has no {key} \"{wanted}\", but {}; check {key} in the profile's [file]",
        shown(names)
    )]
    Missing {
        /// The profile's key.
        key: &'static str,
        /// The profile's name of the table.
        wanted: String,
        /// The names of the file's tables.
        names: Vec<String>,
    },
    /// The file has no table at all.
    #[error("it has no {key}; check that it is the file that is meant")]
    Nothing {
        /// The kind of the missing table.
        key: &'static str,
    },
    /// An identifier or a code is a number that cannot hold its digits.
    #[error(
        "row {row}, column \"{column}\": the code {value} is stored as a real of {n_bits} bits, \
         which has lost digits; write it as text or as a whole number"
    )]
    LostDigits {
        /// The row, counted from the names of columns as 1.
        row: u64,
        /// The column.
        column: String,
        /// The cell's value.
        value: String,
        /// The size of the real in bits.
        n_bits: u8,
    },
    /// The table has fewer rows than it states.
    #[error(
        "its table \"{table}\" has {found} rows that can be found, and says that it has {stated}; \
         compact and repair the database in Access"
    )]
    Rows {
        /// The table.
        table: String,
        /// The stated number of rows.
        stated: u64,
        /// The number of rows that were found.
        found: u64,
    },
    /// A column of composite values.
    #[error(
        "column \"{column}\" is of type {data_type}, which is no value; write its parts as \
             columns"
    )]
    Type {
        /// The column.
        column: String,
        /// The type of the column.
        data_type: String,
    },
    /// The file is encrypted.
    #[error("it is protected by a password; save it without one")]
    Password,
    /// The texts are in an encoding that only the profile can name.
    #[error(
        "it does not say how its texts are encoded; put the encoding in the profile's [file], \
             such as encoding = \"gb18030\""
    )]
    Encoding,
    /// The receiver of the rows stopped.
    #[error("reading stopped")]
    Stopped,
}

impl TableProblem {
    /// A problem with bytes that do not follow the format.
    pub(super) fn damaged(cause: impl std::fmt::Display) -> Self {
        Self::Damaged { cause: cause.to_string() }
    }
}

/// The largest number of names in a message.
const NAMES_SHOWN: usize = 20;

fn shown(names: &[String]) -> String {
    let shown: Vec<String> = names.iter().take(NAMES_SHOWN).map(|n| format!("{n:?}")).collect();
    let more = if names.len() > NAMES_SHOWN { ", …" } else { "" };
    shown.join(", ") + more
}
