use clap::Args;
use super::{Done, Home};
#[derive(Debug, Args)]
pub struct Verify {}
impl Verify {
    pub fn run(self, _home: &Home) -> anyhow::Result<Done> { Ok(Done::Clean) }
}
