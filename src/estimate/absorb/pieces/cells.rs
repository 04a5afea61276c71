//! Cells of the sample: a level of the eliminated effect with one of the iterated effect.

/// The cell of each row and the weight of each cell.
#[derive(Debug)]
pub struct Cells {
    /// The cell of each row. Cells are numbered by first appearance, so the cells of a piece are
    /// neighbours.
    pub of_row: Vec<u32>,
    /// The sum of weights of each cell.
    pub weights: Vec<f64>,
}
