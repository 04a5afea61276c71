//! `regress`: the estimator alone, on any CSV or Parquet panel.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::bail;
use clap::{Args, ValueEnum};
use spillover::estimate::degrees::{ClusterCount, FixedEffectLevels, Redundancy, SmallSample};
use spillover::estimate::formula::{Formula, Interaction};
use spillover::estimate::inference::{Inference, Vcov};
use spillover::estimate::result::Estimate;
use spillover::estimate::{Options, estimate};
use spillover::panel::Table;

use super::{Done, Home};

#[derive(Debug, Args)]
pub struct Regress {
    /// The panel: CSV with a header, or Parquet.
    #[arg(long, value_name = "FILE")]
    panel: PathBuf,
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
    /// The format.
    #[arg(long, default_value = "text")]
    format: FormatName,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum VcovName {
    Iid,
    Hc1,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DofName {
    Fixest,
    Reghdfe,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum FormatName {
    Text,
    Csv,
    Json,
}

impl Regress {
    pub fn run(self, _home: &Home) -> anyhow::Result<Done> {
        let formula = match Formula::parse(&self.formula) {
            Ok(formula) => formula,
            Err(error) => bail!("{error}"),
        };
        let vcov = self.vcov()?;
        let table = Table::read(&self.panel, &self.columns())?;
        let options = Options {
            weights: self.weights.clone(),
            inference: Inference { vcov, small_sample: self.small_sample()? },
            ..Options::default()
        };
        let start = Instant::now();
        let estimate = estimate(&table.panel()?, &formula, &options, None)?;
        let seconds = start.elapsed().as_secs_f64();
        match self.format {
            FormatName::Text => print_text(&estimate),
            FormatName::Csv => print_csv(&estimate)?,
            FormatName::Json => print_json(&estimate, seconds)?,
        }
        Ok(Done::Clean)
    }

    fn vcov(&self) -> anyhow::Result<Vcov> {
        Ok(match (&self.cluster, self.vcov) {
            (Some(clusters), _) => match Interaction::parse_sum(clusters) {
                Ok(clusters) => Vcov::Clustered(clusters),
                Err(error) => bail!("{error}"),
            },
            (None, Some(VcovName::Hc1)) => Vcov::Hc1,
            (None, Some(VcovName::Iid) | None) => Vcov::Iid,
        })
    }

    /// The names in the formula, the clusters and the weights: what is read of the panel.
    fn columns(&self) -> Vec<String> {
        let texts = [Some(&self.formula), self.cluster.as_ref(), self.weights.as_ref()];
        let mut names = BTreeSet::new();
        for text in texts.into_iter().flatten() {
            let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'));
            let is_name = |word: &&str| word.starts_with(|c: char| c.is_alphabetic() || c == '_');
            names.extend(words.filter(is_name).map(str::to_owned));
        }
        names.into_iter().collect()
    }

    fn small_sample(&self) -> anyhow::Result<SmallSample> {
        let dof = match self.dof {
            DofName::Fixest => Redundancy::Fixest,
            DofName::Reghdfe => Redundancy::Reghdfe,
        };
        let mut conventions = SmallSample { dof, ..SmallSample::default() };
        let text = self.ssc.clone().unwrap_or_default();
        let inner = text.trim().trim_start_matches("ssc(").trim_end_matches(')');
        for setting in inner.split(',').map(str::trim).filter(|setting| !setting.is_empty()) {
            let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
            let value = value.trim().trim_matches('"');
            let flag = match value {
                "TRUE" | "true" | "T" => Some(true),
                "FALSE" | "false" | "F" => Some(false),
                _ => None,
            };
            match (name.trim(), value, flag) {
                ("k_adj" | "adj", _, Some(flag)) => conventions.k_adj = flag,
                ("G_adj" | "cluster.adj", _, Some(flag)) => conventions.g_adj = flag,
                ("k_fixef", "none", _) => conventions.k_fixef = FixedEffectLevels::None,
                ("k_fixef", "nonnested", _) => conventions.k_fixef = FixedEffectLevels::NonNested,
                ("k_fixef", "full", _) => conventions.k_fixef = FixedEffectLevels::Full,
                ("G_df", "min", _) => conventions.g_df = ClusterCount::Min,
                ("G_df", "conventional", _) => conventions.g_df = ClusterCount::Conventional,
                _ => bail!(
                    "--ssc does not know \"{setting}\"; it takes k_adj=TRUE|FALSE, \
                     k_fixef=none|nonnested|full, G_adj=TRUE|FALSE, G_df=min|conventional"
                ),
            }
        }
        Ok(conventions)
    }
}

fn or_blank(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(String::new, |value| format!("{value:.decimals$}"))
}

fn print_text(estimate: &Estimate) {
    println!("{}\n", estimate.formula);
    let width = estimate.terms.iter().map(|term| term.term.chars().count()).max().unwrap_or(4);
    println!(
        "{:<width$} {:>14} {:>13} {:>9} {:>9} {:>13} {:>13}",
        "", "estimate", "std. error", "t", "p", "95 % low", "95 % high"
    );
    for term in &estimate.terms {
        println!(
            "{:<width$} {:>14.6} {:>13} {:>9} {:>9} {:>13} {:>13}",
            term.term,
            term.estimate,
            or_blank(term.std_error, 6),
            or_blank(term.statistic, 3),
            or_blank(term.p_value, 4),
            or_blank(term.conf_low, 6),
            or_blank(term.conf_high, 6),
        );
    }
    for dropped in &estimate.dropped {
        println!("{}: dropped, collinear ({:?})", dropped.term, dropped.collinear);
    }
    let Estimate { n_obs, n_missing, n_singletons, k, df_residual, .. } = estimate;
    println!(
        "\nobservations {n_obs}; {n_missing} rows with a missing value left out, {n_singletons} \
                 singletons dropped"
    );
    for effect in &estimate.fixed_effects {
        println!("fixed effect {}: {} levels", effect.name, effect.levels);
    }
    println!("standard errors: {}", estimate.vcov);
    for clusters in &estimate.clusters {
        println!("clusters {}: {}", clusters.name, clusters.levels);
    }
    println!("parameters {k}, residual degrees of freedom {df_residual}");
    println!("R2 {}, within {}", or_blank(estimate.r2, 6), or_blank(estimate.r2_within, 6));
    println!(
        "{} iterations, relative residual {:.1e}",
        estimate.iterations, estimate.relative_residual
    );
}

fn print_csv(estimate: &Estimate) -> anyhow::Result<()> {
    let mut writer = csv::Writer::from_writer(std::io::stdout());
    for term in &estimate.terms {
        writer.serialize(term)?;
    }
    Ok(writer.flush()?)
}

fn print_json(estimate: &Estimate, seconds: f64) -> anyhow::Result<()> {
    let mut model = serde_json::to_value(estimate)?;
    if let Some(fields) = model.as_object_mut() {
        fields.insert("name".to_owned(), "(1)".into());
        fields.insert("seconds".to_owned(), seconds.into());
        fields.insert("vintage".to_owned(), serde_json::Value::Null);
    }
    println!("{}", serde_json::to_string_pretty(&serde_json::json!({ "models": [model] }))?);
    Ok(())
}
