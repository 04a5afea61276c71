use clap::Args;
use super::{Done, Home};
#[derive(Debug, Args)]
pub struct Explain {}
impl Explain {
    pub fn run(self, _home: &Home) -> anyhow::Result<Done> { Ok(Done::Clean) }
}
