//! Data and availability: observations as SDMX-CSV 2.0 and SDMX-JSON 2.0.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::flow::{AGENCY, Flow, TIME, VERSION};
use super::selection::{Query, Selected};
use super::structure::{component_name, json_message};
use crate::domain::types::Vintage;
use crate::reader::Reader;
use crate::reader::names::Language;
use crate::serve::call::Call;
use crate::serve::out::Out;
use crate::serve::problem::Problem;
use crate::serve::query::AsOf;
use crate::serve::route::{Kind, Parameter, names};

const CONTEXT: Parameter = Parameter::path("context", Kind::Text, "dataflow, or * for it.");
const AGENCY_ID: Parameter = Parameter::path("agency", Kind::Text, "SPILLOVER, or * for it.");
const FLOW: Parameter = Parameter::path("flow", Kind::Text, "SERIES, MONTHS or CITY.");
const FLOW_VERSION: Parameter = Parameter::path("version", Kind::Text, "1.0.0, or * for it.");
const KEY: Parameter = Parameter::path(
    "key",
    Kind::Text,
    "Values of the dimensions with a dot between them, * for all, + between several.",
);
const AS_OF: Parameter =
    Parameter::query("asOf", Kind::Text, "A vintage, or a date for its last vintage in China.");
const UPDATED: Parameter = Parameter::query(
    "updatedAfter",
    Kind::Text,
    "A vintage or a date: observations that changed since.",
);
const HISTORY: Parameter = Parameter::query(
    "includeHistory",
    Kind::Flag,
    "Every published state that differs from the one before, with its times; JSON alone.",
);
const FIRST: Parameter =
    Parameter::query("firstNObservations", Kind::Integer, "The earliest N of each series.");
const LAST: Parameter =
    Parameter::query("lastNObservations", Kind::Integer, "The latest N of each series.");
const DIMENSION: Parameter = Parameter::query(
    "dimensionAtObservation",
    Kind::Text,
    "TIME_PERIOD for series, AllDimensions for single observations.",
);
const MEASURES: Parameter =
    Parameter::query("measures", Kind::Text, "all, none, or measures separated by commas.");
const ATTRIBUTES: Parameter =
    Parameter::query("attributes", Kind::Text, "The flows have none; any value is accepted.");
const FORMAT: Parameter =
    Parameter::query("format", Kind::Text, "csv or json, in place of the header Accept.");

/// The parameters of data without a key.
pub const DATA_ALL: [Parameter; 13] = [
    CONTEXT,
    AGENCY_ID,
    FLOW,
    FLOW_VERSION,
    AS_OF,
    UPDATED,
    HISTORY,
    FIRST,
    LAST,
    DIMENSION,
    MEASURES,
    ATTRIBUTES,
    FORMAT,
];
/// The parameters of data with a key.
pub const DATA: [Parameter; 14] = {
    let [context, agency, flow, version, as_of, rest @ ..] = DATA_ALL;
    let [updated, history, first, last, at, measures, attributes, format] = rest;
    [
        context, agency, flow, version, KEY, as_of, updated, history, first, last, at, measures,
        attributes, format,
    ]
};
/// The parameters of availability.
pub const AVAILABILITY: [Parameter; 7] = [
    CONTEXT,
    AGENCY_ID,
    FLOW,
    FLOW_VERSION,
    KEY,
    Parameter::path("component", Kind::Text, "A dimension, or * for all."),
    AS_OF,
];

/// The arrangement of observations in JSON.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Layout {
    /// Series with their observations by time.
    Series,
    /// Single observations.
    Flat,
}

/// The largest number of observations of a history.
const HISTORY_MAX: usize = 1_000_000;

/// The observations of a state, and the times from and to which it was the newest one.
struct State {
    selected: Selected,
    valid: Option<[Option<String>; 2]>,
}

/// The data of all keys.
///
/// # Errors
/// Those of [`keyed`].
pub fn all(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    answer(call, reader, out, "*")
}

/// The data of a key.
///
/// # Errors
/// A [`Problem`] if there is no such flow, dimension or vintage, or the home cannot be read.
pub fn keyed(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    answer(call, reader, out, call.segment(4))
}

