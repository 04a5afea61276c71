//! Structures: dataflows, data structures, code lists and concepts, as SDMX-JSON 2.0 and as
//! SDMX-ML 3.0. Names are in English and in Chinese.

use std::fmt::Write as _;

use arrow_schema::Field;
use quick_xml::escape::escape;
use serde_json::{Value, json};

use super::flow::{AGENCY, FLOWS, Flow, TIME, VERSION, is_version, value_type};
use crate::domain::series::Level;
use crate::domain::span::Span;
use crate::reader::Reader;
use crate::reader::names::{Names, PlaceKind};
use crate::serve::call::Call;
use crate::serve::out::Out;
use crate::serve::problem::Problem;
use crate::serve::route::{Kind, Parameter};
use crate::tables::meanings::meaning;

/// The scheme of all concepts.
const CONCEPTS: &str = "CS_SPILLOVER";

/// The parameters of structures.
pub const STRUCTURE: [Parameter; 7] = [
    Parameter::path("type", Kind::Text, "dataflow, datastructure, codelist, conceptscheme or *."),
    Parameter::path("agency", Kind::Text, "SPILLOVER, or * for it."),
    Parameter::path("id", Kind::Text, "The id, or * for all."),
    Parameter::path("version", Kind::Text, "1.0.0, or * for it."),
    Parameter::query("references", Kind::Text, "none, or all for the artefacts that it uses."),
    Parameter::query("detail", Kind::Text, "full; the answer is always full."),
    Parameter::query("format", Kind::Text, "json or xml, in place of the header Accept."),
];
/// The parameters of structures without a version.
pub const STRUCTURE_NEWEST: [Parameter; 6] = {
    let [kind, agency, id, _, references, detail, format] = STRUCTURE;
    [kind, agency, id, references, detail, format]
};

/// A name in English and in Chinese.
type Name = [String; 2];

/// A code or a concept.
struct Item {
    id: String,
    name: Name,
    /// The type of a concept's values.
    value_type: Option<&'static str>,
}

