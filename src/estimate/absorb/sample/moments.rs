//! Mean and spread of each variable, for pieces of the sample and for the whole sample.

/// Sums of one variable over some rows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moments {
    /// The sum of weights.
    pub weight: f64,
    /// The mean.
    pub mean: f64,
    /// The weighted sum of squares around the mean.
    pub centred: f64,
}

impl Moments {
    /// Adds other rows.
    pub fn add(&mut self, other: &Self) {
        if other.weight == 0.0 {
            return;
        }
        let (apart, weight) = (other.mean - self.mean, self.weight + other.weight);
        let share = other.weight / weight;
        self.centred += other.centred + apart * apart * self.weight * share;
        self.mean += apart * share;
        self.weight = weight;
    }

    /// The weighted sum of squares of values, which were read minus an origin.
    #[must_use]
    pub fn squares(&self, origin: f64) -> f64 {
        self.centred + self.weight * (origin + self.mean).powi(2)
    }
}

/// Sums taken from a shifted origin, so that large means do not cancel.
#[derive(Debug)]
pub struct Shifted {
    origin: Vec<f64>,
    sums: Vec<Moments>,
}

impl Shifted {
    /// Sums without rows; `origin` is near the values of each variable.
    #[must_use]
    pub fn new(origin: Vec<f64>) -> Self {
        Self { sums: vec![Moments::default(); origin.len()], origin }
    }

    /// Adds a row.
    pub fn observe(&mut self, values: &[f64], weight: f64) {
        for ((sums, value), origin) in self.sums.iter_mut().zip(values).zip(&self.origin) {
            let shifted = value - origin;
            sums.weight += weight;
            sums.mean += weight * shifted;
            sums.centred += weight * shifted * shifted;
        }
    }

    /// The moments of the rows.
    #[must_use]
    pub fn finish(self) -> Vec<Moments> {
        let moments = |(sums, origin): (Moments, f64)| {
            let mean = sums.mean / sums.weight;
            let centred = (sums.centred - sums.mean * mean).max(0.0);
            Moments { weight: sums.weight, mean: origin + mean, centred }
        };
        self.sums.into_iter().zip(self.origin).map(moments).collect()
    }
}

/// The moments of all rows, from those of pieces in their order.
#[must_use]
pub fn total<'m>(pieces: impl Iterator<Item = &'m [Moments]>) -> Vec<Moments> {
    let mut total: Vec<Moments> = Vec::new();
    for piece in pieces {
        total.resize(piece.len(), Moments::default());
        total.iter_mut().zip(piece).for_each(|(sum, own)| sum.add(own));
    }
    total
}
