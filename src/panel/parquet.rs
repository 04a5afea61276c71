//! Panels in Parquet: one file, or a folder whose files form one panel.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_schema::Schema;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use rayon::prelude::*;

use super::arrays::Column;
use super::error::PanelError;
use super::file_kind::{self, FileKind};
use super::kind::Kind;
use super::named;
use super::table::{Stored, Table};
use super::wanted::{Roles, Wanted};
use crate::files;

const BATCH_ROWS: usize = 8192;

/// A file, its schema and the positions of the requested columns.
struct Part {
    path: PathBuf,
    metadata: ArrowReaderMetadata,
    places: Vec<usize>,
}

/// Reads the requested columns of some files: one file after another, all columns in parallel.
pub(super) fn read(paths: &[PathBuf], wanted: &Wanted) -> Result<Table, PanelError> {
    let open = |path: &PathBuf| Part::open(path, wanted);
    let parts = paths.iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let kinds = |part: &Part| kinds(&part.path, part.metadata.schema(), &part.places, wanted);
    let of_first = kinds(&parts[0])?;
    for part in &parts[1..] {
        let differs =
            kinds(part)?.into_iter().zip(&of_first).position(|(own, first)| own != *first);
        if let Some(at) = differs {
            return Err(PanelError::Differ {
                column: wanted.columns[at].0.clone(),
                first: parts[0].path.clone(),
                other: part.path.clone(),
                kinds: [of_first[at], kinds(part)?[at]],
            });
        }
    }
    let n_rows: usize = parts.iter().map(Part::n_rows).sum();
    let columns = wanted.columns.par_iter().enumerate().map(|(at, (name, roles))| {
        let mut column = Column::new(of_first[at], *roles, n_rows);
        for part in &parts {
            part.append(part.places[at], &mut column)?;
        }
        Ok(column.finish(name.clone()))
    });
    Ok(Table { columns: columns.collect::<Result<Vec<Stored>, PanelError>>()?, notes: Vec::new() })
}

/// The kinds of the requested columns, after a check against their use.
pub(super) fn kinds(
    path: &Path,
    schema: &Schema,
    places: &[usize],
    wanted: &Wanted,
) -> Result<Vec<Kind>, PanelError> {
    let kind = |(&place, (name, roles)): (&usize, &(String, Roles))| {
        let (path, column) = (path.to_owned(), name.clone());
        let data_type = schema.field(place).data_type();
        match Kind::of(data_type) {
            None => Err(PanelError::Type { path, column, data_type: data_type.clone() }),
            Some(kind) if roles.number && !kind.is_number() => {
                Err(PanelError::NotNumbers { path, column, kind })
            }
            Some(kind) => Ok(kind),
        }
    };
    places.iter().zip(&wanted.columns).map(kind).collect()
}

/// The names of a schema's columns.
pub(super) fn names(schema: &Schema) -> Vec<String> {
    schema.fields().iter().map(|field| field.name().clone()).collect()
}

impl Part {
    fn open(path: &Path, wanted: &Wanted) -> Result<Self, PanelError> {
        let file = open(path)?;
        let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())
            .map_err(|source| PanelError::Parquet { path: path.to_owned(), source })?;
        let places = named::places(path, wanted, &names(metadata.schema()))?;
        Ok(Self { path: path.to_owned(), metadata, places })
    }

    fn n_rows(&self) -> usize {
        let n_rows = self.metadata.metadata().file_metadata().num_rows();
        usize::try_from(n_rows).unwrap_or_default()
    }

    /// Adds the values of one column, found by its position: a name may have dots, like a path.
    fn append(&self, place: usize, column: &mut Column) -> Result<(), PanelError> {
        let failed = |source| PanelError::Parquet { path: self.path.clone(), source };
        let file = open(&self.path)?;
        let builder =
            ParquetRecordBatchReaderBuilder::new_with_metadata(file, self.metadata.clone());
        let mask = ProjectionMask::roots(builder.parquet_schema(), [place]);
        let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
        for batch in reader.map_err(failed)? {
            let batch = batch.map_err(|error| failed(error.into()))?;
            column.append(batch.column(0)).map_err(|error| failed(error.into()))?;
        }
        Ok(())
    }
}

fn open(path: &Path) -> Result<File, PanelError> {
    files::open(path).map_err(|source| PanelError::Read { path: path.to_owned(), source })
}

/// The Parquet files of a folder, in order of name, without names that begin with a dot or an
/// underscore.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>, PanelError> {
    let failed = |source| PanelError::Read { path: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(['.', '_']) {
            continue;
        }
        let path = entry.path();
        if path.is_dir() {
            return Err(PanelError::Partitions { path: folder.to_owned(), name });
        }
        if file_kind::of(&file_kind::head(&path)?) != FileKind::Parquet {
            return Err(PanelError::Stray { path });
        }
        paths.push(path);
    }
    if paths.is_empty() {
        return Err(PanelError::NoFiles { path: folder.to_owned() });
    }
    paths.sort_unstable();
    Ok(paths)
}