/// A list of codes, or the scheme of concepts.
struct List {
    id: &'static str,
    name: [&'static str; 2],
    items: Vec<Item>,
}

/// A flow with its measures.
struct FlowOf {
    flow: &'static Flow,
    measures: Vec<(String, &'static str)>,
}

/// The artefacts of an answer.
struct Artefacts {
    flows: Vec<FlowOf>,
    structures: Vec<FlowOf>,
    codes: Vec<List>,
    concepts: Option<List>,
}

/// Structures of a type.
///
/// # Errors
/// A [`Problem`] if there is no such type or artefact, or the home cannot be read.
pub fn structure(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    let (kind, agency, id) = (call.segment(0), call.segment(1), call.segment(2));
    let version = call.segments.get(3).map_or("*", String::as_str);
    let has_references = !matches!(call.query.text("references"), None | Some("none"));
    if ![AGENCY, "*"].contains(&agency) || !is_version(version) {
        let detail = format!("there is no agency \"{agency}\" with a version \"{version}\"");
        return Err(Problem::new("not_found", detail));
    }
    let kinds = ["dataflow", "datastructure", "codelist", "conceptscheme", "*"];
    if !kinds.contains(&kind) {
        let detail = format!("there is no type \"{kind}\"; there are {}", kinds.join(", "));
        return Err(Problem::new("not_found", detail));
    }
    let is_of = |of: &str| ["*", "all"].contains(&id) || id == of;
    let is_kind = |of: &str| kind == "*" || kind == of || has_references;
    let flows: Vec<&'static Flow> = FLOWS
        .iter()
        .filter(|flow| ["codelist", "conceptscheme"].contains(&kind) || is_of(flow.id))
        .collect();
    let mut flows_of = Vec::new();
    for flow in &flows {
        let sheet = reader.sheet(flow.table)?;
        let measure = |field: &Field| (field.name().to_uppercase(), value_type(field));
        flows_of.push((*flow, flow.measures(&sheet).map(measure).collect::<Vec<_>>()));
    }
    let with = |is_wanted: bool| -> Vec<FlowOf> {
        let wanted = flows_of.iter().filter(|_| is_wanted);
        wanted.map(|(flow, measures)| FlowOf { flow, measures: measures.clone() }).collect()
    };
    let mut codes =
        if is_kind("codelist") { code_lists(&flows, &call.edition.names) } else { vec![] };
    if kind == "codelist" {
        codes.retain(|list| is_of(list.id));
    }
    let has_concepts = is_kind("conceptscheme") && (kind != "conceptscheme" || is_of(CONCEPTS));
    let artefacts = Artefacts {
        flows: with(is_kind("dataflow") && !["codelist", "conceptscheme"].contains(&kind)),
        structures: with(
            is_kind("datastructure") && !["codelist", "conceptscheme"].contains(&kind),
        ),
        concepts: has_concepts.then(|| concepts(&with(true))),
        codes,
    };
    let Artefacts { flows, structures, codes, concepts } = &artefacts;
    if flows.is_empty() && structures.is_empty() && codes.is_empty() && concepts.is_none() {
        return Err(Problem::new("not_found", format!("there is no {kind} \"{id}\"")));
    }
    let is_xml = match call.query.text("format") {
        Some("xml") => true,
        Some("json") => false,
        Some(_) => return Err(Problem::parameter("format", "write json or xml")),
        None => call.accept.contains("xml") && !call.accept.contains("html"),
    };
    if is_xml {
        let kind = "application/vnd.sdmx.structure+xml; version=3.0.0";
        return out.text(kind, &xml(call, &artefacts));
    }
    let message = json_message(call, "structure", &json_of(&artefacts));
    out.text("application/vnd.sdmx.structure+json; version=2.0.0", &message)
}

/// The name of a component in English and in Chinese.
pub fn component_name(flow: &Flow, id: &str) -> Name {
    let column = match id {
        TIME if flow.is_monthly => return ["Month".to_owned(), "月份".to_owned()],
        TIME => "year".to_owned(),
        id => id.to_lowercase(),
    };
    let of = meaning(flow.table.name(), &column);
    of.map_or_else(|| [id.to_owned(), id.to_owned()], |of| [of.label.clone(), of.label_zh.clone()])
}

fn concepts(flows: &[FlowOf]) -> List {
    let mut items: Vec<Item> = Vec::new();
    for FlowOf { flow, measures } in flows {
        let dimensions = flow.dimensions.iter().map(|of| (of.id.to_owned(), "String"));
        let time = (TIME.to_owned(), "ObservationalTimePeriod");
        for (id, value_type) in dimensions.chain([time]).chain(measures.iter().cloned()) {
            if !items.iter().any(|item| item.id == id) {
                let name = component_name(flow, &id);
                items.push(Item { id, name, value_type: Some(value_type) });
            }
        }
    }
    List { id: CONCEPTS, name: ["Concepts", "概念"], items }
}

/// The lists that flows use.
fn code_lists(flows: &[&Flow], names: &Names) -> Vec<List> {
    let is_used =
        |id: &str| flows.iter().flat_map(|flow| flow.dimensions).any(|of| of.codes == Some(id));
    let item = |id: String, name: Name| Item { id, name, value_type: None };
    let places = |kind| {
        let entries = names.entries(kind).map(|of| {
            let or =
                |text: &str, other: &str| if text.is_empty() { other } else { text }.to_owned();
            let english = or(of.english, of.chinese);
            let chinese = or(of.chinese, of.english);
            item(of.code.to_owned(), [or(&english, of.code), or(&chinese, of.code)])
        });
        entries.collect()
    };
    let spans = Span::ALL.map(|span| {
        let name = match span {
            Span::TwelveMonths => ["Twelve months", "近十二个月"],
            Span::Month => ["Month", "当月"],
            Span::YearToDate => ["Year to date", "年初至今"],
        };
        item(span.name().to_owned(), name.map(str::to_owned))
    });
    let levels = Level::ALL.map(|level| {
        let name = match level {
            Level::City => ["City", "城市"],
            Level::CityGroup => ["Group of cities", "城市组"],
            Level::Country => ["Destination", "目的地"],
            Level::CountryGroup => ["Group of destinations", "目的地组"],
            Level::IncomeGroup => ["Income group", "收入组"],
            Level::Nation => ["Nation", "全国"],
            Level::Province => ["Province", "省份"],
            Level::ProvinceCountry => ["Province and destination", "省份与目的地"],
        };
        item(level.name().replace('^', "_"), name.map(str::to_owned))
    });
    let lists = [
        List { id: "CL_SPAN", name: ["Spans of months", "时段"], items: spans.into() },
        List { id: "CL_LEVEL", name: ["Levels", "层级"], items: levels.into() },
        List { id: "CL_CITY", name: ["Cities", "城市"], items: places(PlaceKind::City) },
        List {
            id: "CL_COUNTRY",
            name: ["Destinations", "目的地"],
            items: places(PlaceKind::Country),
        },
    ];
    lists.into_iter().filter(|list| is_used(list.id)).collect()
}

fn urn(class: &str, id: &str) -> String {
    format!("urn:sdmx:org.sdmx.infomodel.{class}={AGENCY}:{id}({VERSION})")
}

fn concept_urn(id: &str) -> String {
    format!("urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept={AGENCY}:{CONCEPTS}({VERSION}).{id}")
}

/// A JSON message of SDMX.
pub fn json_message(call: &Call, kind: &str, data: &Value) -> String {
    let schema = format!(
        "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/{kind}-message/tools/schemas/\
         2.0.0/sdmx-json-{kind}-schema.json"
    );
    let id = format!("{AGENCY}-{}-{}", call.edition.vintage, call.edition.tag);
    let prepared = call.edition.committed_at.clone();
    let sender = json!({ "id": AGENCY });
    let meta = json!({
        "schema": schema, "id": id, "test": false, "prepared": prepared, "sender": sender,
    });
    // Readers look for the schema in the first bytes.
    format!("{{\"meta\":{meta},\"data\":{data}}}")
}

fn json_names(name: &[impl AsRef<str>; 2]) -> Value {
    json!({ "en": name[0].as_ref(), "zh": name[1].as_ref() })
}

fn json_list(list: &List, items: &str) -> Value {
    let item = |item: &Item| {
        let mut of =
            json!({ "id": item.id, "name": item.name[0], "names": json_names(&item.name) });
        if let Some(kind) = item.value_type {
            of["coreRepresentation"] = json!({ "format": { "dataType": kind } });
        }
        of
    };
    json!({
        "id": list.id, "agencyID": AGENCY, "version": VERSION, "name": list.name[0],
        "names": json_names(&list.name), items: list.items.iter().map(item).collect::<Value>(),
    })
}

fn json_structure(FlowOf { flow, measures }: &FlowOf) -> Value {
    let dimension = |of: &super::flow::Dimension| {
        let representation = match of.codes {
            Some(list) => json!({ "enumeration": urn("codelist.Codelist", list) }),
            None => json!({ "format": { "dataType": "String" } }),
        };
        json!({
            "id": of.id, "conceptIdentity": concept_urn(of.id),
            "localRepresentation": representation,
        })
    };
    let dimensions: Value = flow.dimensions.iter().map(dimension).collect();
    let measure = |(id, kind): &(String, &str)| {
        json!({
            "id": id, "conceptIdentity": concept_urn(id), "usage": "optional",
            "localRepresentation": { "format": { "dataType": kind } },
        })
    };
    let time = json!({
        "id": TIME, "conceptIdentity": concept_urn(TIME),
        "localRepresentation": { "format": { "dataType": "ObservationalTimePeriod" } },
    });
    json!({
        "id": flow.id, "agencyID": AGENCY, "version": VERSION, "name": flow.names[0],
        "names": json_names(&flow.names),
        "dataStructureComponents": {
            "dimensionList": {
                "id": "DimensionDescriptor", "dimensions": dimensions, "timeDimension": time,
            },
            "measureList": {
                "id": "MeasureDescriptor",
                "measures": measures.iter().map(measure).collect::<Value>(),
            },
        },
    })
}

fn json_of(artefacts: &Artefacts) -> Value {
    let flow = |FlowOf { flow, .. }: &FlowOf| {
        json!({
            "id": flow.id, "agencyID": AGENCY, "version": VERSION, "name": flow.names[0],
            "names": json_names(&flow.names),
            "structure": urn("datastructure.DataStructure", flow.id),
        })
    };
    let codes = artefacts.codes.iter().map(|list| json_list(list, "codes"));
    let concepts = artefacts.concepts.iter().map(|list| json_list(list, "concepts"));
    json!({
        "dataflows": artefacts.flows.iter().map(flow).collect::<Value>(),
        "dataStructures": artefacts.structures.iter().map(json_structure).collect::<Value>(),
        "codelists": codes.collect::<Value>(),
        "conceptSchemes": concepts.collect::<Value>(),
    })
}

/// A document while it is written; a write to a text cannot fail.
struct Xml(String);

impl Xml {
    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        let _ = self.0.write_fmt(text);
        self.0.push('\n');
    }

