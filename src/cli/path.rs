//! `estimate --path`: a coefficient from year to year; years that have no estimate that still holds
//! get one.

use anyhow::bail;
use spillover::archive::Archive;
use spillover::estimate::formula::Term;
use spillover::regressions::{
    Ask, Choice, Outcome, Panels, Path, Regressions, Wanted, check, keep, path,
};
use spillover::specification::{Column, Specification};
use spillover::types::Year;

use super::estimate::{Estimate, FormatName, done, estimate, open, say_unread};
use super::{Done, Home, estimates};

/// A specification with the columns of it that are asked for.
type Asked = (Specification, Choice);

/// The name of the constant among an estimate's terms.
const CONSTANT: &str = "(Intercept)";

/// Follows a regressor in the columns asked for that have it.
pub fn run(
    options: &Estimate,
    home: &Home,
    asked: &[Asked],
    (term, format, n_workers): (&str, FormatName, usize),
) -> anyhow::Result<Done> {
    let [(specification, wanted)] = asked else {
        bail!("--path follows the columns of one table: name it, as in --table 3.4");
    };
    let followed = followed(specification, wanted, term)?;
    let names = || followed.iter().map(|(column, _)| column.name.clone());
    if format == FormatName::Svg && followed.len() > 1 {
        let (name, columns) = (&specification.name, names().collect::<Vec<_>>().join(", "));
        bail!("--format svg draws one column, and {name} has {columns}: name one of them");
    }
    let asked = [(specification.clone(), Choice::Named(names().collect()))];
    let mut archive = Archive::read(home.folder())?;
    let panels = Panels::open(&mut archive, n_workers)?;
    let whole = [Ask { specification, wanted }];
    check(&panels, &whole).map_err(|error| options.with_line(error.into()))?;
    let years = panels.years(options.through.map(Year))?;
    let mut is_whole = true;
    for &year in &years {
        is_whole &= options.standing(&mut archive, &asked, (Some(year), n_workers))?.is_whole();
    }
    let mut outcomes = Vec::new();
    if !is_whole {
        archive = open(home.folder())?;
        outcomes = estimated(options, &mut archive, &asked, (&years, n_workers))?;
    }
    let panels = Panels::open(&mut archive, n_workers)?;
    let paths = followed.iter().map(|(column, term)| {
        let mut path = path(&panels, (specification, column), term, &outcomes)?;
        path.points.retain(|point| years.contains(&point.through));
        if path.points.is_empty() {
            bail!("{} has no estimate of \"{term}\" in any year", path.model);
        }
        Ok(path)
    });
    let paths: Vec<Path> = paths.collect::<anyhow::Result<_>>()?;
    options.write(home, &estimates::paths(&paths, format)?)?;
    Ok(done(outcomes.iter()))
}

/// The columns with a regressor, and how each writes it.
fn followed<'s>(
    specification: &'s Specification,
    wanted: &Choice,
    term: &str,
) -> anyhow::Result<Vec<(&'s Column, String)>> {
    let columns = specification.columns().iter().filter(|column| wanted.wants(column));
    let columns: Vec<&Column> = columns.collect();
    if columns.is_empty() {
        bail!("{} has no regressions to follow", specification.title);
    }
    let asked = Term { factors: term.split(':').map(|name| name.trim().to_owned()).collect() };
    let own = |column: &Column| {
        let found =
            column.formula.terms.iter().find(|own| **own == asked || own.to_string() == term);
        let is_constant = term == CONSTANT && column.formula.effects.is_empty();
        found.map(Term::to_string).or_else(|| is_constant.then(|| term.to_owned()))
    };
    let followed: Vec<(&Column, String)> =
        columns.iter().filter_map(|column| Some((*column, own(column)?))).collect();
    if followed.is_empty() {
        let mut terms: Vec<String> = Vec::new();
        for own in columns.iter().flat_map(|column| &column.formula.terms).map(Term::to_string) {
            if !terms.contains(&own) {
                terms.push(own);
            }
        }
        let name = &specification.name;
        bail!("{name} has no regressor \"{term}\"; it has {}", terms.join(", "));
    }
    Ok(followed)
}

/// Estimates the years that do not stand, each over its own sample, and keeps them.
fn estimated(
    options: &Estimate,
    archive: &mut Archive,
    asked: &[Asked],
    (years, n_workers): (&[Year], usize),
) -> anyhow::Result<Vec<Outcome>> {
    let mut memories = options.memories(archive)?;
    let mut all = Vec::new();
    for &year in years {
        let standing = options.standing(archive, asked, (Some(year), n_workers))?;
        if standing.is_whole() {
            continue;
        }
        let panels = Panels::open(archive, n_workers)?;
        let mut regressions = Regressions::new(panels, Some(year))?;
        let pairs = asked.iter().zip(&standing.missing);
        let asks: Vec<Ask<'_>> =
            pairs.map(|((specification, _), wanted)| Ask { specification, wanted }).collect();
        let outcomes = estimate(&mut regressions, &asks, &mut memories);
        let outcomes = outcomes.map_err(|error| options.with_line(error))?;
        say_unread(&regressions.panels.take_unread());
        drop(regressions);
        say_unread(&memories.take_unread());
        keep(archive, &outcomes)?;
        all.extend(outcomes);
    }
    memories.store(archive)?;
    Ok(all)
}
