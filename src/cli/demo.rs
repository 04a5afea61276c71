//! `demo`: simulate a feed, ingest it, verify it and print headline figures, in a temporary home.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use clap::Args;
use spillover::check::verify::verify;
use spillover::engine::{Engine, EngineError, Request, replay};
use spillover::estimate::formula::Interaction;
use spillover::estimate::influence::LeaveOut;
use spillover::feed::profile::Profile;
use spillover::feed::reference::TablesBeside;
use spillover::feed::source::discover;
use spillover::files::scratch::Scratch;
use spillover::home::Home;
use spillover::home::options::ReestimateWhen;
use spillover::home::parts::Table;
use spillover::regressions::{
    Choice, ClosingEstimates, Estimation, Reestimating, RegressionError, Reuse,
};
use spillover::render::regression::Layout;
use spillover::render::report::{self, ReportFormat};
use spillover::render::style::{Style, WIDTH};
use spillover::simulate::{self, Params};
use spillover::specification::Specification;
use spillover::tables::cells::fields_of;

use super::ending::Done;
use super::home_options::{HomeOptions, n_workers};
use super::progress::Files;
use super::terminal;

#[derive(Debug, Args)]
pub struct Demo {
    /// The feed to ingest, such as streams/demo [default: a simulated feed].
    #[arg(value_name = "FEED")]
    feed: Option<PathBuf>,
    /// Show the page of the home at this address afterwards, until Enter or the end of the input.
    #[cfg(feature = "serve")]
    #[arg(long, value_name = "ADDRESS", num_args = 0..=1, default_missing_value = "127.0.0.1:8080")]
    serve: Option<std::net::SocketAddr>,
}

impl Demo {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        let folder = Scratch::create().map_err(EngineError::Temporary)?;
        let feed = match self.feed {
            Some(feed) => feed,
            None => simulated(folder.path())?,
        };
        let config = home.config()?;
        let n_workers = n_workers(None, &config);
        let mut closings = ClosingEstimates::of(&config, n_workers)?;
        let request =
            Request { n_workers, references: TablesBeside::of(&feed)?, config, profile: None };
        let files = discover(&[feed], &Profile::bundled("canonical")?)?.files;
        let data = folder.path().join("home");
        let mut engine = Engine::open(&data, request, |_| ControlFlow::Continue(()))?;
        let mut observer = Reestimating::new(Files::watch(files.len(), &[]), &mut closings);
        engine.ingest(&files, &mut observer)?;
        if let (_, Some(failure)) = observer.finish() {
            return Err(failure.into());
        }
        drop(engine);
        headlines(&Home::read(&data)?, n_workers)?;
        println!();
        terminal::document(&table_3(&data, n_workers)?);
        let verification = verify(&Home::read(&data)?, || ())?;
        let (n_rows, n_findings) = (verification.n_rows, verification.n_findings);
        println!();
        println!("{n_rows} rows recomputed from the records: {n_findings} differences");
        #[cfg(feature = "serve")]
        if let Some(listen) = self.serve {
            show(data, n_workers, listen)?;
        }
        Ok(if n_findings == 0 { Done::Clean } else { Done::Damaged })
    }
}

/// Serves the page until Enter, the end of the input, or a signal.
#[cfg(feature = "serve")]
fn show(home: PathBuf, n_workers: usize, listen: std::net::SocketAddr) -> anyhow::Result<()> {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use anyhow::Context as _;
    use spillover::serve::{Access, Proxy, ServeOptions, serve};
    use spillover::watch::Stop;

    let access = Access { listen, token_file: None, proxy: Proxy::Absent, hosts: Vec::new() };
    let stop = Stop::on_signals().context("cannot listen to SIGTERM and SIGINT")?;
    let serving = serve(ServeOptions { home, config: None, n_workers, access })?;
    println!("the page: http://{}/ (Enter ends it)", serving.address);
    let is_over = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&is_over);
    std::thread::spawn(move || {
        // An error of the input ends the page, as its end does.
        let _ = std::io::stdin().read_line(&mut String::new());
        over.store(true, Ordering::Relaxed);
    });
    while !is_over.load(Ordering::Relaxed) && !stop.wait(Duration::from_millis(100)) {}
    serving.stop();
    Ok(())
}

/// The regression headline: table 3 over the closed years, and column 3.4 without each city, which
/// the page shows.
fn table_3(home: &Path, n_workers: usize) -> anyhow::Result<String> {
    let Some(specification) = Specification::named("3") else { return Ok(String::new()) };
    let tables = |choice, leave_out| {
        let asked = [(specification.clone(), choice)];
        let (asked, through, reuse) = (&asked[..], None, Reuse::Estimates);
        let when = ReestimateWhen::Year;
        let estimation = Estimation { home, asked, through, when, reuse, leave_out, n_workers };
        estimation.tables(&mut |_| {})
    };
    let style = Style { width: terminal::width().unwrap_or(WIDTH), ..Style::default() };
    let tables_3 = match tables(Choice::All, None) {
        Ok(tables) => tables,
        Err(error @ RegressionError::NoYear { .. }) => return Ok(error.to_string()),
        Err(error) => return Err(error.into()),
    };
    let groups = Interaction { factors: vec!["city".to_owned()] };
    tables(Choice::Named(vec!["4".to_owned()]), Some(LeaveOut { groups, wild: None }))?;
    Ok(report::tables(&tables_3, ReportFormat::Table(Layout::Text), &style)?)
}

fn simulated(folder: &Path) -> anyhow::Result<PathBuf> {
    let feed = folder.join("feed");
    let report = simulate::write(&Params::demo(), &feed)?;
    terminal::document(&report.to_string());
    Ok(feed)
}

/// The rows and mean figures of each year.
fn headlines(home: &Home, n_workers: usize) -> anyhow::Result<()> {
    println!("year  months    city rows   plant rows   mean affiliate_growth   mean local_growth");
    let standing = replay::Standing::at(home, None, n_workers)?;
    let cities: Vec<_> = standing.table(home, Table::City)?.rows(None).collect::<Result<_, _>>()?;
    for plants in standing.table(home, Table::Plant)?.rows(None) {
        let (year, rows) = plants?;
        let of_year = cities.iter().find(|(other, _)| *other == year);
        let n_city_rows = of_year.map_or(0, |(_, rows)| rows.num_rows());
        let mean = |name: &str| {
            let position = rows.schema().index_of(name).ok()?;
            let texts = (0..rows.num_rows()).map(|row| fields_of(&rows, row)[position].clone());
            let values: Vec<f64> = texts.filter_map(|text| text.parse().ok()).collect();
            let n_values = u32::try_from(values.len()).ok().filter(|n| *n > 0)?;
            Some(values.iter().sum::<f64>() / f64::from(n_values))
        };
        let text =
            |mean: Option<f64>| mean.map_or("absent".to_owned(), |mean| format!("{mean:.4}"));
        let months = if rows.num_rows() > 0 { fields_of(&rows, 0)[1].clone() } else { "?".into() };
        println!(
            "{year}  {months:>6} {n_city_rows:>12} {:>12} {:>23} {:>19}",
            rows.num_rows(),
            text(mean("affiliate_growth")),
            text(mean("local_growth")),
        );
    }
    Ok(())
}