    fn names(&mut self, name: &[impl AsRef<str>; 2]) {
        for (language, name) in ["en", "zh"].into_iter().zip(name) {
            let name = escape(name.as_ref());
            self.line(format_args!("<com:Name xml:lang=\"{language}\">{name}</com:Name>"));
        }
    }

    /// A list with its items.
    fn list(&mut self, list: &List, [class, item_class]: [&str; 2]) {
        let id = list.id;
        self.line(format_args!(
            "<str:{class} id=\"{id}\" agencyID=\"{AGENCY}\" version=\"{VERSION}\" \
             isExternalReference=\"false\" isPartial=\"false\">"
        ));
        self.names(&list.name);
        for item in &list.items {
            let id = escape(&item.id);
            self.line(format_args!("<str:{item_class} id=\"{id}\">"));
            self.names(&item.name);
            if let Some(kind) = item.value_type {
                self.line(format_args!(
                    "<str:CoreRepresentation><str:TextFormat textType=\"{kind}\"/>\
                     </str:CoreRepresentation>"
                ));
            }
            self.line(format_args!("</str:{item_class}>"));
        }
        self.line(format_args!("</str:{class}>"));
    }

    fn component(&mut self, element: &str, id: &str, representation: &str) {
        let concept = concept_urn(id);
        let name = element.split(' ').next().unwrap_or(element);
        self.line(format_args!(
            "<str:{element} id=\"{id}\"><str:ConceptIdentity>{concept}</str:ConceptIdentity>\
             <str:LocalRepresentation>{representation}</str:LocalRepresentation></str:{name}>"
        ));
    }

