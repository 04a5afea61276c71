//! Ingests a feed into a home, and prints the outcome of each file.
//!
//! ```sh
//! cargo run --release --example ingest_a_feed -- HOME streams/demo
//! ```

use std::ops::ControlFlow;
use std::path::PathBuf;

use spillover::Engine;
use spillover::engine::{Outcome, Request, Unwatched};
use spillover::feed::source::discover;
use spillover::home::options::Config;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let home = arguments.next().ok_or("give the home, then the folders of the feed")?;
    let feeds: Vec<PathBuf> = arguments.collect();
    // The layout of the feed: its feed.toml, else the profile in the home.
    let config = Config::find(None, &home)?;
    let request = Request::for_feed(&feeds, None, config, 2)?;
    let files = discover(&feeds, &request.layout(&home)?)?.files;
    let mut engine = Engine::open(&home, request, |_| ControlFlow::Continue(()))?;
    for file in engine.ingest(&files, &mut Unwatched)? {
        let path = file.path.display();
        match file.outcome {
            Outcome::Accepted { vintage, counts, .. } => {
                println!("{path}: vintage {vintage}, {} records", counts.accepted);
            }
            Outcome::Seen(_) => println!("{path}: ingested before"),
            Outcome::Refused(refusal) => println!("{path}: refused: {refusal}"),
        }
    }
    Ok(())
}
