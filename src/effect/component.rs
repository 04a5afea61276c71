//! The parts of an effect.

/// A part of the effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Component {
    /// The terms with the growth of affiliate cities.
    #[default]
    Affiliate,
    /// The terms with the growth of the plant's own city.
    Local,
    /// Both.
    Both,
    /// The term of the affiliates' density alone.
    Density,
}

impl Component {
    /// All components, in order of their names.
    pub const ALL: [Self; 4] = [Self::Affiliate, Self::Both, Self::Density, Self::Local];

    /// The name in tables and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Affiliate => "affiliate",
            Self::Local => "local",
            Self::Both => "both",
            Self::Density => "density",
        }
    }
}