fn answer(call: &Call, reader: &mut Reader, out: &mut Out, key: &str) -> Result<(), Problem> {
    let flow = flow(call)?;
    call.query.check(names(&DATA_ALL), &Query::components(flow))?;
    let is_csv = match call.query.text("format") {
        Some("csv") => true,
        Some("json") => false,
        Some(_) => return Err(Problem::parameter("format", "write csv or json")),
        None => !call.accept.contains("json"),
    };
    let layout = match call.query.text("dimensionAtObservation") {
        None | Some(TIME) => Layout::Series,
        Some("AllDimensions") => Layout::Flat,
        Some(_) => {
            let detail = "write TIME_PERIOD or AllDimensions";
            return Err(Problem::parameter("dimensionAtObservation", detail));
        }
    };
    let query = Query::of(call, flow, &reader.sheet(flow.table)?, key)?;
    let as_of = vintage(call, reader, "asOf")?;
    let updated_after = vintage(call, reader, "updatedAfter")?;
    let json_kind = "application/vnd.sdmx.data+json; version=2.0.0";
    if call.query.is_on("includeHistory")? {
        if is_csv || updated_after.is_some() {
            let detail = "a history is JSON, without updatedAfter; add format=json";
            return Err(Problem::parameter("includeHistory", detail));
        }
        let states = history(call, reader, &query, as_of)?;
        out.is_of(call.vintage(as_of));
        return out.text(json_kind, &json_data(call, flow, &states, layout));
    }
    let mut selected = query.observations(call, reader, as_of)?;
    if let Some(before) = updated_after {
        unchanged_removed(&mut selected, &query.observations(call, reader, Some(before))?);
    }
    out.is_of(call.vintage(as_of));
    if is_csv {
        let kind = "application/vnd.sdmx.data+csv; version=2.0.0; charset=utf-8";
        return out.text(kind, &csv(flow, &selected)?);
    }
    let states = [State { selected, valid: None }];
    out.text(json_kind, &json_data(call, flow, &states, layout))
}

/// The states of each publication up to a vintage that differ from the state before.
fn history(
    call: &Call,
    reader: &Reader,
    query: &Query,
    as_of: Option<Vintage>,
) -> Result<Vec<State>, Problem> {
    let last = call.vintage(as_of);
    let mut published = BTreeMap::new();
    for of in reader.vintages()?.into_iter().filter(|of| of.vintage.0 <= last) {
        published.insert(of.publication.0, (of.vintage, of.committed_at));
    }
    let (mut states, mut n) = (Vec::<State>::new(), 0);
    for (vintage, committed_at) in published.into_values() {
        let selected = match query.observations(call, reader, Some(vintage)) {
            // The years of the query had no month yet.
            Err(problem) if problem.code() == "no_year" => continue,
            selected => selected?,
        };
        let is_same = match states.last() {
            Some(before) => before.selected.series == selected.series,
            None => selected.series.is_empty(),
        };
        if is_same {
            continue;
        }
        n += selected.series.values().map(Vec::len).sum::<usize>();
        if n > HISTORY_MAX {
            let detail =
                format!("the history has more than {HISTORY_MAX} observations; give a key or c[…]");
            return Err(Problem::new("too_many_rows", detail));
        }
        let from = committed_at.map(|at| at.to_string());
        if let Some([_, to]) = states.last_mut().and_then(|of| of.valid.as_mut()) {
            to.clone_from(&from);
        }
        states.push(State { selected, valid: Some([from, None]) });
    }
    Ok(states)
}

fn flow(call: &Call) -> Result<&'static Flow, Problem> {
    if !["dataflow", "*"].contains(&call.segment(0)) {
        return Err(Problem::new("not_found", "the context of data is dataflow"));
    }
    Flow::named(call.segment(1), call.segment(2), call.segment(3))
}

/// A vintage by number or date.
fn vintage(call: &Call, reader: &Reader, name: &str) -> Result<Option<Vintage>, Problem> {
    let vintage = match call.query.value::<AsOf>(name)? {
        None => return Ok(None),
        Some(AsOf::Vintage(vintage)) => vintage,
        Some(AsOf::Day(day)) => reader.vintage_on(day)?,
    };
    reader.check_vintage(Some(vintage))?;
    Ok(Some(vintage))
}