    fn structure(&mut self, FlowOf { flow, measures }: &FlowOf) {
        let id = flow.id;
        self.line(format_args!(
            "<str:DataStructure id=\"{id}\" agencyID=\"{AGENCY}\" version=\"{VERSION}\" \
             isExternalReference=\"false\">"
        ));
        self.names(&flow.names);
        self.line(format_args!(
            "<str:DataStructureComponents><str:DimensionList id=\"DimensionDescriptor\">"
        ));
        for (position, of) in (1..).zip(flow.dimensions) {
            let representation = match of.codes {
                Some(list) => {
                    let urn = urn("codelist.Codelist", list);
                    format!("<str:Enumeration>{urn}</str:Enumeration>")
                }
                None => "<str:TextFormat textType=\"String\"/>".to_owned(),
            };
            self.component(&format!("Dimension position=\"{position}\""), of.id, &representation);
        }
        let time = "<str:TextFormat textType=\"ObservationalTimePeriod\"/>";
        self.component("TimeDimension", TIME, time);
        self.line(format_args!("</str:DimensionList><str:MeasureList id=\"MeasureDescriptor\">"));
        for (id, kind) in measures {
            let representation = format!("<str:TextFormat textType=\"{kind}\"/>");
            self.component("Measure usage=\"optional\"", id, &representation);
        }
        self.line(format_args!(
            "</str:MeasureList></str:DataStructureComponents></str:DataStructure>"
        ));
    }

    fn flow(&mut self, flow: &Flow) {
        let (id, structure) = (flow.id, urn("datastructure.DataStructure", flow.id));
        self.line(format_args!(
            "<str:Dataflow id=\"{id}\" agencyID=\"{AGENCY}\" version=\"{VERSION}\" \
             isExternalReference=\"false\">"
        ));
        self.names(&flow.names);
        self.line(format_args!("<str:Structure>{structure}</str:Structure></str:Dataflow>"));
    }
}

fn xml(call: &Call, artefacts: &Artefacts) -> String {
    const ROOT: &str = "http://www.sdmx.org/resources/sdmxml/schemas/v3_0";
    let mut xml = Xml("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned());
    let (vintage, tag) = (call.edition.vintage, &call.edition.tag);
    let prepared = call.edition.committed_at.as_deref().unwrap_or("1970-01-01T00:00:00Z");
    xml.line(format_args!(
        "<mes:Structure xmlns:mes=\"{ROOT}/message\" xmlns:str=\"{ROOT}/structure\" \
         xmlns:com=\"{ROOT}/common\">\n<mes:Header><mes:ID>{AGENCY}-{vintage}-{tag}</mes:ID>\
         <mes:Test>false</mes:Test><mes:Prepared>{prepared}</mes:Prepared>\
         <mes:Sender id=\"{AGENCY}\"/></mes:Header>\n<mes:Structures>"
    ));
    if !artefacts.flows.is_empty() {
        xml.line(format_args!("<str:Dataflows>"));
        artefacts.flows.iter().for_each(|of| xml.flow(of.flow));
        xml.line(format_args!("</str:Dataflows>"));
    }
    if !artefacts.codes.is_empty() {
        xml.line(format_args!("<str:Codelists>"));
        artefacts.codes.iter().for_each(|list| xml.list(list, ["Codelist", "Code"]));
        xml.line(format_args!("</str:Codelists>"));
    }
    if let Some(list) = &artefacts.concepts {
        xml.line(format_args!("<str:ConceptSchemes>"));
        xml.list(list, ["ConceptScheme", "Concept"]);
        xml.line(format_args!("</str:ConceptSchemes>"));
    }
    if !artefacts.structures.is_empty() {
        xml.line(format_args!("<str:DataStructures>"));
        artefacts.structures.iter().for_each(|of| xml.structure(of));
        xml.line(format_args!("</str:DataStructures>"));
    }
    xml.line(format_args!("</mes:Structures>\n</mes:Structure>"));
    xml.0
}
