//! Moments of the variables of equation (15) over the rows of a linear feed.

/// The variables, in the order of [`Moments::add`].
const VARIABLES: [&str; 9] = [
    "ln_export",
    "affiliate_growth",
    "affiliate_growth:affiliate_ln_density",
    "affiliate_ln_density",
    "local_growth",
    "local_growth:local_ln_density",
    "local_ln_density",
    "ln_import",
    "experience",
];

/// Moments of the nine variables of table 2.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moments {
    n: f64,
    variables: [Variable; VARIABLES.len()],
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Variable {
    mean: f64,
    /// The sum of squared distances from the mean.
    squares: f64,
    min: f64,
    max: f64,
}

impl Moments {
    /// Adds a row.
    pub fn add(&mut self, values: [f64; VARIABLES.len()]) {
        let is_first = self.n == 0.0;
        self.n += 1.0;
        for (of, value) in self.variables.iter_mut().zip(values) {
            let gap = value - of.mean;
            of.mean += gap / self.n;
            of.squares += gap * (value - of.mean);
            of.min = if is_first { value } else { of.min.min(value) };
            of.max = if is_first { value } else { of.max.max(value) };
        }
    }

    /// A statistic of a variable; `None` without rows, or for an unknown name.
    #[must_use]
    pub fn figure(&self, variable: &str, statistic: &str) -> Option<f64> {
        let place = VARIABLES.iter().position(|name| *name == variable)?;
        let of = &self.variables[place];
        let figure = match statistic {
            "mean" => of.mean,
            "sd" if self.n > 1.0 => (of.squares / (self.n - 1.0)).sqrt(),
            "min" => of.min,
            "max" => of.max,
            _ => return None,
        };
        (self.n > 0.0).then_some(figure)
    }
}