/// Removes observations that are equal in an earlier state.
fn unchanged_removed(selected: &mut Selected, before: &Selected) {
    for (key, observations) in &mut selected.series {
        let known: BTreeMap<&String, &Vec<String>> = match before.series.get(key) {
            Some(known) => known.iter().map(|(time, values)| (time, values)).collect(),
            None => BTreeMap::new(),
        };
        observations.retain(|(time, values)| known.get(time) != Some(&values));
    }
    selected.series.retain(|_, observations| !observations.is_empty());
}

fn csv(flow: &Flow, selected: &Selected) -> Result<String, Problem> {
    let defect = |error: String| Problem::new("defect", error);
    let mut writer = csv::Writer::from_writer(Vec::new());
    let fixed = ["STRUCTURE", "STRUCTURE_ID", "ACTION"];
    let dimensions = flow.dimensions.iter().map(|of| of.id);
    let header = fixed.into_iter().chain(dimensions).chain([TIME]);
    let header = header.chain(selected.measures.iter().map(String::as_str));
    writer.write_record(header).map_err(|error| defect(error.to_string()))?;
    let id = format!("{AGENCY}:{}({VERSION})", flow.id);
    for (key, observations) in &selected.series {
        for (time, values) in observations {
            let fixed = ["dataflow", id.as_str(), "I"].into_iter();
            let row = fixed.chain(key.iter().map(String::as_str)).chain([time.as_str()]);
            let row = row.chain(values.iter().map(String::as_str));
            writer.write_record(row).map_err(|error| defect(error.to_string()))?;
        }
    }
    let bytes = writer.into_inner().map_err(|error| defect(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| defect(error.to_string()))
}

/// The values of each dimension, in order.
fn values<'s>(
    flow: &Flow,
    all: impl IntoIterator<Item = &'s Selected>,
) -> (Vec<Vec<String>>, Vec<String>) {
    let mut of_key = vec![BTreeSet::new(); flow.dimensions.len()];
    let mut times = BTreeSet::new();
    for (key, observations) in all.into_iter().flat_map(|of| &of.series) {
        for (values, value) in of_key.iter_mut().zip(key) {
            values.insert(value.clone());
        }
        times.extend(observations.iter().map(|(time, _)| time.clone()));
    }
    (of_key.into_iter().map(|of| of.into_iter().collect()).collect(), times.into_iter().collect())
}

/// The observations of a state by the places of their values.
fn content(
    selected: &Selected,
    (of_key, times): (&[Vec<String>], &[String]),
    layout: Layout,
) -> serde_json::Map<String, Value> {
    let at = |values: &[String], value: &String| values.binary_search(value).unwrap_or_default();
    let number = |text: &String| text.parse::<f64>().ok().filter(|number| number.is_finite());
    let cells = |texts: &Vec<String>| texts.iter().map(number).map(Value::from).collect::<Value>();
    let mut content = serde_json::Map::new();
    for (key, observations) in &selected.series {
        let places = of_key.iter().zip(key).map(|(values, value)| at(values, value).to_string());
        let place = places.collect::<Vec<_>>().join(":");
        let of_time = |(time, texts): &(String, Vec<String>)| (at(times, time), cells(texts));
        let cells = observations.iter().map(of_time);
        if layout == Layout::Flat {
            content.extend(cells.map(|(time, cells)| (format!("{place}:{time}"), cells)));
        } else {
            let cells: serde_json::Map<String, Value> =
                cells.map(|(time, cells)| (time.to_string(), cells)).collect();
            content.insert(place, json!({ "observations": cells }));
        }
    }
    content
}

