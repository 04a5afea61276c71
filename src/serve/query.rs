//! The parameters of an address: each known, given once, and of its type.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::civil::Date;

use super::problem::Problem;
use crate::domain::types::{Period, Vintage};

/// The parameters of one request, decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    given: BTreeMap<String, String>,
}

/// A vintage, or a day whose last vintage is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// A vintage.
    Vintage(Vintage),
    /// The end of a day in China.
    Day(Date),
}

impl FromStr for AsOf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(number) = text.parse() {
            return Ok(Self::Vintage(Vintage(number)));
        }
        let day = text.parse().map(Self::Day);
        day.map_err(|_| format!("\"{text}\" is no vintage and no date; write 14 or 2026-11-30"))
    }
}

impl Query {
    /// Reads the part of an address behind the question mark.
    ///
    /// # Errors
    /// A [`Problem`] if it is not UTF-8, or has a parameter twice.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let mut given = BTreeMap::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name, true)?, decoded(value, true)?);
            if given.insert(name.clone(), value).is_some() {
                return Err(Problem::parameter(
                    &name,
                    "it is given twice; separate values by commas",
                ));
            }
        }
        Ok(Self { given })
    }

    /// Checks that a route knows every parameter.
    ///
    /// # Errors
    /// A [`Problem`] with the first unknown parameter and the known ones.
    pub fn check<'p>(
        &self,
        known: impl Iterator<Item = &'p str>,
        columns: &[String],
    ) -> Result<(), Problem> {
        let mut names: Vec<&str> = known.collect();
        for column in columns {
            if !names.contains(&column.as_str()) {
                names.push(column);
            }
        }
        match self.given.keys().find(|name| !names.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) => {
                let there = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                let detail = format!("there is no parameter \"{name}\"; there are: {there}");
                Err(Problem::new("unknown_parameter", detail)
                    .with("parameter", name.as_str())
                    .with("known", names))
            }
        }
    }

    /// A parameter as a text; an empty text counts as absent.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.given.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// A parameter as a value.
    ///
    /// # Errors
    /// A [`Problem`] if the text is no such value.
    pub fn value<T: FromStr<Err: std::fmt::Display>>(
        &self,
        name: &str,
    ) -> Result<Option<T>, Problem> {
        let parse = |text: &str| text.parse().map_err(|error| Problem::parameter(name, error));
        self.text(name).map(parse).transpose()
    }

    /// A parameter that a request must have.
    ///
    /// # Errors
    /// A [`Problem`] if it is absent, or the text is no such value.
    pub fn needed<T: FromStr<Err: std::fmt::Display>>(&self, name: &str) -> Result<T, Problem> {
        self.value(name)?.ok_or_else(|| Problem::parameter(name, "the request needs it"))
    }

    /// A parameter as a list of values, separated by commas.
    ///
    /// # Errors
    /// A [`Problem`] if a part is no such value.
    pub fn list<T: FromStr<Err: std::fmt::Display>>(&self, name: &str) -> Result<Vec<T>, Problem> {
        let parts = self.text(name).into_iter().flat_map(|text| text.split(','));
        parts
            .map(|part| part.trim().parse().map_err(|error| Problem::parameter(name, error)))
            .collect()
    }

    /// A parameter as a number up to a limit.
    ///
    /// # Errors
    /// A [`Problem`] if it is no number from 1 to the limit.
    pub fn count(&self, name: &str, max: usize) -> Result<Option<usize>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        match text.parse() {
            Ok(number) if (1..=max).contains(&number) => Ok(Some(number)),
            _ => Err(Problem::parameter(name, format!("give a whole number from 1 to {max}"))),
        }
    }

    /// A switch: `true` or `1`, `false` or `0`.
    ///
    /// # Errors
    /// A [`Problem`] for another text.
    pub fn is_on(&self, name: &str) -> Result<bool, Problem> {
        match self.text(name) {
            None | Some("0" | "false") => Ok(false),
            Some("1" | "true") => Ok(true),
            Some(_) => Err(Problem::parameter(name, "write true or false")),
        }
    }

    /// A month, `201112` or `2011-12`.
    ///
    /// # Errors
    /// A [`Problem`] if the text is no month.
    pub fn month(&self, name: &str) -> Result<Option<Period>, Problem> {
        let Some(text) = self.text(name) else { return Ok(None) };
        month(text).map(Some).map_err(|error| Problem::parameter(name, error))
    }

    /// The parameters in order of name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.given.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The parameters with one more or in place of an earlier one.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut given = self.given.clone();
        given.insert(name.to_owned(), value.to_owned());
        Self { given }
    }

    /// The parameters as part of an address, in order of name.
    #[must_use]
    pub fn written(&self) -> String {
        let pairs =
            self.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
        pairs.collect::<Vec<_>>().join("&")
    }
}

