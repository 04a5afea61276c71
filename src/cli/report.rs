//! `report`: one month for a briefing, as an HTML page that prints.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use spillover::alerts::briefing as alerts;
use spillover::domain::span::Span;
use spillover::domain::types::Period;
use spillover::reader::briefing::BriefingRequest;
use spillover::render::briefing;

use super::ending::Done;
use super::export::reader;
use super::home_options::HomeOptions;
use super::name_options::NameLanguage;
use super::target::Target;

#[derive(Debug, Args)]
pub struct Report {
    /// The month [default: the last closed one].
    #[arg(long, value_name = "YYYYMM", value_parser = super::period::month)]
    month: Option<Period>,
    /// The months of the growth: ytd, month or 12m.
    #[arg(long, value_name = "SPAN", default_value = "ytd")]
    span: Span,
    /// The language.
    #[arg(long, value_name = "LANGUAGE", default_value = "en")]
    lang: NameLanguage,
    /// The file to write [default: standard output].
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Report {
    pub fn run(self, home: &HomeOptions) -> anyhow::Result<Done> {
        home.spared(&[]).check(self.output.as_deref())?;
        let mut reader = reader(home)?;
        let (month, span, joint) = (self.month, self.span, home.config()?.joint_months()?);
        let mut of = reader.briefing(BriefingRequest { month, as_of: None, span, joint })?;
        alerts::add(&mut of, home.folder())?;
        let page = briefing::html(&of, &reader.names()?, self.lang.into());
        let target = Target::create(self.output.as_deref(), &home.spared(&[]))?;
        (&target).write_all(page.as_bytes())?;
        target.finish()?;
        Ok(Done::Clean)
    }
}