fn json_data(call: &Call, flow: &Flow, states: &[State], layout: Layout) -> String {
    let is_flat = layout == Layout::Flat;
    let (of_key, times) = values(flow, states.iter().map(|state| &state.selected));
    let is_chinese = call.language == Language::Chinese;
    let dimension = |position: usize, id: &str, values: &[String]| {
        let values: Vec<Value> = values.iter().map(|value| json!({ "id": value })).collect();
        let name = component_name(flow, id)[usize::from(is_chinese)].clone();
        json!({ "id": id, "name": name, "keyPosition": position, "values": values })
    };
    let keys = flow.dimensions.iter().zip(&of_key).enumerate();
    let mut dimensions: Vec<Value> =
        keys.map(|(position, (of, values))| dimension(position, of.id, values)).collect();
    let mut time = dimension(flow.dimensions.len(), TIME, &times);
    time["roles"] = json!([TIME]);
    let mut observation = vec![time];
    if is_flat {
        dimensions.append(&mut observation);
        std::mem::swap(&mut dimensions, &mut observation);
    }
    let measure = |id: &String| {
        let [english, chinese] = component_name(flow, id);
        json!({ "id": id, "name": if is_chinese { chinese } else { english } })
    };
    let measures = states.iter().take(1).flat_map(|state| &state.selected.measures);
    let urn = format!(
        "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow={AGENCY}:{}({VERSION})",
        flow.id
    );
    let places: Vec<usize> = (0..states.len()).collect();
    let structure = json!({
        "name": flow.names[usize::from(is_chinese)],
        "links": [{ "rel": "dataflow", "urn": urn }],
        "dimensions": { "dataSet": [], "series": dimensions, "observation": observation },
        "measures": {
            "series": [], "observation": measures.map(measure).collect::<Value>(),
        },
        "attributes": { "dataSet": [], "series": [], "observation": [] },
        "dataSets": places,
    });
    let kind = if is_flat { "observations" } else { "series" };
    let set = |state: &State| {
        let content = content(&state.selected, (&of_key, &times), layout);
        let mut set = json!({ "structure": 0, "action": "Information", kind: content });
        for (name, time) in ["validFrom", "validTo"].into_iter().zip(state.valid.iter().flatten()) {
            if let Some(time) = time {
                set[name] = time.as_str().into();
            }
        }
        set
    };
    let sets = states.iter().map(set).collect::<Value>();
    let data = json!({ "structures": [structure], "dataSets": sets });
    json_message(call, "data", &data)
}

/// The values of dimensions that have data.
///
/// # Errors
/// A [`Problem`] if there is no such flow, dimension or vintage, or the home cannot be read.
pub fn availability(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    let flow = flow(call)?;
    call.query.check(names(&AVAILABILITY), &Query::components(flow))?;
    let asked = call.segment(5);
    let is_there = ["*", "all", TIME].contains(&asked);
    if !is_there && !flow.dimensions.iter().any(|of| of.id == asked) {
        let detail = format!("the flow {} has no dimension \"{asked}\"", flow.id);
        return Err(Problem::new("not_found", detail));
    }
    let query = Query::of(call, flow, &reader.sheet(flow.table)?, call.segment(4))?;
    let as_of = vintage(call, reader, "asOf")?;
    let selected = query.observations(call, reader, as_of)?;
    let n_observations: usize = selected.series.values().map(Vec::len).sum();
    let (of_key, times) = values(flow, [&selected]);
    let dimensions = flow.dimensions.iter().map(|of| of.id).zip(&of_key).chain([(TIME, &times)]);
    let is_asked = |id: &str| ["*", "all"].contains(&asked) || asked == id;
    let components: Vec<Value> = dimensions
        .filter(|(id, _)| is_asked(id))
        .map(|(id, values)| {
            let values: Vec<Value> = values.iter().map(|value| json!({ "value": value })).collect();
            json!({ "id": id, "include": true, "values": values })
        })
        .collect();
    let urn = format!(
        "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow={AGENCY}:{}({VERSION})",
        flow.id
    );
    let constraint = json!({
        "id": format!("AVAILABLE_{}", flow.id),
        "agencyID": AGENCY,
        "version": VERSION,
        "name": format!("Values with data of {}", flow.id),
        "role": "Actual",
        "constraintAttachment": { "dataflows": [urn] },
        "cubeRegions": [{ "include": true, "components": components }],
        "annotations": [{ "id": "obs_count", "title": n_observations.to_string() }],
    });
    out.is_of(call.vintage(as_of));
    let message = json_message(call, "structure", &json!({ "dataConstraints": [constraint] }));
    out.text("application/vnd.sdmx.structure+json; version=2.0.0", &message)
}
