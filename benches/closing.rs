//! Estimating when a year closes: cold against warm, and all columns against one.
//!
//! closing PANEL.parquet CLUSTERS FORMULA [FORMULA …]
//!
//! Reads a panel in order of its column `year`. Estimates the first formula cold on all years, and
//! warm from the memory of an estimation without the last year (through its stored tables). Then
//! adds a late record in the first year and estimates warm again, and at last estimates all
//! formulas together. Checks that cold and warm agree, and that stored figures equal the figures
//! read, bit for bit. Prints seconds, iterations and memory as one JSON object. Exits 1 if figures
//! differ; no time makes it fail.

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use serde_json::{Value, json};
use spillover::estimate::formula::{Formula, Interaction};
use spillover::estimate::inference::{Inference, Vcov};
use spillover::estimate::memory::{Memory, MemoryColumn, MemoryTable};
use spillover::estimate::panel::{Column, Panel, Part};
use spillover::estimate::result::Estimate;
use spillover::estimate::{Estimated, Options, estimate_all};
use spillover::panel::{ReadOptions, Table, Wanted};

/// The largest difference between cold and warm estimates, in standard errors.
const APART_MAX: f64 = 1e-6;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let [path, clusters, formulas @ ..] = arguments.as_slice() else {
        eprintln!("closing PANEL.parquet CLUSTERS FORMULA …");
        return ExitCode::from(2);
    };
    let formulas: Vec<Formula> =
        formulas.iter().map(|text| Formula::parse(text).expect("a formula")).collect();
    let clusters = Interaction::parse_sum(clusters).expect("clusters");
    let factors = clusters.iter().flat_map(|cluster| cluster.factors.clone());
    let own = formulas.iter().flat_map(Formula::columns).map(str::to_owned);
    let mut names: Vec<String> = own.chain(factors).collect();
    names.sort_unstable();
    names.dedup();
    let wanted = formulas.iter().fold(Wanted::of(&formulas[0], &clusters, None), |wanted, f| {
        wanted.numbers(f.numbers()).levels(f.levels())
    });
    let start = Instant::now();
    let table = Table::read(Path::new(path), &wanted, &ReadOptions::default()).expect("a panel");
    let seconds_reading = start.elapsed().as_secs_f64();
    let panel = table.panel().expect("a panel");
    let inference = Inference { vcov: Vcov::Clustered(clusters), ..Inference::default() };
    let bench = Bench { panel, names, options: Options { inference, ..Options::default() } };
    let mut printed = bench.closing(&formulas);
    printed["seconds_reading"] = seconds_reading.into();
    println!("{printed}");
    if printed["agree"] == true { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

struct Bench<'a> {
    panel: Panel<'a>,
    names: Vec<String>,
    options: Options,
}

