//! The observations that a data query selects.

use std::collections::BTreeMap;

use arrow_array::RecordBatch;

use super::flow::{Dimension, Flow, TIME, code_of};
use crate::domain::types::{Period, Vintage, Year};
use crate::reader::Reader;
use crate::reader::chosen::RowChoice;
use crate::reader::conditions::Comparison;
use crate::reader::rows::RowRequest;
use crate::serve::call::Call;
use crate::serve::problem::Problem;
use crate::tables::cells::Cells;
use crate::tables::sheet::Sheet;

/// The most observations of an answer.
const OBSERVATIONS_MAX: usize = 1_000_000;

/// An observation: its time, and its measures as texts, empty if absent.
pub type Observation = (String, Vec<String>);

/// The selected observations by key, in order of time.
pub struct Selected {
    /// The measures.
    pub measures: Vec<String>,
    /// The series.
    pub series: BTreeMap<Vec<String>, Vec<Observation>>,
}

/// Conditions on one component: all of them hold.
struct Condition {
    component: String,
    comparison: Comparison,
    values: Vec<String>,
}

impl Condition {
    /// Conditions of `c[COMPONENT]=ge:2011-01+le:2011-06`.
    fn all(component: &str, text: &str) -> Vec<Self> {
        // The sign + is a blank in an address.
        let parts = text.split([' ', '+']).filter(|part| !part.is_empty());
        let one = |part: &str| {
            let named = part.split_once(':').and_then(|(name, values)| {
                let found = Comparison::NAMES.into_iter().find(|(of, _)| *of == name);
                found.map(|(_, comparison)| (comparison, values))
            });
            let (comparison, values) = named.unwrap_or((Comparison::Equal, part));
            let values = values.split(',').map(str::to_owned).collect();
            Self { component: component.to_owned(), comparison, values }
        };
        parts.map(one).collect()
    }

    /// True if a text meets the condition. A period is compared in the length of the value, so
    /// that 2011-03 is in 2011.
    fn is_met(&self, text: &str) -> bool {
        let cut = |value: &String| text.get(..value.len()).unwrap_or(text).to_owned();
        let shown = |value: &String| {
            if self.component == TIME { cut(value) } else { text.to_owned() }
        };
        let order = |value: &String| shown(value).as_str().cmp(value);
        let first =
            |is: fn(std::cmp::Ordering) -> bool| self.values.first().map(order).is_some_and(is);
        match self.comparison {
            Comparison::Equal => self.values.iter().any(|value| order(value).is_eq()),
            Comparison::NotEqual => self.values.iter().all(|value| order(value).is_ne()),
            Comparison::Less => first(std::cmp::Ordering::is_lt),
            Comparison::AtMost => first(std::cmp::Ordering::is_le),
            Comparison::More => first(std::cmp::Ordering::is_gt),
            Comparison::AtLeast => first(std::cmp::Ordering::is_ge),
        }
    }
}

/// The part of a query that selects observations.
pub struct Query {
    flow: &'static Flow,
    /// The wanted keys: for each dimension the values, empty for all.
    keys: Vec<Vec<Vec<String>>>,
    conditions: Vec<Condition>,
    measures: Vec<String>,
    first: Option<usize>,
    last: Option<usize>,
}

impl Query {
    /// Reads the key and the parameters of a request.
    ///
    /// # Errors
    /// A [`Problem`] if the key has another number of dimensions, or a parameter a bad value.
    pub fn of(call: &Call, flow: &'static Flow, sheet: &Sheet, key: &str) -> Result<Self, Problem> {
        let mut keys = Vec::new();
        for key in key.split(',').filter(|key| !["", "*", "all"].contains(key)) {
            let parts: Vec<Vec<String>> = key
                .split('.')
                .map(|part| part.split('+').filter(|of| !["", "*"].contains(of)).map(str::to_owned))
                .map(Iterator::collect)
                .collect();
            if parts.len() != flow.dimensions.len() {
                let ids: Vec<&str> = flow.dimensions.iter().map(|of| of.id).collect();
                let detail = format!("the key \"{key}\" needs {}, with * for all", ids.join("."));
                return Err(Problem::parameter("key", detail));
            }
            keys.push(parts);
        }
        let mut conditions = Vec::new();
        for (name, text) in call.query.iter() {
            let component = name.strip_prefix("c[").and_then(|name| name.strip_suffix(']'));
            conditions.extend(component.map(|of| Condition::all(of, text)).unwrap_or_default());
        }
        let all: Vec<String> = flow.measures(sheet).map(|of| of.name().to_uppercase()).collect();
        let measures = match call.query.text("measures") {
            None | Some("all") => all,
            Some("none") => Vec::new(),
            Some(list) => {
                let asked: Vec<String> = list.split(',').map(str::to_owned).collect();
                if let Some(none) = asked.iter().find(|of| !all.contains(of)) {
                    let detail =
                        format!("there is no measure {none}; there are {}", all.join(", "));
                    return Err(Problem::parameter("measures", detail));
                }
                asked
            }
        };
        let count = |name| call.query.count(name, OBSERVATIONS_MAX);
        let (first, last) = (count("firstNObservations")?, count("lastNObservations")?);
        Ok(Self { flow, keys, conditions, measures, first, last })
    }

