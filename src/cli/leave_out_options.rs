//! Options that leave out groups of rows, for `estimate` and `regress`.

use clap::Args;
use spillover::estimate::formula::Interaction;
use spillover::estimate::influence::{LeaveOut, Wild};

use super::ending::UsageError;

/// The groups that `estimate` leaves out.
const CITY: &str = "city";

/// Cities to leave out.
#[derive(Debug, Args)]
pub struct CityOptions {
    /// Leave out each city once: the coefficients without it, and standard errors by CV3.
    #[arg(long, conflicts_with_all = ["path", "vintage", "beside"])]
    pub leave_one_out: bool,
    #[command(flatten)]
    wild: WildOptions,
    /// The regressor of the chart of `--leave-one-out` [default: `affiliate_growth`].
    #[arg(long, value_name = "TERM", requires = "leave_one_out")]
    pub term: Option<String>,
}

impl CityOptions {
    /// The cities and the bootstrap, if requested.
    ///
    /// # Errors
    /// [`UsageError`] for the options of a bootstrap without it.
    pub fn asked(&self) -> Result<Option<LeaveOut>, UsageError> {
        let wild = self.wild.asked(self.leave_one_out)?;
        let groups = Interaction { factors: vec![CITY.to_owned()] };
        Ok(self.leave_one_out.then_some(LeaveOut { groups, wild }))
    }
}

/// The wild bootstrap.
#[derive(Debug, Args)]
pub struct WildOptions {
    /// Test each coefficient by a wild cluster bootstrap with the hypothesis imposed: random signs
    /// by group [default: 9999 draws].
    #[arg(
        long,
        value_name = "DRAWS",
        num_args = 0..=1,
        default_missing_value = "9999",
        value_parser = clap::value_parser!(u32).range(99..=9_999_999)
    )]
    wild_bootstrap: Option<u32>,
    /// The seed of random draws [default: 1].
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

impl WildOptions {
    /// The bootstrap, if requested.
    ///
    /// # Errors
    /// [`UsageError`] without groups to leave out.
    pub fn asked(&self, leaves_out: bool) -> Result<Option<Wild>, UsageError> {
        if !leaves_out && self.wild_bootstrap.is_some() {
            let what = "--wild-bootstrap draws signs by group; name the groups by --leave-one-out";
            return Err(UsageError(what.to_owned()));
        }
        if self.wild_bootstrap.is_none() && self.seed.is_some() {
            let what = "--seed belongs to --wild-bootstrap; add that option or leave out the seed";
            return Err(UsageError(what.to_owned()));
        }
        let wild = |n_draws: u32| Wild { n_draws: n_draws as usize, seed: self.seed.unwrap_or(1) };
        Ok(self.wild_bootstrap.map(wild))
    }
}
