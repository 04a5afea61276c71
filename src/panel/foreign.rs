//! A kind of file that is not read.

/// A kind of file that is not read.
#[derive(Debug, PartialEq, Eq)]
pub struct Foreign {
    pub(super) at: usize,
    pub(super) magic: &'static [u8],
    /// What it is called.
    pub name: &'static str,
    /// What to do.
    pub instead: &'static str,
}
