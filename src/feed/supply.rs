//! The firm-year file of `ln_supply`: `firm_id,year,supply` (METHODOLOGY, "Further columns").

use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::successions::Successions;
use crate::domain::types::{Period, Year};

/// Supply by firm and year.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Supply {
    by_firm: FxHashMap<Box<str>, Vec<(Year, f64)>>,
}

/// A firm-year file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SupplyError {
    /// A line is not a firm, a year and a number.
    #[error("firm-year file, line {line}: write firm_id,year,supply with a number as supply")]
    Line {
        /// The line, counted from the header as 1.
        line: u64,
        /// The error of the CSV reader.
        #[source]
        source: csv::Error,
    },
    /// The year is invalid, or the supply is not a finite number.
    #[error("firm-year file, line {line}: {what}")]
    Value {
        /// The line, the header being line 1.
        line: u64,
        /// The problem and its remedy.
        what: &'static str,
    },
}

#[derive(Deserialize)]
struct Line {
    firm_id: Box<str>,
    year: u16,
    supply: f64,
}

impl Supply {
    /// Reads a firm-year file.
    ///
    /// # Errors
    /// [`SupplyError`] with the line: a column is missing, a value is not a number, a firm-year is
    /// repeated.
    pub fn parse(text: &str) -> Result<Self, SupplyError> {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let mut supply = Self::default();
        for (position, line) in reader.deserialize().enumerate() {
            let number = position as u64 + 2;
            let Line { firm_id, year, supply: value } =
                line.map_err(|source| SupplyError::Line { line: number, source })?;
            let wrong = |what| SupplyError::Value { line: number, what };
            if !Period::YEARS.contains(&year) {
                return Err(wrong("the year is out of range: write four digits"));
            }
            if !value.is_finite() {
                return Err(wrong("supply must be a finite number: leave the line out if unknown"));
            }
            let years = supply.by_firm.entry(firm_id).or_default();
            if years.iter().any(|(other, _)| other.0 == year) {
                return Err(wrong("the firm and year stand twice: keep one line"));
            }
            years.push((Year(year), value));
        }
        Ok(supply)
    }

    /// Gives the values of renumbered firms to the first identifiers of the firms, from the year of
    /// the renumbering on. A value under the first identifier has precedence, then the one under
    /// the smallest identifier.
    pub fn carry_over(&mut self, successions: &Successions) {
        let mut firms: Vec<_> = std::mem::take(&mut self.by_firm).into_iter().collect();
        firms.sort_unstable_by(|(firm, _), (other, _)| firm.cmp(other));
        for (firm, years) in firms {
            for (year, value) in years {
                let first = successions.first_in_year(&firm, year);
                let is_own = first.is_none();
                let years = self.by_firm.entry(first.map_or(firm.clone(), Into::into)).or_default();
                match years.iter_mut().find(|(given, _)| *given == year) {
                    None => years.push((year, value)),
                    Some(given) if is_own => given.1 = value,
                    Some(_) => {}
                }
            }
        }
    }

    /// The log of a firm's supply in a year; `None` if it is not given or not positive.
    #[must_use]
    pub fn ln_supply(&self, firm: &str, year: Year) -> Option<f64> {
        let (_, value) = self.by_firm.get(firm)?.iter().find(|(given, _)| *given == year)?;
        (*value > 0.0).then(|| libm::log(*value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn supply_is_looked_up_by_firm_and_year() {
        let supply = Supply::parse("firm_id,year,supply\nA,2001,2.718281828459045\nA,2002,0\n");
        let supply = supply.expect("a valid file");
        assert_eq!(supply.ln_supply("A", Year(2001)), Some(1.0));
        assert_eq!(supply.ln_supply("A", Year(2002)), None);
        assert_eq!(supply.ln_supply("B", Year(2001)), None);
    }

    #[test]
    fn a_renumbered_firm_keeps_its_supply() {
        let supply = "firm_id,year,supply\nB,2002,1\nB,2001,3\nA,2001,1\nB,2000,1\nC,2002,1\n";
        let mut supply = Supply::parse(supply).expect("a valid file");
        let rows = "firm_id,successor,from\nA,B,200107\n";
        supply.carry_over(&Successions::parse(rows).expect("a valid table"));
        let of = |firm, year| supply.ln_supply(firm, Year(year));
        assert_eq!([of("A", 2002), of("A", 2001), of("A", 2000)], [Some(0.0), Some(0.0), None]);
        assert_eq!([of("B", 2002), of("B", 2001), of("B", 2000)], [None, None, Some(0.0)]);
        assert_eq!(of("C", 2002), Some(0.0));
    }

    #[test]
    fn of_two_successors_with_supply_in_one_year_the_smaller_identifier_counts() {
        let rows = "firm_id,successor,from\nX,P,200103\nP,Q,200106\n";
        let successions = Successions::parse(rows).expect("a valid table");
        for supply in ["Q,2001,9\nP,2001,1\n", "P,2001,1\nQ,2001,9\n"] {
            let supply = Supply::parse(&format!("firm_id,year,supply\n{supply}"));
            let mut supply = supply.expect("a valid file");
            supply.carry_over(&successions);
            assert_eq!(supply.ln_supply("X", Year(2001)), Some(0.0));
        }
    }

    #[test]
    fn a_bad_line_is_named() {
        for bad in ["A,2001,x", "A,2001,NaN", "A,1,5", "A,2001,1\nA,2001,2", "A,2001"] {
            let error = Supply::parse(&format!("firm_id,year,supply\n{bad}\n"));
            let text = error.expect_err("bad line").to_string();
            assert!(text.contains("line 2") || text.contains("line 3"), "{text}");
        }
    }
}
