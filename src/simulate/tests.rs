//! Complete feeds: the same bytes again, kinds at their rates, and the linear identity.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;

/// The feed's files with their contents.
fn feed(params: &Params, threads: usize) -> (BTreeMap<String, Vec<u8>>, Report) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
    let report = pool.install(|| write(params, directory.path())).expect("a feed");
    (contents(directory.path()), report)
}

fn contents(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(directory).expect("the feed's directory");
    let file = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.expect("an entry");
        let name = entry.file_name().into_string().expect("a plain name");
        (name, std::fs::read(entry.path()).expect("a file just written"))
    };
    entries.map(file).collect()
}

/// Three years with more firms than fit into one chunk.
fn several_chunks() -> Params {
    let mut params = Params { firms: 1_500, ..Params::demo() };
    params.from = month(2009, 3);
    params.to = month(2011, 10);
    params
}

fn month(year: u16, month: u8) -> crate::domain::types::Period {
    crate::domain::types::Period::new(year, month).expect("a month")
}

fn linear() -> Params {
    Params { mode: Mode::Linear, firms: 250, ..Params::demo() }
}

/// The fields of all records, with the month of their file.
fn lines(feed: &BTreeMap<String, Vec<u8>>) -> Vec<(u32, Vec<String>)> {
    let monthly = feed.iter().filter_map(|(name, text)| {
        let month = name.strip_suffix(".csv")?.parse::<u32>().ok()?;
        Some((month, std::str::from_utf8(text).expect("UTF-8")))
    });
    let fields = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let records = monthly
        .flat_map(|(month, text)| text.lines().skip(1).map(move |line| (month, fields(line))));
    records.collect()
}

#[test]
fn the_same_seed_gives_the_same_bytes_on_one_thread_and_two() {
    for params in [several_chunks(), linear()] {
        let ((one, one_report), (two, two_report)) = (feed(&params, 1), feed(&params, 2));
        assert!(one == two, "{:?} differs between one thread and two", params.mode);
        assert_eq!(one_report, two_report);
    }
}

#[test]
fn another_seed_gives_another_feed() {
    let params = Params::demo();
    let (one, _) = feed(&params, 1);
    let (other, _) = feed(&Params { seed: 2, ..params }, 1);
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    assert!(one["200801.csv"] != other["200801.csv"]);
}

#[test]
fn a_directory_with_files_in_it_is_left_alone() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    std::fs::write(directory.path().join("199901.csv"), "another feed").expect("a file");
    let refused = write(&Params::demo(), directory.path());
    assert!(matches!(refused, Err(SimulateError::NotEmpty { .. })), "{refused:?}");
    assert_eq!(contents(directory.path()).len(), 1);
}

#[test]
fn a_feed_has_a_file_a_month_and_two_tables() {
    let (files, report) = feed(&several_chunks(), 2);
    assert_eq!(files.len(), 32 + 2);
    assert!(files.contains_key("200903.csv") && files.contains_key("201110.csv"));
    assert_eq!(lines(&files).len() as u64, report.counts.records);
    assert_eq!(report.years.iter().map(|year| year.records).sum::<u64>(), report.counts.records);
}

#[test]
fn records_are_of_each_kind_at_the_stated_rates() {
    let params = several_chunks();
    let (files, report) = feed(&params, 2);
    let Counts { exports, imports, late, amended, cancelled, intermediary, .. } = report.counts;
    let originals = exports + imports;
    let near = |n: u64, rate: f64| {
        #[expect(clippy::cast_precision_loss, reason = "counts of a small feed")]
        let share = n as f64 / originals as f64;
        assert!((rate * 0.7..rate * 1.3).contains(&share), "{share} for a rate of {rate}");
    };
    near(late, params.records.late_rate);
    near(amended, params.records.amended_rate);
    near(cancelled, params.records.cancelled_rate);
    near(intermediary, params.population.intermediary_share);
    let lines = lines(&files);
    let count = |kind: &dyn Fn(u32, &[String]) -> bool| {
        lines.iter().filter(|(file, fields)| kind(*file, fields)).count() as u64
    };
    let period = |fields: &[String]| fields[0].parse::<u32>().expect("a period");
    assert_eq!(count(&|_, fields| fields[8].starts_with('-')), amended + cancelled);
    assert_eq!(count(&|_, fields| fields[5] == "110"), {
        let corrections = count(&|_, fields| fields[5] == "110" && fields[8].starts_with('-'));
        report.counts.hong_kong + corrections
    });
    let late_lines = |file, fields: &[String]| file > period(fields) && !fields[8].starts_with('-');
    assert_eq!(count(&late_lines), late);
    assert_eq!(count(&|file, fields| file < period(fields)), 0);
    assert!(count(&|file, fields| file / 100 > period(fields) / 100) > 0, "none of earlier years");
}

