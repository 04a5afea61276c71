//! Column names of agencies.

use crate::feed::columns::Field;
use crate::feed::profile::Profile;

/// Names of the columns of each field, in addition to those of the shipped profiles.
const NAMES: [(Field, &[&str]); 9] = [
    (
        Field::Period,
        &[
            "period",
            "日期",
            "年月",
            "数据年月",
            "yearmonth",
            "date",
            "shipmentdate",
            "month",
            "time",
        ],
    ),
    (
        Field::Flow,
        &["flow", "进出口", "进口或出口", "expimp", "exporimp", "进出口c", "tradeflow", "ie"],
    ),
    (
        Field::FirmId,
        &["firmid", "企业编码", "企业代码", "经营单位编码", "partyid", "importerid", "exporterid"],
    ),
    (
        Field::FirmName,
        &["firmname", "企业名称", "经营单位", "company", "pname", "exporter", "exportername"],
    ),
    (
        Field::Region,
        &[
            "region",
            "city",
            "消费地或生产地",
            "境内目的地货源地",
            "comun",
            "province",
            "state",
            "declarant",
        ],
    ),
    (
        Field::Country,
        &[
            "country",
            "国家名称c",
            "起运国或目的国",
            "贸易伙伴国",
            "destination",
            "partner",
            "copais",
        ],
    ),
    (
        Field::Hs8,
        &[
            "hs8",
            "hsid",
            "税号编码",
            "hs编码",
            "商品代码",
            "商品编码",
            "hscode",
            "hs6code",
            "productnc",
            "ncm",
        ],
    ),
    (
        Field::TradeMode,
        &["trademode", "shipment", "贸易类型c", "贸易方式", "贸易方式编码", "statregime", "regime"],
    ),
    (
        Field::ValueUsd,
        &[
            "valueusd",
            "美元值",
            "美元",
            "金额",
            "value",
            "vlfob",
            "fobvalueusd",
            "fobusd",
            "itemprice",
        ],
    ),
];

/// Names of columns with a year, and with a month of the year.
const YEARS: &[&str] = &["year", "coano", "ano", "año", "anio", "年", "年份", "annee"];
const MONTHS: &[&str] = &["month", "comes", "mes", "月", "月份", "mois"];

/// A name prepared for comparison: its letters and digits.
fn bare(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The columns whose names are known for a field.
pub(super) fn columns_of(field: Field, names: &[String]) -> Vec<usize> {
    let own = NAMES.iter().find(|(of, _)| *of == field).map_or(&[][..], |(_, names)| names);
    let mut known: Vec<String> = own.iter().map(ToString::to_string).collect();
    // For an agency without firms, products may replace them; the user must choose this.
    let has_firms = |name: &&str| ["canonical", "ccts"].contains(name);
    let is_of_firms = [Field::FirmId, Field::FirmName].contains(&field);
    let shipped = Profile::bundled_names().filter(|name| !is_of_firms || has_firms(name));
    for profile in shipped.filter_map(|name| Profile::bundled(name).ok()) {
        known.extend(profile.columns.of(field).names().iter().map(|name| bare(&name.to_string())));
    }
    among(&known, names)
}

/// The columns of year and month, if they are separate.
pub(super) fn year_and_month(names: &[String]) -> Option<(usize, usize)> {
    let of = |known: &[&str]| {
        let known: Vec<String> = known.iter().map(ToString::to_string).collect();
        among(&known, names).first().copied()
    };
    Some((of(YEARS)?, of(MONTHS)?))
}

/// The columns with any of some names, in the order of these names.
fn among(known: &[String], names: &[String]) -> Vec<usize> {
    let mut found: Vec<usize> = Vec::new();
    for known in known {
        let at = names.iter().position(|name| bare(name) == *known);
        found.extend(at.filter(|at| !found.contains(at)));
    }
    found
}
