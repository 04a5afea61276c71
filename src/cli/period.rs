//! Months on the command line.

use spillover::domain::types::Period;

/// A month written YYYYMM, as in all outputs, or YYYY-MM.
pub fn month(text: &str) -> Result<Period, String> {
    let digits = match text.split_once('-') {
        Some((year, month)) if year.len() == 4 => format!("{year}{month}"),
        _ => text.to_owned(),
    };
    digits.parse().map_err(|_| format!("\"{text}\" is not a month; write YYYYMM"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_written_with_or_without_a_hyphen() {
        for text in ["200801", "2008-01"] {
            assert_eq!(month(text).map(|month| month.to_string()), Ok("200801".to_owned()));
        }
        for text in ["2008-1", "20-0801", "200813", "2008-01-", "", "January"] {
            assert_eq!(month(text), Err(format!("\"{text}\" is not a month; write YYYYMM")));
        }
    }
}