    /// The names `c[…]` that a flow has.
    pub fn components(flow: &Flow) -> Vec<String> {
        let ids = flow.dimensions.iter().map(|of| of.id).chain([TIME]);
        ids.map(|id| format!("c[{id}]")).collect()
    }

    /// Reads the selected observations at a vintage.
    ///
    /// # Errors
    /// A [`Problem`] if there are too many, or the home cannot be read.
    pub fn observations(
        &self,
        call: &Call,
        reader: &Reader,
        as_of: Option<Vintage>,
    ) -> Result<Selected, Problem> {
        let request = RowRequest {
            as_of,
            choice: RowChoice { years: self.years(reader)?, ..RowChoice::default() },
            ..RowRequest::of(self.flow.table, call.edition.joint)
        };
        let mut series = BTreeMap::new();
        let mut n_observations = 0;
        reader.rows(&request, |rows| {
            for batch in rows.batches {
                n_observations += self.add(&batch?, &mut series)?;
                if n_observations > OBSERVATIONS_MAX {
                    let detail = format!(
                        "the query selects more than {OBSERVATIONS_MAX} observations; give a key \
                         or c[…]"
                    );
                    return Err(Problem::new("too_many_rows", detail));
                }
            }
            Ok(())
        })?;
        for observations in series.values_mut() {
            observations.sort_by(|(a, _), (b, _)| a.cmp(b));
            let n = observations.len();
            let first = self.first.map_or(0..0, |first| 0..first.min(n));
            let last = self.last.map_or(n..n, |last| n.saturating_sub(last)..n);
            if self.first.is_some() || self.last.is_some() {
                let mut at = 0..n;
                observations.retain(|_| {
                    at.next().is_some_and(|at| first.contains(&at) || last.contains(&at))
                });
            }
        }
        Ok(Selected { measures: self.measures.clone(), series })
    }

    /// The years that the conditions on time allow; none for all.
    fn years(&self, reader: &Reader) -> Result<Vec<Year>, Problem> {
        let on_time: Vec<&Condition> =
            self.conditions.iter().filter(|of| of.component == TIME).collect();
        if on_time.is_empty() {
            return Ok(Vec::new());
        }
        let mut years: Vec<Year> = reader
            .months_with_growth()?
            .into_iter()
            .filter(|of| {
                let (year, month) = (of.year(), of.month());
                let months = format!("{year}-{month:02}");
                let time = if self.flow.is_monthly { months } else { year.to_string() };
                on_time.iter().all(|condition| condition.is_met(&time))
            })
            .map(Period::year)
            .collect();
        years.dedup();
        Ok(years)
    }

    fn add(
        &self,
        batch: &RecordBatch,
        series: &mut BTreeMap<Vec<String>, Vec<Observation>>,
    ) -> Result<usize, Problem> {
        let defect = |error: String| Problem::new("defect", error);
        let schema = batch.schema();
        let cells = |name: &str| {
            let at = schema.index_of(name).map_err(|error| defect(error.to_string()))?;
            Cells::of(batch.column(at)).map_err(|error| defect(error.to_string()))
        };
        let text = |cells: &Cells<'_>, row: usize| {
            let mut text = String::new();
            cells.write(row, &mut text);
            text
        };
        let dimensions = self.flow.dimensions.iter().map(|of| Ok((of, cells(of.column)?)));
        let dimensions = dimensions.collect::<Result<Vec<(&Dimension, Cells<'_>)>, Problem>>()?;
        let measures = self.measures.iter().map(|of| cells(&of.to_lowercase()));
        let measures = measures.collect::<Result<Vec<_>, _>>()?;
        let (year, month) = (cells("year")?, self.flow.is_monthly.then(|| cells("month")));
        let month = month.transpose()?;
        let mut n_added = 0;
        for row in 0..batch.num_rows() {
            let key: Vec<String> =
                dimensions.iter().map(|(of, cells)| code_of(of, &text(cells, row))).collect();
            let mut time = text(&year, row);
            if let Some(month) = &month {
                time = format!("{time}-{:0>2}", text(month, row));
            }
            if self.is_selected(&key, &time) {
                let values = measures.iter().map(|cells| text(cells, row)).collect();
                series.entry(key).or_default().push((time, values));
                n_added += 1;
            }
        }
        Ok(n_added)
    }

    fn is_selected(&self, key: &[String], time: &str) -> bool {
        let is_wanted = |wanted: &Vec<Vec<String>>| {
            wanted.iter().zip(key).all(|(values, of)| values.is_empty() || values.contains(of))
        };
        let is_met = |condition: &Condition| {
            let at = self.flow.dimensions.iter().position(|of| of.id == condition.component);
            condition.is_met(at.map_or(time, |at| &key[at]))
        };
        (self.keys.is_empty() || self.keys.iter().any(is_wanted))
            && self.conditions.iter().all(is_met)
    }
}
