//! Options that leave out groups of rows, for `estimate` and `regress`.

use clap::Args;
use spillover::estimate::formula::Interaction;
use spillover::estimate::influence::{LeaveOut, Wild};

use spillover::regressions::Draws;

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
    /// Compare the affiliate terms with those of random affiliate cities, as many for each plant
    /// [default: 999 draws].
    #[arg(
        long,
        value_name = "DRAWS",
        num_args = 0..=1,
        default_missing_value = "999",
        value_parser = clap::value_parser!(u32).range(19..=99_999),
        conflicts_with_all = ["leave_one_out", "path", "vintage", "beside"]
    )]
    placebo: Option<u32>,
    /// Standard errors of the affiliate terms by shocks of cities, destinations and years, as for
    /// shift-share regressors.
    #[arg(long, conflicts_with_all = ["leave_one_out", "placebo", "path", "vintage", "beside"])]
    pub shift_share: bool,
    /// The regressor of a chart of `--leave-one-out` or `--placebo` [default: `affiliate_growth`].
    #[arg(long, value_name = "TERM")]
    pub term: Option<String>,
}

impl CityOptions {
    /// The cities and the bootstrap, if requested.
    ///
    /// # Errors
    /// [`UsageError`] for the options of a bootstrap without it.
    pub fn asked(&self) -> Result<Option<LeaveOut>, UsageError> {
        let wild = match self.placebo {
            Some(_) => None,
            None => self.wild.asked(self.leave_one_out)?,
        };
        let groups = Interaction { factors: vec![CITY.to_owned()] };
        Ok(self.leave_one_out.then_some(LeaveOut { groups, wild }))
    }
}

impl CityOptions {
    /// The placebo networks, if requested.
    pub fn placebo(&self) -> Option<Draws> {
        let seed = self.wild.seed.unwrap_or(1);
        self.placebo.map(|n_draws| Draws { n_draws: n_draws as usize, seed })
    }

    /// True if a chart can be drawn.
    pub fn can_be_drawn(&self) -> bool {
        self.leave_one_out || self.placebo.is_some()
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
            let what =
                "--seed belongs to --wild-bootstrap and --placebo; add one of them or leave it out";
            return Err(UsageError(what.to_owned()));
        }
        let wild = |n_draws: u32| Wild { n_draws: n_draws as usize, seed: self.seed.unwrap_or(1) };
        Ok(self.wild_bootstrap.map(wild))
    }
}
