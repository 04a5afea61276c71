//! Panels in Arrow's own formats: files, including Feather, and streams.

use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;

use arrow_array::RecordBatch;
use arrow_ipc::reader::{FileReader, StreamReader};
use arrow_schema::{ArrowError, Schema};

use super::arrays::Column;
use super::error::PanelError;
use super::table::Table;
use super::wanted::Wanted;
use super::{named, parquet};
use crate::files::{self, arrow_sizes};

/// Reads the requested columns of a file.
pub(super) fn read_file(path: &Path, wanted: &Wanted) -> Result<Table, PanelError> {
    let failed = |source| PanelError::Arrow { path: path.to_owned(), source };
    check(path, arrow_sizes::check_file)?;
    let schema = FileReader::try_new(open(path)?, None).map_err(failed)?.schema();
    let read = Reading::new(path, &schema, wanted)?;
    let reader = FileReader::try_new(open(path)?, Some(read.projection.clone()));
    read.table(path, wanted, reader.map_err(failed)?)
}

/// Reads the requested columns of a stream.
pub(super) fn read_stream(path: &Path, wanted: &Wanted) -> Result<Table, PanelError> {
    let failed = |source| PanelError::Arrow { path: path.to_owned(), source };
    check(path, arrow_sizes::check_stream)?;
    let schema = StreamReader::try_new(open(path)?, None).map_err(failed)?.schema();
    let read = Reading::new(path, &schema, wanted)?;
    let reader = StreamReader::try_new(open(path)?, Some(read.projection.clone()));
    read.table(path, wanted, reader.map_err(failed)?)
}

/// Checks the sizes that a file or stream claims.
fn check(path: &Path, sizes: fn(&mut File) -> io::Result<()>) -> Result<(), PanelError> {
    let failed = |source| PanelError::Read { path: path.to_owned(), source };
    let mut file = files::open(path).map_err(failed)?;
    let checked = sizes(&mut file).map_err(ArrowError::from);
    checked.map_err(|source| PanelError::Arrow { path: path.to_owned(), source })
}

fn open(path: &Path) -> Result<BufReader<File>, PanelError> {
    let file = files::open(path);
    file.map(BufReader::new).map_err(|source| PanelError::Read { path: path.to_owned(), source })
}

/// The requested columns, and their positions.
struct Reading {
    columns: Vec<Column>,
    /// The positions of the requested columns in the file.
    places: Vec<usize>,
    /// The same positions sorted, each once.
    projection: Vec<usize>,
}

impl Reading {
    fn new(path: &Path, schema: &Schema, wanted: &Wanted) -> Result<Self, PanelError> {
        let places = named::places(path, wanted, &parquet::names(schema))?;
        let kinds = parquet::kinds(path, schema, &places, wanted)?;
        let column = |(kind, (_, roles)): (_, &(_, _))| Column::new(kind, *roles, 0);
        let columns = kinds.into_iter().zip(&wanted.columns).map(column).collect();
        let mut projection = places.clone();
        projection.sort_unstable();
        projection.dedup();
        Ok(Self { columns, places, projection })
    }

    fn table(
        mut self,
        path: &Path,
        wanted: &Wanted,
        batches: impl Iterator<Item = Result<RecordBatch, ArrowError>>,
    ) -> Result<Table, PanelError> {
        let failed = |source| PanelError::Arrow { path: path.to_owned(), source };
        for batch in batches {
            let batch = batch.map_err(failed)?;
            for (column, place) in self.columns.iter_mut().zip(&self.places) {
                let at = self.projection.binary_search(place).expect("every place is read");
                column.append(batch.column(at)).map_err(failed)?;
            }
        }
        let named = self.columns.into_iter().zip(&wanted.columns);
        let columns = named.map(|(column, (name, _))| column.finish(name.clone())).collect();
        Ok(Table { columns, notes: Vec::new() })
    }
}
