//! The arguments that `ingest` and `watch` share: feed, profile and workers.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub struct Feed {
    /// Monthly files, or folders of monthly files.
    #[arg(required = true, value_name = "FEED")]
    pub feeds: Vec<PathBuf>,
    /// The feed's layout: a shipped profile's name, or a TOML file.
    #[arg(long, value_name = "P")]
    pub profile: Option<String>,
    /// The number of worker threads.
    #[arg(long, value_name = "N", value_parser = super::home_options::workers)]
    pub workers: Option<usize>,
}
