//! Errors of reading a panel.

use std::path::PathBuf;

use arrow_schema::{ArrowError, DataType};

use super::csv::CsvProblem;
use super::kind::Kind;
use crate::feed::formats::kind::Foreign;
use crate::feed::refused::Refused;
use crate::files::trouble::remark;

/// A file that is not a panel: the place, the cause and the remedy.
#[derive(Debug, thiserror::Error)]
pub enum PanelError {
    /// The file cannot be read.
    #[error("cannot read the panel {}{}", path.display(), remark(path, source))]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A pipe or a device cannot be read twice.
    #[error(
        "the panel {} is a pipe or a device; write it to a file first, and name the file",
        path.display()
    )]
    NotFile {
        /// The path.
        path: PathBuf,
    },
    /// The text cannot be unpacked or decoded.
    #[error(transparent)]
    Text(#[from] Refused),
    /// The file is of another kind.
    #[error("{} is {}, which is not read as a panel; {}", path.display(), kind.name, kind.instead)]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Its kind.
        kind: &'static Foreign,
    },
    /// An archive has no file or several.
    #[error(
        "{} is an archive of {} files ({}); unpack it and name the file of the panel",
        path.display(), names.len(), shown(names)
    )]
    Archive {
        /// The archive.
        path: PathBuf,
        /// The files in it.
        names: Vec<String>,
    },
    /// A binary table is in a packed file.
    #[error("{} is {kind} that is packed once more; unpack it first", path.display())]
    Packed {
        /// The file.
        path: PathBuf,
        /// Its content.
        kind: &'static str,
    },
    /// A line cannot be read.
    #[error("{}, line {line}: {problem}", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// The line; the first line is 1.
        line: u64,
        /// The problem.
        problem: Box<CsvProblem>,
    },
    /// The Parquet file cannot be read.
    #[error("the Parquet file {} cannot be read; write it again", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: parquet::errors::ParquetError,
    },
    /// The Arrow file cannot be read.
    #[error("the Arrow file {} cannot be read; write it again", path.display())]
    Arrow {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: ArrowError,
    },
    /// A column's values have parts.
    #[error(
        "{}: column {column:?} is of type {data_type}, which is neither a number nor a level; \
         write its parts as columns",
        path.display()
    )]
    Type {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// Its type.
        data_type: DataType,
    },
    /// A column is used as numbers and has none.
    #[error(
        "{}: column {column:?} holds {}, not numbers; use it after | as a fixed effect, or write \
         the numbers that are meant as a column",
        path.display(), kind.plural()
    )]
    NotNumbers {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The kind of its values.
        kind: Kind,
    },
    /// The file has no line.
    #[error("{} is empty; a panel has a header with the names of its columns", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Two columns have the requested name.
    #[error("{} has two columns {column:?}; give each a name of its own", path.display())]
    Twice {
        /// The file.
        path: PathBuf,
        /// The name.
        column: String,
    },
    /// No column has the requested name.
    #[error(
        "{} has no column {column:?}; {}it has {}",
        path.display(),
        near.as_ref().map_or(String::new(), |near| format!("did you mean {near:?}? ")),
        shown(there)
    )]
    Unknown {
        /// The file.
        path: PathBuf,
        /// The requested column.
        column: String,
        /// The column with the most similar name.
        near: Option<String>,
        /// The existing columns.
        there: Vec<String>,
    },
    /// The folder has no files of a panel.
    #[error("the folder {} has no Parquet files; name a file, or a folder of them", path.display())]
    NoFiles {
        /// The folder.
        path: PathBuf,
    },
    /// The folder has more than files.
    #[error(
        "the folder {} has a folder {name:?}; a panel is a folder of Parquet files without \
         folders: write partitions such as year=2001 as a column",
        path.display()
    )]
    Partitions {
        /// The folder.
        path: PathBuf,
        /// The folder in it.
        name: String,
    },
    /// A file of the folder is not Parquet.
    #[error(
        "{} is not a Parquet file, and a folder of a panel holds Parquet files only; remove it \
         from the folder",
        path.display()
    )]
    Stray {
        /// The file.
        path: PathBuf,
    },
    /// The files of a folder differ in a column.
    #[error(
        "column {column:?} holds {} in {} and {} in {}; write one type in all files of the folder",
        kinds[0].plural(), first.display(), kinds[1].plural(), other.display()
    )]
    Differ {
        /// The column.
        column: String,
        /// The folder's first file.
        first: PathBuf,
        /// Another file of the folder.
        other: PathBuf,
        /// The kinds of the column's values in both.
        kinds: [Kind; 2],
    },
    /// An option of text panels is given for a file of another kind.
    #[error(
        "--{option} is for panels of text, and {} is {kind}: its values have types; leave the \
         option out",
        path.display()
    )]
    Option {
        /// The file.
        path: PathBuf,
        /// Its kind.
        kind: &'static str,
        /// The option.
        option: &'static str,
    },
}

/// The largest number of names in a message.
const NAMES_SHOWN: usize = 20;

fn shown(names: &[String]) -> String {
    let some: Vec<String> = names.iter().take(NAMES_SHOWN).map(|n| format!("{n:?}")).collect();
    match (names.len(), names.len().saturating_sub(NAMES_SHOWN)) {
        (0, _) => "none".to_owned(),
        (_, 0) => some.join(", "),
        (_, more) => format!("{} and {more} more", some.join(", ")),
    }
}
