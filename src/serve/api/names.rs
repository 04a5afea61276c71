//! `names`: codes by a part of a code, an ISO code, a name in Chinese or English, or its sound.

use pinyin::ToPinyin as _;
use serde_json::json;

use crate::reader::Reader;
use crate::reader::names::{NameEntry, PlaceKind};
use crate::serve::answers::{Facts, Records, members, records};
use crate::serve::call::Call;
use crate::serve::out::Out;
use crate::serve::problem::Problem;
use crate::serve::route::{Column, Kind, Parameter};

/// The most names of an answer.
const NAMES_MAX: usize = 1_000;
/// The names of an answer without a limit.
const NAMES: usize = 20;

/// The parameters of `names`.
pub const PARAMETERS: [Parameter; 3] = [
    Parameter::query("q", Kind::Text, "A part of a code or name, or a sound: deguo, dg."),
    Parameter::query(
        "kind",
        Kind::OneOf(&["city", "country", "firm"]),
        "city, country or firm; cities and countries without it.",
    ),
    Parameter::query("limit", Kind::Count(1_000), "The most names to return, 20 without it."),
];

/// The columns of `names`.
pub const COLUMNS: [Column; 5] = [
    Column { name: "kind", kind: Kind::Text, about: "city, country or firm." },
    Column { name: "code", kind: Kind::Text, about: "The code." },
    Column { name: "name_zh", kind: Kind::Text, about: "The Chinese name." },
    Column { name: "name_en", kind: Kind::Text, about: "The English name." },
    Column { name: "iso", kind: Kind::Text, about: "The ISO 3166 code of three letters." },
];

/// `names`.
///
/// # Errors
/// A [`Problem`] for another kind, or if the names cannot be read.
pub fn names(call: &Call, reader: &mut Reader, out: &mut Out) -> Result<(), Problem> {
    let kinds = match call.query.text("kind") {
        None => vec![("country", PlaceKind::Country), ("city", PlaceKind::City)],
        Some("city") => vec![("city", PlaceKind::City)],
        Some("country") => vec![("country", PlaceKind::Country)],
        Some("firm") => vec![("firm", PlaceKind::Firm)],
        Some(_) => return Err(Problem::parameter("kind", "write city, country or firm")),
    };
    let limit = call.query.count("limit", NAMES_MAX)?.unwrap_or(NAMES);
    let asked = call.query.text("q").unwrap_or_default();
    let has_firms = kinds.iter().any(|(_, kind)| *kind == PlaceKind::Firm);
    let names = if has_firms {
        call.edition.names_with_firms(reader)?
    } else {
        std::sync::Arc::clone(&call.edition.names)
    };
    let mut found = Vec::new();
    for (name, kind) in kinds {
        found.extend(
            names.entries(kind).filter_map(|entry| Some((rank(&entry, asked)?, name, entry))),
        );
    }
    // Equal ranks keep their order: countries before cities, each by code.
    found.sort_by_key(|(rank, ..)| *rank);
    let row = |(_, kind, entry): (u8, &str, NameEntry<'_>)| {
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let iso = entry.others.iter().find(|of| of.len() == 3 && of.is_ascii());
        members(json!({
            "kind": kind,
            "code": entry.code,
            "name_zh": text(entry.chinese),
            "name_en": text(entry.english),
            "iso": iso.filter(|_| kind == "country"),
        }))
    };
    let rows = found.into_iter().take(limit).map(row).collect();
    let (name, columns, facts) = ("names", &COLUMNS[..], Facts::new());
    records((call, out), call.edition.vintage, Records { name, columns, facts, rows })
}

/// How well an entry fits a text, the best first; `None` if it does not.
fn rank(entry: &NameEntry<'_>, asked: &str) -> Option<u8> {
    let asked = asked.trim().to_lowercase();
    if asked.is_empty() {
        return Some(0);
    }
    let names =
        [entry.chinese, entry.english].into_iter().chain(entry.others.iter().map(String::as_str));
    let names: Vec<String> = names.filter(|of| !of.is_empty()).map(str::to_lowercase).collect();
    let code = entry.code.to_lowercase();
    if code == asked || names.contains(&asked) {
        return Some(0);
    }
    let is_sound = asked.is_ascii() && asked.chars().all(|letter| letter.is_ascii_alphabetic());
    let (whole, first) = if is_sound { sounds(entry.chinese) } else { Default::default() };
    if is_sound && (whole == asked || first == asked) {
        return Some(1);
    }
    if code.starts_with(&asked) || names.iter().any(|name| name.starts_with(&asked)) {
        return Some(2);
    }
    if is_sound && (whole.starts_with(&asked) || (asked.len() > 1 && first.starts_with(&asked))) {
        return Some(3);
    }
    names.iter().any(|name| name.contains(&asked)).then_some(4)
}

/// The sounds of a Chinese name, and their first letters; both empty for another name.
fn sounds(name: &str) -> (String, String) {
    let (mut whole, mut first) = (String::new(), String::new());
    for sound in name.to_pinyin().flatten() {
        // ü is written as v on a keyboard.
        whole.push_str(&sound.plain().replace('ü', "v"));
        first.extend(sound.plain().chars().next());
    }
    (whole, first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_found_by_code_name_iso_code_and_sound() {
        let others = ["DEU".to_owned(), "DE".to_owned()];
        let germany =
            NameEntry { code: "304", chinese: "德国", english: "Germany", others: &others };
        let rank = |asked| rank(&germany, asked);
        for asked in ["304", "德国", "Germany", "germany", "DEU", "de"] {
            assert_eq!(rank(asked), Some(0), "{asked}");
        }
        assert_eq!((rank("deguo"), rank("DG")), (Some(1), Some(1)));
        assert_eq!((rank("30"), rank("德"), rank("Germ")), (Some(2), Some(2), Some(2)));
        assert_eq!((rank("degu"), rank("国"), rank("many")), (Some(3), Some(4), Some(4)));
        assert_eq!((rank("faguo"), rank("法国"), rank("305")), (None, None, None));
        assert_eq!(sounds("吕梁市").0, "lvliangshi");
    }
}
