//! A panel from a file: any table in text, Parquet or Arrow as columns of numbers and of levels.
//!
//! ```text
//! file ─ file_kind ─┬─ text, packed or not ─ csv ─────┐
//!     (first bytes) ├─ Parquet, folders of it ────────┼─▶ Table ─▶ Panel
//!                   └─ Arrow, Feather ────────────────┘
//! ```
//! Comes in: a file and the columns that are wanted, each as numbers, as levels of effects and
//! clusters, or both. Goes out: numbers for the ones and levels for the others, missing values
//! told apart.
//!
//! The invariant: two values are one level exactly if the file holds them as equal values. In text
//! that is equal texts (`01` and `1` differ); in Parquet and Arrow equal values of the column's
//! type. What cannot be held so is refused with the place, the value and what to do.

mod arrays;
mod arrow;
mod csv;
mod error;
mod file_kind;
mod growing;
mod kind;
mod named;
mod parquet;

use std::io::Read as _;
use std::path::Path;

use encoding_rs::Encoding;

pub use self::csv::{CsvProblem, MISSING_DEFAULT};
pub use self::error::PanelError;
use self::file_kind::FileKind;
pub use self::file_kind::Foreign;
use self::growing::Values;
pub use self::kind::Kind;
use crate::estimate::error::EstimateError;
use crate::estimate::formula::{Formula, Interaction, normal};
use crate::estimate::panel::{MISSING, Panel};
use crate::feed::layout::{DecimalMark, Delimiter};
use crate::files;

/// The columns to read, each with what it is read for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    columns: Vec<(String, Roles)>,
}

/// What a column is read for.
#[derive(Clone, Copy, Debug, Default)]
struct Roles {
    number: bool,
    level: bool,
}

/// How a panel of text is written, as far as that is given.
#[derive(Clone, Debug, Default)]
pub struct ReadOptions {
    /// What stands between two fields; without it the header tells.
    pub delimiter: Option<Delimiter>,
    /// What stands before the decimals; without it the numbers tell.
    pub decimal: Option<DecimalMark>,
    /// How text became bytes; without it the first mebibyte tells.
    pub encoding: Option<&'static Encoding>,
    /// The texts that stand for a missing value; without them [`MISSING_DEFAULT`]. An empty field
    /// is always missing.
    pub missing: Option<Vec<String>>,
}

/// The columns of a panel, in memory.
#[derive(Clone, Debug, Default)]
pub struct Table {
    columns: Vec<Stored>,
    notes: Vec<String>,
}

/// A column.
#[derive(Clone, Debug)]
struct Stored {
    name: String,
    kind: Kind,
    /// Its numbers if it is wanted as such, else its levels.
    values: Values,
    /// Its levels, where the numbers do not tell them.
    levels: Option<Values>,
}

impl Wanted {
    /// The columns of a regression: outcome, regressors and weights as numbers, factors of effects
    /// and clusters as levels.
    #[must_use]
    pub fn of(formula: &Formula, clusters: &[Interaction], weights: Option<&str>) -> Self {
        let mut wanted = Self::default().numbers(formula.numbers().chain(weights));
        let factors = clusters.iter().flat_map(|cluster| &cluster.factors).map(String::as_str);
        wanted = wanted.levels(formula.levels().chain(factors));
        wanted
    }

    /// These columns as numbers, too.
    #[must_use]
    pub fn numbers<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        names.into_iter().for_each(|name| self.roles(name).number = true);
        self
    }

    /// These columns as levels, too.
    #[must_use]
    pub fn levels<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        names.into_iter().for_each(|name| self.roles(name).level = true);
        self
    }

    fn roles(&mut self, name: &str) -> &mut Roles {
        let name = normal(name);
        let known = self.columns.iter().position(|(own, _)| *own == name);
        let at = known.unwrap_or_else(|| {
            self.columns.push((name.into_owned(), Roles::default()));
            self.columns.len() - 1
        });
        &mut self.columns[at].1
    }
}

impl ReadOptions {
    /// The first of these options that is given.
    fn given(&self) -> Option<&'static str> {
        let Self { delimiter, decimal, encoding, missing } = self;
        let all = [
            ("delimiter", delimiter.is_some()),
            ("decimal", decimal.is_some()),
            ("encoding", encoding.is_some()),
            ("missing", missing.is_some()),
        ];
        all.into_iter().find(|(_, given)| *given).map(|(name, _)| name)
    }
}

impl Table {
    /// Reads the wanted columns of a file, whatever it is called: Parquet, Arrow, or text; or of
    /// the Parquet files of a folder, one after another.
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
        match file_kind::of(&head(path)?) {
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
            FileKind::Text => csv::read(path, wanted, options),
        }
    }

    /// The panel that the columns are.
    ///
    /// # Errors
    /// [`EstimateError::TooManyRows`] if row numbers would not fit.
    pub fn panel(&self) -> Result<Panel<'_>, EstimateError> {
        let columns = self.columns.iter().map(|own| (own.name.clone(), own.values.column()));
        let levels = self
            .columns
            .iter()
            .filter_map(|own| Some((own.name.clone(), own.levels.as_ref()?.column())));
        Panel::new(columns.collect())?.with_levels(levels.collect())
    }

    /// What a reader should know of how the file was read.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// A level as text, as it stands in the file; empty where it is missing or there is no such
    /// column.
    #[must_use]
    pub fn text(&self, column: &str, row: usize) -> String {
        let Some(column) = self.columns.iter().find(|own| own.name == column) else {
            return String::new();
        };
        match column.levels.as_ref().unwrap_or(&column.values) {
            Values::Short(numbers) => column.kind.text(&numbers[row].to_string()),
            Values::Whole(numbers) => column.kind.text(&numbers[row].to_string()),
            Values::Reals(numbers) if numbers[row].is_finite() => {
                column.kind.real_text(numbers[row])
            }
            Values::Texts(codes, texts) if codes[row] != MISSING => {
                column.kind.text(texts.text(codes[row]))
            }
            _ => String::new(),
        }
    }
}

impl Stored {
    fn new(name: String, kind: Kind, number: Option<Values>, level: Option<Values>) -> Self {
        // Decimals are told apart by their digits.
        let is_same = |level: &Values| match kind {
            Kind::Decimal(scale) => scale == 0 && level.are_numbers(),
            _ => level.are_numbers(),
        };
        let (values, levels) = match (number, level) {
            (Some(_), Some(level)) if is_same(&level) => (level, None),
            (Some(number), level) => (number, level),
            (None, level) => (level.expect("a column is wanted as something"), None),
        };
        Self { name, kind, values, levels }
    }
}

/// The first bytes of a file.
fn head(path: &Path) -> Result<Vec<u8>, PanelError> {
    const HEAD_BYTES: u64 = 1 << 12;
    let mut head = Vec::new();
    let read = files::open(path).and_then(|file| file.take(HEAD_BYTES).read_to_end(&mut head));
    read.map_err(|source| PanelError::Read { path: path.to_owned(), source })?;
    Ok(head)
}
