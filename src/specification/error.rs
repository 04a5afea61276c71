//! Errors in a specification.

use crate::estimate::error::OptionError;
use crate::estimate::formula::FormulaError;
use crate::toml_text::TomlError;

/// A specification that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error(
    "specification {specification}{}: {problem}",
    column.as_ref().map_or(String::new(), |column| format!(", column {column}"))
)]
pub struct SpecificationError {
    /// The name of the specification.
    pub specification: String,
    /// The column, if the problem is in one.
    pub column: Option<String>,
    /// The problem.
    pub problem: SpecificationProblem,
}

/// A problem of a specification.
#[derive(Debug, thiserror::Error)]
pub enum SpecificationProblem {
    /// The text is not TOML, or has an unknown key.
    #[error("{0}")]
    Toml(TomlError),
    /// A formula or an interaction is invalid.
    #[error("{}", _0.in_one_line())]
    Formula(#[from] FormulaError),
    /// The specification has none of columns, summary and figure, or several.
    #[error("a specification needs a [[column]], a [summary] or a [figure]; add one")]
    Content,
    /// Two columns have the same name.
    #[error("two columns have that name; give each a unique name")]
    Twice,
    /// Both `clusters` and `vcov` are given.
    #[error("give cluster or vcov, not both")]
    ClustersAndVcov,
    /// A requested row is no regressor.
    #[error("rows: no column has the regressor {0}; write it as in the formula")]
    Row(String),
    /// A convention is unknown.
    #[error(
        "ssc does not know \"{0}\"; it takes k_adj=TRUE|FALSE, k_fixef=none|nonnested|full, \
         G_adj=TRUE|FALSE, G_df=min|conventional"
    )]
    Convention(String),
    /// A setting of the estimator is invalid.
    #[error("estimator: {0}")]
    Estimator(#[from] OptionError),
    /// The requested panel does not exist.
    #[error("there is no product panel of ordinary trade; leave out trade or panel")]
    OrdinaryProducts,
    /// The text is not a condition.
    #[error("\"{0}\" is not a condition; write a column, one of < <= > >= == !=, and a number")]
    Condition(String),
    /// The number is not a share.
    #[error("a share of {0} leaves out nothing or all; give a number above 0 and below {1}")]
    Share(f64, f64),
    /// The description of a figure is invalid.
    #[error("a figure has one variable, no product, and from 2 to 1000 bins")]
    Figure,
}
