//! Regression tables and coefficient paths from stored estimates alone.

use super::{Reader, ReaderError};
use crate::domain::sample_end::SampleEnd;
use crate::domain::types::Vintage;
use crate::home::options::ReestimateWhen;
use crate::regressions::{
    Asked, Choice, Estimation, Memories, Panels, Path, RegressionError, Regressions, Reuse,
    Standing, TableResult, asks, overview, path, stored_tables,
};
use crate::specification::{Content, Specification};

/// A text that names no bundled table or column.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no table \"{name}\"; there are {}", there.join(", "))]
pub struct NoSpecification {
    /// The text.
    pub name: String,
    /// The names of tables, or of the table's columns.
    pub there: Vec<String>,
}

/// The bundled specification of a table, `3`, or of one of its columns, `3.4`.
///
/// # Errors
/// [`NoSpecification`] if no bundled table or column has the name.
pub fn specification(table: &str) -> Result<Asked, NoSpecification> {
    let no = |there: Vec<String>| NoSpecification { name: table.to_owned(), there };
    let (name, column) = match table.split_once('.') {
        Some((name, column)) => (name, Some(column)),
        None => (table, None),
    };
    let Some(specification) = Specification::named(name) else {
        return Err(no(Specification::bundled().into_iter().map(|of| of.name).collect()));
    };
    let Some(column) = column else { return Ok((specification, Choice::All)) };
    if !specification.columns().iter().any(|own| own.name == column) {
        let columns = specification.columns().iter();
        return Err(no(columns.map(|own| format!("{name}.{}", own.name)).collect()));
    }
    Ok((specification, Choice::Named(vec![column.to_owned()])))
}

impl Reader {
    /// A table at a vintage or at the newest one. A regression table has the newest stored estimate
    /// of each column until then, for its last closed year or for a given end. Summaries and
    /// figures are not stored: they are computed from the panel, at the newest vintage alone.
    ///
    /// # Errors
    /// [`ReaderError::Regression`] if no estimate is stored, one cannot be read, or the panel of a
    /// summary or figure cannot be computed.
    pub fn stored_table(
        &mut self,
        asked: &Asked,
        as_of: Option<Vintage>,
        through: Option<SampleEnd>,
    ) -> Result<Vec<TableResult>, ReaderError> {
        let newest = self.publication()?.1;
        let (vintage, of) = (as_of.unwrap_or(newest), std::slice::from_ref(asked));
        let is_stored = matches!(asked.0.content, Content::Regressions(_));
        if is_stored || vintage != newest {
            return Ok(stored_tables(&self.home, of, vintage, through)?);
        }
        let panels = Panels::open(&mut self.home, self.n_workers)?;
        let mut regressions = Regressions::new(panels, through)?;
        let standing = Standing::nothing(&asks(of));
        Ok(regressions.tables(of, standing, &mut Memories::default())?)
    }

    /// The models whose newest estimate is stale.
    ///
    /// # Errors
    /// [`ReaderError::Regression`] if an estimate cannot be read.
    pub fn stale_models(&mut self) -> Result<Vec<String>, ReaderError> {
        Ok(overview(&Panels::open(&mut self.home, self.n_workers)?)?.stale)
    }

    /// A coefficient by end of its sample, for each of the requested columns with the regressor,
    /// from estimates up to a vintage. Columns without an estimate are left out.
    ///
    /// # Errors
    /// [`ReaderError::Regression`] if no requested column has the regressor, no estimate is stored,
    /// or one cannot be read.
    pub fn paths(
        &mut self,
        asked: &Asked,
        term: &str,
        as_of: Option<Vintage>,
    ) -> Result<Vec<Path>, ReaderError> {
        let folder = self.home.folder().to_owned();
        let (home, asked) = (folder.as_path(), std::slice::from_ref(asked));
        let (through, reuse, n_workers) = (None, Reuse::Estimates, self.n_workers);
        let (leave_out, when) = (None, ReestimateWhen::Year);
        let estimation = Estimation { home, asked, through, when, reuse, leave_out, n_workers };
        let (specification, followed) = estimation.followed(term)?;
        let panels = Panels::open(&mut self.home, n_workers)?;
        let mut paths = Vec::new();
        for (column, term) in followed {
            let path = path(&panels, (specification, column), (&term, as_of), &[])?;
            if !path.points.is_empty() {
                paths.push(path);
            }
        }
        if paths.is_empty() {
            let model = specification.name.clone();
            return Err(RegressionError::NoPath { model, term: term.to_owned() }.into());
        }
        Ok(paths)
    }
}
