//! A panel from a file: any table in text, Parquet or Arrow as columns of numbers and of levels.
//!
//! ```text
//! file ─ file_kind ─┬─ text, packed or not ─ csv ─────┐
//!     (first bytes) ├─ Parquet, folders of it ────────┼─▶ Table ─▶ Panel
//!                   └─ Arrow, Feather ────────────────┘
//! ```
//! Input: a file and the requested columns, each as numbers, as levels of effects and clusters, or
//! both. Output: numbers and levels, with missing values marked.
//!
//! Invariant: two values are one level exactly if the file has equal values. In text these are
//! equal texts (`01` and `1` differ), in Parquet and Arrow equal values of the column's type. Other
//! content is refused with the place, the value and the remedy.

mod arrays;
mod arrow;
mod csv;
mod error;
mod file_kind;
mod growing;
mod kind;
mod named;
mod parquet;
mod table;
mod wanted;

use std::path::Path;

pub use self::csv::{CsvProblem, MISSING_DEFAULT};
pub use self::error::PanelError;
use self::file_kind::FileKind;
pub use self::kind::Kind;
pub use self::table::Table;
pub use self::wanted::{ReadOptions, Wanted};
use crate::files;

impl Table {
    /// Reads the requested columns of a Parquet, Arrow or text file of any name, or of the Parquet
    /// files of a folder, one after another.
    ///
    /// # Errors
    /// [`PanelError`]: see its variants.
    pub fn read(path: &Path, wanted: &Wanted, options: &ReadOptions) -> Result<Self, PanelError> {
        let failed = |source| PanelError::Read { path: path.to_owned(), source };
        let metadata = std::fs::metadata(path).map_err(failed)?;
        let not_text = |kind| match options.given() {
            Some(option) => Err(PanelError::Option { path: path.to_owned(), kind, option }),
            None => Ok(()),
        };
        if metadata.is_dir() {
            not_text("a folder of Parquet files")?;
            return parquet::read(&parquet::files(path)?, wanted);
        }
        if !metadata.is_file() {
            return Err(PanelError::NotFile { path: path.to_owned() });
        }
        match file_kind::of(&file_kind::head(path)?) {
            FileKind::Parquet => {
                not_text("a Parquet file")?;
                parquet::read(&[path.to_owned()], wanted)
            }
            FileKind::ArrowFile => {
                not_text("an Arrow file")?;
                arrow::read_file(path, wanted)
            }
            FileKind::ArrowStream => {
                not_text("an Arrow file")?;
                arrow::read_stream(path, wanted)
            }
            FileKind::Foreign(kind) => Err(PanelError::Foreign { path: path.to_owned(), kind }),
            FileKind::Zip => {
                file_kind::check_zip(path, files::open(path).map_err(failed)?)?;
                csv::read(path, wanted, options)
            }
            FileKind::Text | FileKind::Packed => csv::read(path, wanted, options),
        }
    }
}
