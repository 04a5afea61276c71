//! `regress`: run the estimator alone, on any CSV or Parquet panel.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, anyhow, bail};
use clap::{Args, ValueEnum};
use spillover::estimate::fixed_effects::EffectLevel;
use spillover::estimate::formula::{Formula, Interaction, unquoted};
use spillover::estimate::inference::degrees_of_freedom::{Redundancy, SmallSample};
use spillover::estimate::inference::{Inference, Vcov};
use spillover::estimate::influence::LeaveOut;
use spillover::estimate::result::Estimate;
use spillover::estimate::{Options, estimate, estimate_with_effects};
use spillover::panel::{Table, Wanted};
use spillover::render::number::{Digits, grouped};
use spillover::render::regression::{
    Grid, Layout, Model, RegressionTable, arranged, document, influence, models_json, tidy, wrapped,
};
use spillover::render::report::{self, ReportFormat};
use spillover::render::style::Style;
use spillover::specification::{EstimatorSettings, SingletonsName, small_sample};
use spillover::visible;

use unicode_width::UnicodeWidthStr as _;

use super::ending::Done;
use super::estimate::FormatName;
use super::home_options::HomeOptions;
use super::leave_out_options::WildOptions;
use super::output_format::check_csv;
use super::panel_options::PanelOptions;
use super::style_options::TextOptions;
use super::target::Target;
use super::terminal;

