//! Cells of the sample: a level of the eliminated effect with one of the iterated effect.

/// The cell of each row and the weight of each cell.
#[derive(Debug)]
pub struct Cells {
    /// Cells numbered as they appear, so those of a piece are neighbours.
    pub of_row: Vec<u32>,
    /// Sum of weights of each cell.
    pub weights: Vec<f64>,
}
