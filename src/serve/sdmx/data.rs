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
pub const DATA_ALL: [Parameter; 12] = [
    CONTEXT,
    AGENCY_ID,
    FLOW,
    FLOW_VERSION,
    AS_OF,
    UPDATED,
    FIRST,
    LAST,
    DIMENSION,
    MEASURES,
    ATTRIBUTES,
    FORMAT,
];
/// The parameters of data with a key.
pub const DATA: [Parameter; 13] = {
    let [context, agency, flow, version, as_of, updated, first, last, at, measures, of, format] =
        DATA_ALL;
    [context, agency, flow, version, KEY, as_of, updated, first, last, at, measures, of, format]
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
    let mut selected = query.observations(call, reader, as_of)?;
    if let Some(before) = vintage(call, reader, "updatedAfter")? {
        unchanged_removed(&mut selected, &query.observations(call, reader, Some(before))?);
    }
    out.is_of(call.vintage(as_of));
    if is_csv {
        let kind = "application/vnd.sdmx.data+csv; version=2.0.0; charset=utf-8";
        return out.text(kind, &csv(flow, &selected)?);
    }
    let document = json_data(call, flow, &selected, layout);
    let kind = "application/vnd.sdmx.data+json; version=2.0.0";
    out.text(kind, &document)
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
fn values(flow: &Flow, selected: &Selected) -> (Vec<Vec<String>>, Vec<String>) {
    let mut of_key = vec![BTreeSet::new(); flow.dimensions.len()];
    let mut times = BTreeSet::new();
    for (key, observations) in &selected.series {
        for (values, value) in of_key.iter_mut().zip(key) {
            values.insert(value.clone());
        }
        times.extend(observations.iter().map(|(time, _)| time.clone()));
    }
    (of_key.into_iter().map(|of| of.into_iter().collect()).collect(), times.into_iter().collect())
}

fn json_data(call: &Call, flow: &Flow, selected: &Selected, layout: Layout) -> String {
    let is_flat = layout == Layout::Flat;
    let (of_key, times) = values(flow, selected);
    let at = |values: &[String], value: &String| values.binary_search(value).unwrap_or_default();
    let number = |text: &String| text.parse::<f64>().ok().filter(|number| number.is_finite());
    let cells = |texts: &Vec<String>| texts.iter().map(number).map(Value::from).collect::<Value>();
    let mut content = serde_json::Map::new();
    for (key, observations) in &selected.series {
        let places = of_key.iter().zip(key).map(|(values, value)| at(values, value).to_string());
        let place = places.collect::<Vec<_>>().join(":");
        let of_time = |(time, texts): &(String, Vec<String>)| (at(&times, time), cells(texts));
        if is_flat {
            let cells = observations.iter().map(of_time);
            content.extend(cells.map(|(time, cells)| (format!("{place}:{time}"), cells)));
        } else {
            let cells = observations.iter().map(of_time);
            let cells: serde_json::Map<String, Value> =
                cells.map(|(time, cells)| (time.to_string(), cells)).collect();
            content.insert(place, json!({ "observations": cells }));
        }
    }
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
    let urn = format!(
        "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow={AGENCY}:{}({VERSION})",
        flow.id
    );
    let structure = json!({
        "name": flow.names[usize::from(is_chinese)],
        "links": [{ "rel": "dataflow", "urn": urn }],
        "dimensions": { "dataSet": [], "series": dimensions, "observation": observation },
        "measures": {
            "series": [], "observation": selected.measures.iter().map(measure).collect::<Value>(),
        },
        "attributes": { "dataSet": [], "series": [], "observation": [] },
        "dataSets": [0],
    });
    let kind = if is_flat { "observations" } else { "series" };
    let data = json!({
        "structures": [structure],
        "dataSets": [{ "structure": 0, "action": "Information", kind: content }],
    });
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
    let (of_key, times) = values(flow, &selected);
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