#[derive(Debug, Args)]
pub struct Regress {
    /// The panel: CSV with a header, Parquet, a folder of Parquet files, or Feather.
    #[arg(long, value_name = "FILE")]
    panel: PathBuf,
    #[command(flatten)]
    panel_options: PanelOptions,
    /// The formula in fixest's syntax: y ~ x + x:z | firm^year + country.
    #[arg(long, value_name = "F")]
    formula: String,
    /// Cluster by an interaction A^B, or two ways by A + B.
    #[arg(long, value_name = "A^B | A+B", conflicts_with = "vcov")]
    cluster: Option<String>,
    /// Standard errors without clusters.
    #[arg(long)]
    vcov: Option<VcovName>,
    /// Small-sample conventions: `k_adj=TRUE,k_fixef=nonnested,G_adj=TRUE,G_df=min`.
    #[arg(long, value_name = "ssc(…)")]
    ssc: Option<String>,
    /// How redundant levels of the effects are counted.
    #[arg(long, default_value = "fixest")]
    dof: DofName,
    /// The column of weights.
    #[arg(long, value_name = "COL")]
    weights: Option<String>,
    /// The target residual of the absorption, relative to the variable without the effects; 1e-10
    /// without this option.
    #[arg(long, value_name = "SHARE")]
    tolerance: Option<f64>,
    /// Iterations allowed to absorb the effects; 10000 without this option.
    #[arg(long, value_name = "N")]
    iterations: Option<usize>,
    /// Iterations without a smaller residual before giving up; 100 without this option.
    #[arg(long, value_name = "N")]
    patience: Option<usize>,
    /// The share of its square that must be left of a regressor; without this option 1e-12 by the
    /// effects and 1e-9 by the regressors before it.
    #[arg(long, value_name = "SHARE")]
    collinearity: Option<f64>,
    /// Whether to drop or keep a row that is alone in a level of a fixed effect.
    #[arg(long, default_value = "drop")]
    singletons: SingletonsOption,
    /// Leave out once each group of rows with one value of a column, or of several joined by `^`:
    /// the coefficients without it, and standard errors by CV3.
    #[arg(long, value_name = "A^B")]
    leave_one_out: Option<String>,
    #[command(flatten)]
    wild: WildOptions,
    /// Write the coefficients without each group to this file, as CSV.
    #[arg(long, value_name = "FILE", requires = "leave_one_out")]
    influence: Option<PathBuf>,
    /// Repair a two-way variance matrix with a negative variance: negative eigenvalues become
    /// zero.
    #[arg(long)]
    vcov_fix: bool,
    /// Write the value of each level of the fixed effects to this file, as CSV.
    #[arg(long, value_name = "FILE")]
    fixed_effects: Option<PathBuf>,
    #[command(flatten)]
    text: TextOptions,
    /// The format.
    #[arg(long, default_value = "text", value_parser = FormatName::of_tables())]
    format: FormatName,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum VcovName {
    Iid,
    Hc1,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SingletonsOption {
    Drop,
    Keep,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DofName {
    Fixest,
    Reghdfe,
}

impl Regress {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        let formula = Formula::parse(&self.formula)?;
        home.spared(&[&self.panel]).check(self.fixed_effects.as_deref())?;
        let spared = home.spared(&[&self.panel]);
        spared.check(self.influence.as_deref())?;
        for (option, file) in
            [("--fixed-effects", &self.fixed_effects), ("--influence", &self.influence)]
        {
            file.as_ref().map_or(Ok(()), |file| check_csv(option, file))?;
        }
        let options = self.options()?;
        let clusters = options.inference.vcov.clusters();
        let groups = options.leave_out.iter().map(|leave_out| leave_out.groups.clone());
        let clusters: Vec<Interaction> = clusters.iter().cloned().chain(groups).collect();
        let wanted = Wanted::of(&formula, &clusters, options.weights.as_deref());
        let table = Table::read(&self.panel, &wanted, &self.panel_options.read_options())?;
        for note in table.notes() {
            eprintln!("{note}");
        }
        let start = Instant::now();
        let panel = table.panel()?;
        let (estimate, seconds) = if let Some(file) = &self.fixed_effects {
            let (estimate, levels) = estimate_with_effects(&panel, &formula, &options)?;
            let seconds = start.elapsed().as_secs_f64();
            let target = Target::create(Some(file), &home.spared(&[&self.panel]))?;
            write_levels(&target, &formula, &table, &levels)
                .with_context(|| format!("cannot write {}", file.display()))?;
            target.finish()?;
            (estimate, seconds)
        } else {
            let estimate = estimate(&panel, &formula, &options, None)?;
            (estimate, start.elapsed().as_secs_f64())
        };
        let estimate = named(estimate, &options, &table);
        if let Some(file) = &self.influence {
            let target = Target::create(Some(file), &home.spared(&[&self.panel]))?;
            (&target).write_all(influence_csv(&estimate, seconds)?.as_bytes())?;
            target.finish()?;
        }
        let style = self.text.style(None);
        match in_format(&estimate, seconds, self.format, &style)? {
            Some(text) => terminal::document(&text),
            None => print_text(&estimate, &style),
        }
        Ok(Done::Clean)
    }

    fn options(&self) -> anyhow::Result<Options> {
        let settings = EstimatorSettings {
            tolerance: self.tolerance,
            iterations: self.iterations,
            patience: self.patience,
            collinearity: self.collinearity,
            singletons: Some(match self.singletons {
                SingletonsOption::Drop => SingletonsName::Drop,
                SingletonsOption::Keep => SingletonsName::Keep,
            }),
            vcov_fix: Some(self.vcov_fix),
        };
        let inference = Inference {
            vcov: self.vcov()?,
            small_sample: self.small_sample()?,
            negative_variance: settings.negative_variance(),
        };
        Ok(Options {
            weights: self.weights.as_deref().map(unquoted),
            inference,
            absorb: settings.absorb().map_err(|error| anyhow!("--{error}"))?,
            singletons: settings.singletons(),
            leave_out: self.leave_out()?,
            ..Options::default()
        })
    }

    fn leave_out(&self) -> anyhow::Result<Option<LeaveOut>> {
        let wild = self.wild.asked(self.leave_one_out.is_some())?;
        let groups = self.leave_one_out.as_deref().map(Interaction::parse).transpose()?;
        Ok(groups.map(|groups| LeaveOut { groups, wild }))
    }

    fn vcov(&self) -> anyhow::Result<Vcov> {
        Ok(match (&self.cluster, self.vcov) {
            (Some(clusters), _) => Vcov::Clustered(Interaction::parse_sum(clusters)?),
            (None, Some(VcovName::Hc1)) => Vcov::Hc1,
            (None, Some(VcovName::Iid) | None) => Vcov::Iid,
        })
    }

    fn small_sample(&self) -> anyhow::Result<SmallSample> {
        let dof = match self.dof {
            DofName::Fixest => Redundancy::Fixest,
            DofName::Reghdfe => Redundancy::Reghdfe,
        };
        small_sample(self.ssc.as_deref().unwrap_or_default(), dof).or_else(|setting| {
            bail!(
                "--ssc does not know \"{setting}\"; it takes k_adj=TRUE|FALSE, \
                 k_fixef=none|nonnested|full, G_adj=TRUE|FALSE, G_df=min|conventional"
            )
        })
    }
}

fn or_blank(value: Option<f64>, show: impl Fn(f64) -> String) -> String {
    value.map_or_else(String::new, show)
}

/// The terms with their figures, aligned at any size.
fn coefficients(estimate: &Estimate, digits: Digits) -> String {
    let figure = |value| digits.figure(value);
    let header = ["", "estimate", "std. error", "t", "p", "95 % low", "95 % high"];
    let mut lines = vec![header.map(str::to_owned)];
    lines.extend(estimate.terms.iter().map(|term| {
        let (coefficient, std_error) = match term.std_error {
            Some(std_error) => digits.pair(term.estimate, std_error),
            None => (figure(term.estimate), String::new()),
        };
        [
            visible::line(&term.term).into_owned(),
            coefficient,
            std_error,
            or_blank(term.statistic, figure),
            or_blank(term.p_value, figure),
            or_blank(term.conf_low, figure),
            or_blank(term.conf_high, figure),
        ]
    }));
    let width = |at: usize| lines.iter().map(|line| line[at].width()).max().unwrap_or(0);
    let widths: [usize; 7] = std::array::from_fn(width);
    let mut text = String::new();
    for line in &lines {
        for (at, (cell, width)) in line.iter().zip(widths).enumerate() {
            let blanks = " ".repeat(width - cell.width());
            let parts = if at == 0 { [cell, "", &blanks] } else { ["  ", &blanks, cell] };
            text.extend(parts);
        }
        text.push('\n');
    }
    text
}

fn print_text(estimate: &Estimate, style: &Style) {
    let figure = |value| style.digits.figure(value);
    for line in wrapped(&estimate.formula, style.width) {
        println!("{line}");
    }
    println!();
    coefficients(estimate, style.digits).lines().for_each(|line| println!("{line}"));
    for dropped in &estimate.dropped {
        println!("{}: dropped, collinear with {}", dropped.term, dropped.collinear);
    }
    for note in &estimate.notes {
        println!("{note}");
    }
    if let Some(grid) = influence::grid("1", estimate, style) {
        println!();
        document(&[grid], Layout::Text, style).lines().for_each(|line| println!("{line}"));
    }
    let Estimate { n_obs, n_missing, n_singletons, k, df_residual, .. } = estimate;
    println!();
    println!(
        "observations {}; {} rows with a missing value left out, {} singletons dropped",
        grouped(*n_obs),
        grouped(*n_missing),
        grouped(*n_singletons),
    );
    for effect in &estimate.fixed_effects {
        println!("fixed effect {}: {} levels", effect.name, grouped(effect.levels));
    }
    println!("standard errors: {}", estimate.vcov);
    for clusters in &estimate.clusters {
        println!("clusters {}: {}", clusters.name, grouped(clusters.levels));
    }
    println!("parameters {}, residual degrees of freedom {}", grouped(*k), grouped(*df_residual));
    println!(
        "R² {}, within {}",
        or_blank(estimate.r2, figure),
        or_blank(estimate.r2_within, figure)
    );
    println!(
        "{} iterations, relative residual {:.1e}",
        grouped(estimate.iterations),
        estimate.relative_residual
    );
}

/// The estimate in a format other than the long text.
fn in_format(
    estimate: &Estimate,
    seconds: f64,
    format: FormatName,
    style: &Style,
) -> anyhow::Result<Option<String>> {
    let (name, label, vintage) = ("1", "", None);
    let model = Model { name, label, estimate, seconds, vintage };
    let laid_out = |layout| {
        let n_missing = grouped(estimate.n_missing);
        let note = match style.text("en", "zh") {
            "en" => format!("{n_missing} rows with a missing value left out."),
            _ => format!("因缺失值剔除 {n_missing} 行。"),
        };
        let (models, notes) = (vec![model], vec![note]);
        let table = RegressionTable { models, notes, ..RegressionTable::default() };
        let influence = influence::grid(name, estimate, style);
        let grids: Vec<Grid> = std::iter::once(arranged(&table, style)).chain(influence).collect();
        document(&grids, layout, style)
    };
    Ok(match format.report() {
        ReportFormat::Table(Layout::Text) | ReportFormat::Svg => None,
        ReportFormat::Table(layout) => Some(laid_out(layout)),
        ReportFormat::Json => Some(report::json_text(&models_json(std::iter::once(model)))),
        ReportFormat::Csv => {
            let fit = Some((estimate.clone(), seconds));
            Some(report::entries_csv(&[tidy::Entry { fit, ..tidy::Entry::default() }])?)
        }
    })
}

/// The estimate with the names of the groups that were left out.
fn named(mut estimate: Estimate, options: &Options, table: &Table) -> Estimate {
    if let Some(LeaveOut { groups, .. }) = &options.leave_out {
        estimate.name_groups(|row| {
            let texts = groups.factors.iter().map(|factor| table.text(factor, row));
            texts.collect::<Vec<_>>().join("^")
        });
    }
    estimate
}

/// The coefficients without each group, as CSV.
fn influence_csv(estimate: &Estimate, seconds: f64) -> anyhow::Result<String> {
    let fit = Some((estimate.clone(), seconds));
    let entry = tidy::Entry { column: "1".to_owned(), fit, ..tidy::Entry::default() };
    let (sheet, rows) = influence::rows(&[entry]);
    Ok(report::table_csv(&sheet, rows)?)
}

/// Writes one line per level: the effect, the level's joined values, the effect's value.
fn write_levels(
    target: &Target,
    formula: &Formula,
    table: &Table,
    levels: &[EffectLevel],
) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(target);
    writer.write_record(["effect", "level", "value"])?;
    for level in levels {
        let effect = &formula.effects[level.effect];
        let of_row = |factor: &String| table.text(factor, level.row);
        let values: Vec<String> = effect.factors.iter().map(of_row).collect();
        writer.write_record([effect.to_string(), values.join("^"), level.value.to_string()])?;
    }
    Ok(writer.flush()?)
}