/// A month, `201112` or `2011-12`.
///
/// # Errors
/// A message if the text is no month.
pub fn month(text: &str) -> Result<Period, String> {
    let digits: String = match text.as_bytes() {
        [_, _, _, _, b'-', _, _] => text.replacen('-', "", 1),
        _ => text.to_owned(),
    };
    digits.parse().map_err(|_| format!("\"{text}\" is no month; write 201112 or 2011-12"))
}

/// A text of an address with its escapes decoded.
///
/// # Errors
/// A [`Problem`] if an escape is broken, or the result is not UTF-8 or has a control character.
pub fn decoded(text: &str, is_query: bool) -> Result<String, Problem> {
    let bad = || Problem::new("bad_request", "the address is not UTF-8 in percent escapes");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let value = digit().zip(digit()).map(|(high, low)| high * 16 + low);
                u8::try_from(value.ok_or_else(bad)?).map_err(|_| bad())?
            }
            b'+' if is_query => b' ',
            other => other,
        });
    }
    let text = String::from_utf8(bytes).map_err(|_| bad())?;
    if text.chars().any(char::is_control) {
        return Err(Problem::new("bad_request", "the address has a control character"));
    }
    Ok(text)
}

/// A text for an address, with everything but letters, digits and `-._~` escaped.
#[must_use]
pub fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            other => {
                let _ = write!(out, "%{other:02X}");
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parameters_are_decoded_and_a_second_value_is_refused() {
        let query = Query::parse("country=%E5%BE%B7%E5%9B%BD&q=a+b%2Bc&empty=").expect("a query");
        assert_eq!(query.text("country"), Some("德国"));
        assert_eq!(query.text("q"), Some("a b+c"));
        assert_eq!(query.text("empty"), None);
        for bad in ["a=1&a=2", "a=%", "a=%4", "a=%zz", "a=%ff", "a=%00", "a=%0a"] {
            Query::parse(bad).expect_err(bad);
        }
    }

    #[test]
    fn values_have_types_and_limits() {
        let query =
            Query::parse("as_of=14&day=2026-11-30&year=2011,2012&n=0&m=2011-12").expect("one");
        assert_eq!(query.value("as_of").expect("a vintage"), Some(AsOf::Vintage(Vintage(14))));
        let day = query.value::<AsOf>("day").expect("a day");
        assert!(matches!(day, Some(AsOf::Day(_))), "{day:?}");
        assert_eq!(query.list::<u16>("year").expect("years"), [2011, 2012]);
        query.count("n", 10).expect_err("it is 0");
        let month = query.month("m").expect("a month").expect("one");
        assert_eq!(month.to_string(), "201112");
        for bad in ["20111", "2011-13", "2011-1", "month"] {
            super::month(bad).expect_err(bad);
        }
        "2026-02-30".parse::<AsOf>().expect_err("no such day");
    }

    proptest! {
        #[test]
        fn what_is_encoded_is_decoded(text in "[^\\p{Cc}]*") {
            prop_assert_eq!(decoded(&encoded(&text), true).expect("a text"), text);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            let _ = Query::parse(&text);
        }
    }
}
