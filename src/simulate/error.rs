//! Errors of the simulator.

use std::path::PathBuf;

use crate::domain::types::Period;
use crate::files::trouble::remark;

/// The reason why a feed was not simulated or could not be checked.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// A size is outside its range.
    #[error("{name} = {value}: choose a value between {least} and {most}")]
    Size {
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: u32,
        /// The smallest allowed value.
        least: u32,
        /// The largest allowed value.
        most: u32,
    },
    /// The last month is before the first.
    #[error("the feed ends in {to}, before it starts in {from}: swap them")]
    Months {
        /// First month.
        from: Period,
        /// Last month.
        to: Period,
    },
    /// The months of a linear feed are not whole years.
    #[error(
        "a linear feed needs whole years, not {from} to {to}: start in January, end in December"
    )]
    WholeYears {
        /// First month.
        from: Period,
        /// Last month.
        to: Period,
    },
    /// A share is outside 0 to 1, a scale is not positive, or a value is not a number.
    #[error("{name} = {value}: a share lies between 0 and 1, a scale above 0, and all are finite")]
    Rate {
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// With these coefficients, exports have no fixed point.
    #[error(
        "the coefficients on growth reach {bound:.3} in {year}, and exports settle only below \
         0.95; choose smaller coefficients"
    )]
    NotContractive {
        /// The year.
        year: u16,
        /// The largest sum of the absolute coefficients on growth in a row.
        bound: f64,
    },
    /// The directory has files, which would be read as part of the feed.
    #[error("{path} is not empty: name another directory, or empty it")]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// A file could not be written or read.
    #[error("cannot write or read {path}{}", remark(path, source))]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A file differs from what this module wrote.
    #[error("{path}, line {line}: not as the simulator writes it; simulate again")]
    Content {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1; 0 for the file as a whole.
        line: u64,
    },
}