impl Bench<'_> {
    fn closing(&self, formulas: &[Formula]) -> Value {
        let n = self.panel.n_rows();
        let years = self.years(n);
        let before = n - years[years.len() - 1].n_rows;
        let one = &formulas[..1];
        let (cold, seconds_cold) = self.run(&self.first(n), one, None);
        let (earlier, _) = self.run(&self.first(before), one, None);
        let (memory, bytes, seconds_kept) = kept(earlier.memory);
        let (warm, seconds_warm) = self.run(&self.first(n), one, Some(&memory));
        let mut late = self.years(n);
        late[0].fingerprint += 1;
        let (again, seconds_late) =
            self.run(&self.first(n).in_parts(late.clone()), one, Some(&warm.memory));
        for part in &mut late {
            part.fingerprint += 1;
        }
        let (read, _) = self.run(&self.first(n).in_parts(late), one, Some(&memory));
        let same = figures(&read) == figures(&warm);
        let agree = same && [&warm, &again].iter().all(|found| apart(&cold, found) < APART_MAX);
        let (all, seconds_all) = self.run(&self.first(n), formulas, None);
        let of_all = apart(&cold, &all);
        json!({
            "agree": agree, "rows": n, "n_obs": cold.estimates[0].n_obs,
            "apart_warm": apart(&cold, &warm), "apart_all": of_all, "same_bits": same,
            "seconds_cold": seconds_cold, "seconds_warm": seconds_warm,
            "seconds_late": seconds_late, "seconds_memory": seconds_kept,
            "iterations_cold": cold.estimates[0].iterations,
            "iterations_warm": warm.estimates[0].iterations,
            "iterations_late": again.estimates[0].iterations,
            "pieces": pieces(&warm).0, "pieces_kept": pieces(&warm).1,
            "pieces_kept_late": pieces(&again).1, "memory_bytes": bytes,
            "columns": formulas.len(), "seconds_columns": seconds_all,
            "peak_kib": peak_kib(),
        })
    }

    /// The first rows, with each year as a part.
    fn years(&self, n: usize) -> Vec<Part> {
        let Ok(Column::Short(years)) = self.panel.column("year") else {
            panic!("the panel has no column year of small whole numbers")
        };
        let part =
            |own: &[i16]| Part { n_rows: own.len(), fingerprint: own[0].unsigned_abs().into() };
        years[..n].chunk_by(|a, b| a == b).map(part).collect()
    }

    fn first(&self, n: usize) -> Panel<'_> {
        let column = |name: &String| match self.panel.column(name).expect("a column") {
            Column::Real(values) => (name.clone(), Column::Real(&values[..n])),
            Column::Integer(values) => (name.clone(), Column::Integer(&values[..n])),
            Column::Short(values) => (name.clone(), Column::Short(&values[..n])),
            Column::Code(values) => (name.clone(), Column::Code(&values[..n])),
        };
        let columns = self.names.iter().map(column).collect();
        Panel::new(columns).expect("a panel").in_parts(self.years(n))
    }

    fn run(
        &self,
        panel: &Panel<'_>,
        formulas: &[Formula],
        memory: Option<&Memory>,
    ) -> (Estimated, f64) {
        let start = Instant::now();
        let found = estimate_all(panel, formulas, &self.options, memory).expect("an estimate");
        (found, start.elapsed().as_secs_f64())
    }
}

/// The memory after a round trip through its tables, with their bytes and the seconds of the
/// conversion.
fn kept(memory: Memory) -> (Memory, usize, f64) {
    let start = Instant::now();
    let tables = memory.into_tables();
    let bytes = tables.iter().map(table_bytes).sum();
    let memory = Memory::from_tables(tables).expect("a memory");
    (memory, bytes, start.elapsed().as_secs_f64())
}

fn table_bytes(table: &MemoryTable) -> usize {
    let column = |(_, column): &(String, MemoryColumn)| match column {
        MemoryColumn::Texts(texts) => texts.iter().map(String::len).sum(),
        MemoryColumn::Integers(values) => values.len() * 8,
        MemoryColumn::Reals(values) => values.len() * 8,
    };
    table.columns.iter().map(column).sum()
}

/// The estimates without the facts about their computation.
fn figures(found: &Estimated) -> Vec<Estimate> {
    let alike = |found: &Estimate| Estimate { warm_start: false, ..found.clone() };
    found.estimates.iter().map(alike).collect()
}

/// The largest difference of a coefficient or an error of the first formula, in standard errors.
fn apart(a: &Estimated, b: &Estimated) -> f64 {
    let (a, b): (&Estimate, &Estimate) = (&a.estimates[0], &b.estimates[0]);
    if a.n_obs != b.n_obs || a.terms.len() != b.terms.len() {
        return f64::INFINITY;
    }
    let pairs = a.terms.iter().zip(&b.terms);
    let term = pairs.map(|(a, b)| {
        let (own, other) = (a.std_error.unwrap_or(f64::NAN), b.std_error.unwrap_or(f64::NAN));
        ((a.estimate - b.estimate) / own).abs().max((own / other - 1.0).abs())
    });
    term.fold(0.0, |most: f64, apart| if apart.is_nan() { f64::INFINITY } else { most.max(apart) })
}

fn pieces(found: &Estimated) -> (usize, usize) {
    found.elimination.as_ref().map_or((0, 0), |blocks| (blocks.n_pieces, blocks.n_kept))
}

fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
