//! A year of the plant panel: the rows of `plant` in order of key, texts as codes, and four columns
//! that samples and effects need.
//!
//! | column | meaning |
//! |---|---|
//! | `province` | the province of the city |
//! | `income_group` | the income group of the destination in the year: H, UM, LM, L |
//! | `province_plants` | the most cities of one province in the firm's network up to the year |
//! | `destination_plants` | plants of the firm that export to the destination in the year |

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray, UInt32Array};
use arrow_schema::{ArrowError, DataType, Field, Schema};

use super::codes::dictionary;
use super::error::RegressionError;
use super::networks::Networks;
use super::source::Source;
use crate::domain::types::Year;
use crate::home::parts::Table;
use crate::tables::export::TableAt;

/// The rows of a closed year; without networks, a firm's network is its plants in the year.
pub fn rows(
    source: &Source<'_>,
    year: Year,
    networks: Option<&Networks>,
) -> Result<RecordBatch, RegressionError> {
    let rows =
        TableAt::published(source.home, Table::Plant, None, &source.definition)?.year(year)?;
    Ok(extended(source, year, &rows, networks)?)
}

/// Sorted rows of `plant` with the further columns.
pub fn extended(
    source: &Source<'_>,
    year: Year,
    rows: &RecordBatch,
    networks: Option<&Networks>,
) -> Result<RecordBatch, ArrowError> {
    let text = |name: &str| -> Result<StringArray, ArrowError> {
        Ok(rows.column(rows.schema().index_of(name)?).as_string::<i32>().clone())
    };
    let (firms, cities, countries) = (text("firm")?, text("city")?, text("country")?);
    let places = &source.definition.places;
    let province = |city: &str| Some(places.province_code(places.province(places.city(city)?)));
    let provinces = dictionary(cities.iter().map(|city| province(city?)));
    let group = |country: &str| source.incomes.group(country, year);
    let groups = dictionary(countries.iter().map(|country| group(country?)));
    let network = |firm: &str| -> Option<Vec<&str>> {
        Some(networks?.cities(firm, year).map(|city| places.code(city)).collect())
    };
    let keys = (&firms, &cities, &countries);
    let (of_province, of_destination) = plant_counts(keys, &network, &province);

    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (field, array) in rows.schema().fields().iter().zip(rows.columns()) {
        let coded = *field.data_type() == DataType::Utf8;
        let array =
            if coded { dictionary(array.as_string::<i32>().iter()) } else { Arc::clone(array) };
        fields.push(Field::new(field.name(), array.data_type().clone(), field.is_nullable()));
        arrays.push(array);
    }
    let more: [(&str, ArrayRef); 4] = [
        ("province", provinces),
        ("income_group", groups),
        ("province_plants", Arc::new(of_province)),
        ("destination_plants", Arc::new(of_destination)),
    ];
    for (name, array) in more {
        fields.push(Field::new(name, array.data_type().clone(), name == "income_group"));
        arrays.push(array);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}

/// For each row, the most cities of one province in the firm's network, and the firm's plants that
/// export to the destination. Every plant of a multi-plant firm has a row for each destination.
/// Rows therefore show the active plants of the year; without a given network, these are the
/// network.
fn plant_counts<'p>(
    (firms, cities, countries): (&StringArray, &StringArray, &StringArray),
    network: &impl Fn(&str) -> Option<Vec<&'p str>>,
    province: &impl Fn(&str) -> Option<&'p str>,
) -> (UInt32Array, UInt32Array) {
    let (mut of_province, mut of_destination) = (Vec::new(), Vec::new());
    let rows: Vec<usize> = (0..firms.len()).collect();
    for firm in rows.chunk_by(|&a, &b| firms.value(a) == firms.value(b)) {
        let active = || firm.iter().map(|&row| cities.value(row)).collect();
        let own: BTreeSet<&str> = match network(firms.value(firm[0])) {
            Some(network) => network.into_iter().collect(),
            None => active(),
        };
        let mut by_province: BTreeMap<_, u32> = BTreeMap::new();
        for city in &own {
            *by_province.entry(province(city)).or_default() += 1;
        }
        let most = by_province.values().copied().max().unwrap_or_default();
        let mut by_country: BTreeMap<&str, u32> = BTreeMap::new();
        for &row in firm {
            *by_country.entry(countries.value(row)).or_default() += 1;
        }
        of_province.extend(firm.iter().map(|_| most));
        of_destination.extend(firm.iter().map(|&row| by_country[countries.value(row)]));
    }
    (of_province.into(), of_destination.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plants_are_counted_by_province_and_by_destination() {
        let firms = StringArray::from(vec!["f", "f", "f", "f", "g", "g"]);
        let cities = StringArray::from(vec!["11", "11", "12", "21", "11", "21"]);
        let countries = StringArray::from(vec!["a", "b", "a", "a", "a", "b"]);
        let province = |city: &str| if city.starts_with('1') { Some("1") } else { Some("2") };
        let keys = (&firms, &cities, &countries);
        let (of_province, of_destination) = plant_counts(keys, &|_| None, &province);
        assert_eq!(of_province.values(), &[2, 2, 2, 2, 1, 1]);
        assert_eq!(of_destination.values(), &[3, 1, 3, 3, 1, 1]);
        let network = |firm: &str| {
            let cities: &[&str] =
                if firm == "f" { &["11", "12", "13", "21"] } else { &["11", "21", "22"] };
            Some(cities.to_vec())
        };
        let (of_province, of_destination) = plant_counts(keys, &network, &province);
        assert_eq!(of_province.values(), &[3, 3, 3, 3, 2, 2]);
        assert_eq!(of_destination.values(), &[3, 1, 3, 3, 1, 1]);
    }
}