#[test]
fn the_demo_is_small_and_has_multi_plant_rows() {
    let (files, report) = feed(&Params::demo(), 2);
    assert!(files.values().map(Vec::len).sum::<usize>() < 1_500_000);
    assert!(report.years.len() >= 4, "{report:?}");
    for year in &report.years {
        assert!(year.multi_plant_cells >= 300, "{year:?}");
    }
}

#[test]
fn multi_plant_firms_look_as_in_table_1() {
    let params = Params { firms: 6_000, from: month(2008, 1), ..Params::default() };
    let (_, report) = feed(&params, 2);
    assert!(!report.years.is_empty(), "{report:?}");
    for year in &report.years {
        assert!((3.5..8.0).contains(&year.plants_mean), "{year:?}");
        assert!((2.0..5.0).contains(&year.plants_median), "{year:?}");
        assert!((0.6..0.8).contains(&year.largest_share_mean), "{year:?}");
        #[expect(clippy::cast_precision_loss, reason = "counts of a small feed")]
        let share = year.multi_plant_cells as f64 / year.cells as f64;
        assert!((0.25..0.5).contains(&share), "{year:?}");
    }
}

#[test]
fn residuals_have_their_standard_deviation_when_costs_are_drawn_each_year() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut params = linear();
    params.economy.fixed_cost_years = 1;
    let _ = write(&params, directory.path()).expect("a feed");
    let file = directory.path().join("truth_residuals.csv");
    let rows = csv::Reader::from_path(file).expect("the residuals").into_records();
    let residual = |row: csv::StringRecord| row[4].parse::<f64>().expect("a number");
    let residuals: Vec<f64> = rows.map(|row| residual(row.expect("a row"))).collect();
    let n = f64::from(u32::try_from(residuals.len()).expect("few rows"));
    assert!(n > 300.0, "{n} rows");
    let sd = (residuals.iter().map(|residual| residual.powi(2)).sum::<f64>() / n).sqrt();
    let share = sd / params.linear.residual_sd;
    assert!((0.9..1.1).contains(&share), "{share} of the standard deviation");
}

#[test]
fn a_linear_feed_satisfies_its_equation_when_read_back() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let report = write(&linear(), directory.path()).expect("a feed");
    let found = check(directory.path()).expect("a feed as written");
    assert!(found.rows > 500, "{found:?} of {report:?}");
    assert_eq!(found.unmatched, 0);
    assert!(found.gap_max < 1e-9, "{found:?}");
}

#[test]
fn the_check_sees_a_changed_cent() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let _ = write(&linear(), directory.path()).expect("a feed");
    let path = directory.path().join("200907.csv");
    let text = std::fs::read_to_string(&path).expect("a month");
    let line = text.lines().rfind(|line| line.contains(",E,")).expect("an export");
    let (rest, value) = line.rsplit_once(',').expect("nine columns");
    let changed = text.replace(line, &format!("{rest},1{value}"));
    std::fs::write(&path, changed).expect("a month again");
    assert!(check(directory.path()).expect("a feed").gap_max > 1e-6);
}

#[test]
fn coefficients_without_a_fixed_point_are_refused() {
    let mut params = linear();
    params.linear.coefficients.affiliate_growth = 1.4;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let refused = write(&params, directory.path());
    assert!(matches!(refused, Err(SimulateError::NotContractive { .. })), "{refused:?}");
}

#[test]
fn the_bundled_feed_is_the_demo_as_it_is_simulated_now() {
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("streams/demo");
    let (now, _) = feed(&Params::demo(), 2);
    let bundled = contents(&bundled);
    assert_eq!(bundled.keys().collect::<Vec<_>>(), now.keys().collect::<Vec<_>>());
    for (name, bytes) in &now {
        assert!(bundled[name] == *bytes, "{name} of streams/demo is not what is simulated now");
    }
}
