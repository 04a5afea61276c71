//! The live effect: effects by unit, their sources, and their news.

use crate::domain::span::Span;
use crate::domain::types::Vintage;
use crate::effect::{EffectRequest, Results, Wanted};
use crate::reader::Reader;
use crate::reader::chosen::WithNames;
use crate::reader::conditions::{Comparison, Condition};
use crate::reader::names::Names;
use crate::render::effect;
use crate::render::style::Style;
use crate::serve::answers::{self, Answered, facts};
use crate::serve::call::Call;
use crate::serve::figures;
use crate::serve::out::Out;
use crate::serve::problem::Problem;
use crate::serve::route::{Kind, Parameter};
use crate::serve::selection::{Passed, Selection};

const COMPONENTS: &[&str] = &["affiliate", "local", "both", "density"];
const BASELINES: &[&str] = &["zero", "last_year", "within", "strict"];
/// The levels of effects.
const LEVELS: &[&str] = &[
    "nation",
    "province",
    "city",
    "country",
    "income_group",
    "province^country",
    "city_group",
    "country_group",
    "plant",
];

/// The parameters of effects, sources and news.
pub const EFFECTS: [Parameter; 16] = [
    Parameter::query("model", Kind::Text, "The column whose coefficients apply, 3.4 without it."),
    Parameter::query(
        "level",
        Kind::OneOf(LEVELS),
        "The level, nation without it; plant is firm-level.",
    ),
    Parameter::query("key", Kind::Text, "The units of the level, separated by commas."),
    Parameter::query("component", Kind::OneOf(COMPONENTS), "affiliate, local, both or density."),
    Parameter::query("baseline", Kind::OneOf(BASELINES), "zero, last_year, within or strict."),
    Parameter::query("month", Kind::Month, "The month, YYYYMM or YYYY-MM; the newest without it."),
    Parameter::query("span", Kind::SPAN, "The span of months: ytd, month or 12m."),
    Parameter::query(
        "density",
        Kind::OneOf(&["12m", "span"]),
        "The months of the density: 12m or span.",
    ),
    Parameter::query(
        "estimate",
        Kind::OneOf(&["pinned", "newest"]),
        "The estimate: pinned or newest.",
    ),
    Parameter::query("value", Kind::Flag, "Adds the effect in US dollars."),
    Parameter::query("band", Kind::Flag, "Adds the band from earlier years, which reads them."),
    Parameter::AS_OF,
    Parameter::COLUMNS,
    Parameter::SORT,
    Parameter::LIMIT,
    Parameter::PAGE,
];
/// The parameters of news.
pub const NEWS: [Parameter; 17] = {
    let [model, level, key, component, baseline, month, span, density, estimate, value, band, ..] =
        EFFECTS;
    let [.., as_of, columns, sort, limit, page] = EFFECTS;
    [
        Parameter::needed("before", Kind::Integer, "The earlier vintage."),
        model,
        level,
        key,
        component,
        baseline,
        month,
        span,
        density,
        estimate,
        value,
        band,
        as_of,
        columns,
        sort,
        limit,
        page,
    ]
};

/// The request of a call.
fn request(call: &Call, as_of: Option<Vintage>) -> Result<EffectRequest, Problem> {
    let (query, default) = (&call.query, EffectRequest::default());
    let wanted = |is_wanted| if is_wanted { Wanted::Yes } else { Wanted::No };
    Ok(EffectRequest {
        model: query.text("model").map_or(default.model, str::to_owned),
        level: query.value("level")?.unwrap_or_default(),
        component: query.value("component")?.unwrap_or_default(),
        baseline: query.value("baseline")?.unwrap_or_default(),
        month: query.month("month")?,
        span: query.value::<Span>("span")?.unwrap_or(default.span),
        joint: call.edition.joint,
        density: query.value("density")?.unwrap_or_default(),
        value: wanted(query.is_on("value")?),
        band: wanted(query.is_on("band")?),
        vintage: as_of,
        estimate: query.value("estimate")?.unwrap_or_default(),
    })
}

/// `effects`: the effect of each unit.
///
/// # Errors
/// A [`Problem`] if there is no such month, vintage or estimate, or the home cannot be read.
pub fn effects(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    let as_of = call.as_of(reader)?;
    let mut effects = reader.effects(&request(call, as_of)?)?;
    if call.format.is_figure() {
        let keys = call.query.list::<String>("key")?;
        effects.rows.retain(|row| keys.is_empty() || keys.contains(&row.key));
        out.is_of(call.vintage(as_of));
        let language = call.language;
        let names = WithNames { names: Names::clone(&call.edition.names), language };
        let style = Style { language, ..Style::default() };
        let name = |level: &str, key: &str| names.key(level, key);
        let chart = effect::chart::svg(&Results::Effects(effects), &style, &name);
        return figures::write((call, out), chart);
    }
    written((call, out), reader, as_of, &Results::Effects(effects))
}

/// `sources`: what each source city accounts for.
///
/// # Errors
/// Those of [`effects`].
pub fn sources(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    let as_of = call.as_of(reader)?;
    let results = Results::Sources(reader.sources(&request(call, as_of)?)?);
    written((call, out), reader, as_of, &results)
}

/// `news`: the change of the effect since an earlier vintage, step by step.
///
/// # Errors
/// Those of [`effects`].
pub fn news(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    let before = Vintage(call.query.needed("before")?);
    let as_of = call.as_of(reader)?;
    let results = Results::News(reader.news(&request(call, as_of)?, before)?);
    written((call, out), reader, as_of, &results)
}

fn written(
    (call, out): (&Call, &mut Out),
    reader: &Reader,
    as_of: Option<Vintage>,
    results: &Results,
) -> Result<(), Problem> {
    let vintage = call.vintage(as_of);
    out.is_of(vintage);
    let (sheet, mut rows) = results.table();
    let keys = call.query.list::<String>("key")?;
    if !keys.is_empty() {
        let (column, comparison) = ("key".to_owned(), Comparison::Equal);
        let chosen = Condition { column, comparison, values: keys }.rows(rows);
        rows = chosen.map_err(|error| Problem::new("defect", error.to_string()))?;
    }
    let selection = Selection::of(call, &sheet, vintage, None)?;
    let (passed, shown) = (Passed::default(), selection.sheet(&sheet)?);
    let mut batches = std::iter::once(Ok(rows));
    let mut selected = selection.rows(&mut batches, &passed)?;
    let (mut facts, mut about) = (facts(call, vintage), reader.about(as_of)?);
    let claims = effect::facts(results);
    let claim = claims.iter().map(|(name, value)| (name.clone(), value.clone().into()));
    facts.insert("claim".to_owned(), claim.collect::<answers::Facts>().into());
    about.extend(claims);
    let after = || selection.page(call, vintage, &passed);
    let answered = Answered { sheet: &shown, facts, about, after: &after };
    answers::rows((call, out), answered, &mut selected)
}
