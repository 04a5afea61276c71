//! The expected form of a rejected line's field, and the profile's key that defines it.

use super::check::Fault;
use super::columns::Field;
use super::header::Header;
use super::layout::{CityRule, CountryCodes, DecimalMark};
use super::profile::Profile;
use super::shown::Shown;
use super::split::Span;
use crate::domain::record::Rule;

/// The largest number of characters of a text that a message shows.
const TEXT_CHARS_MAX: usize = 60;

/// A rejected line as a message shows it.
pub(super) fn shown(
    line: u32,
    header: &Header,
    profile: &Profile,
    fault: Fault,
    (raw, fields): (&[u8], &[Span]),
) -> Shown {
    let column = fault.column.map_or_else(String::new, |at| header.name(at).into_owned());
    let text = match fault.column.and_then(|at| fields.get(at)) {
        Some(field) => field.lossy(raw),
        None => String::from_utf8_lossy(&raw[..raw.len().min(4 * TEXT_CHARS_MAX)]).into_owned(),
    };
    let field = fault.column.and_then(|at| header.field_of(at));
    let expected = expected(fault.rule, field, header, profile);
    Shown { line, column, rule: fault.rule, text: cut(&text), expected }
}

fn cut(text: &str) -> String {
    if text.chars().count() <= TEXT_CHARS_MAX {
        return text.to_owned();
    }
    text.chars().take(TEXT_CHARS_MAX).chain(['…']).collect()
}

/// The expected form of a field, and the profile's key that defines it.
fn expected(rule: Rule, field: Option<Field>, header: &Header, profile: &Profile) -> String {
    match rule {
        Rule::Columns => {
            format!("expected {} fields as in the header ([file] delimiter)", header.n_columns())
        }
        Rule::Quote => "expected a quote to be closed ([file] quote)".to_owned(),
        Rule::Encoding => "expected text of [file] encoding".to_owned(),
        Rule::Period => {
            let format = String::from(profile.period.of_lines());
            format!("expected a month as {format} ([period] format)")
        }
        Rule::FuturePeriod => "expected no month after the file's own ([file] pattern)".to_owned(),
        Rule::EarlyPeriod => {
            "expected no month before the first of the feed and of the file".to_owned()
        }
        Rule::Flow => {
            let codes = profile.flow.export.iter().chain(&profile.flow.import);
            let codes: Vec<String> = codes.map(|code| format!("{code:?}")).collect();
            format!("expected {} ([flow] export, import)", codes.join(", "))
        }
        Rule::Firm => "expected an identifier ([columns] firm_id)".to_owned(),
        Rule::Code => {
            let field = field.map_or("", Field::name);
            format!("expected all digits of a code: a spreadsheet took it for a number ({field})")
        }
        Rule::Region => match profile.city {
            CityRule::Concordance => "expected a region of regions.csv ([city] from)".to_owned(),
            CityRule::Prefix { digits } => {
                format!("expected {digits} digits of a city of cities.csv ([city] digits)")
            }
            CityRule::AsIs => "expected a city of cities.csv ([city] from)".to_owned(),
        },
        Rule::Country if profile.countries == Some(CountryCodes::Customs) => {
            "expected a code or name of countries.csv (countries)".to_owned()
        }
        Rule::Country => "expected a code or name of countries.csv beside the feed".to_owned(),
        Rule::Number => {
            let mark = match profile.value.decimal_mark {
                DecimalMark::Point => ".",
                DecimalMark::Comma => ",",
            };
            let groups = match profile.value.thousands {
                None => "without marks between thousands",
                Some(_) => "with marks between thousands",
            };
            let keys = "([value] decimal_mark, thousands, missing)";
            format!("expected digits {groups}, decimals after \"{mark}\" {keys}")
        }
        Rule::Range => "expected at most 46116860184273879.04 dollars ([value] unit)".to_owned(),
        Rule::Length => String::new(),
    }
}
