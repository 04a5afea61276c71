//! Signs of the wild bootstrap, the same for any number of threads.

/// The step of the generator of random numbers (`splitmix64`).
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// The draws: random signs, or every combination of signs once if these are not more.
#[derive(Debug, Clone, Copy)]
pub struct Signs {
    /// The number of draws.
    pub n_draws: usize,
    /// True if each combination of signs is one draw.
    pub are_all: bool,
    seed: u64,
}

impl Signs {
    /// Signs for this many groups; at most `n_draws` draws.
    #[must_use]
    pub fn new(n_groups: usize, n_draws: usize, seed: u64) -> Self {
        let all = u32::try_from(n_groups).ok().and_then(|n| 1_usize.checked_shl(n));
        match all.filter(|all| *all <= n_draws) {
            Some(all) => Self { n_draws: all, are_all: true, seed },
            None => Self { n_draws, are_all: false, seed },
        }
    }

    /// The signs of a draw, one for each group, into `signs`.
    pub fn fill(&self, draw: usize, signs: &mut [f64]) {
        let of_draw = mixed(self.seed ^ mixed(draw as u64));
        for (word, signs) in signs.chunks_mut(64).enumerate() {
            let bits = if self.are_all {
                draw as u64
            } else {
                mixed(of_draw.wrapping_add(STEP.wrapping_mul(word as u64 + 1)))
            };
            for (place, sign) in signs.iter_mut().enumerate() {
                *sign = if bits >> place & 1 == 0 { 1.0 } else { -1.0 };
            }
        }
    }
}

fn mixed(number: u64) -> u64 {
    let mut z = number.wrapping_add(STEP);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_groups_give_each_combination_once_and_many_give_fair_signs() {
        let few = Signs::new(3, 100, 7);
        let mut seen: Vec<Vec<i8>> = (0..few.n_draws)
            .map(|draw| {
                let mut signs = [0.0; 3];
                few.fill(draw, &mut signs);
                signs.iter().map(|sign| if *sign > 0.0 { 1 } else { -1 }).collect()
            })
            .collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!((few.n_draws, few.are_all, seen.len()), (8, true, 8));
        let many = Signs::new(100, 999, 7);
        let mut sums = vec![0.0; 100];
        for draw in 0..many.n_draws {
            let mut signs = vec![0.0; 100];
            many.fill(draw, &mut signs);
            sums.iter_mut().zip(signs).for_each(|(sum, sign)| *sum += sign);
        }
        let root = 999_f64.sqrt();
        assert!(!many.are_all && sums.iter().all(|sum| sum.abs() < 4.5 * root), "{sums:?}");
    }
}
