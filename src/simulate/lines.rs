//! Lines of the canonical feed, written as bytes without formatting machinery: more than two
//! million a second.

/// The header of every file.
pub const HEADER: &[u8] =
    b"period,flow,firm_id,firm_name,region,country,hs8,trade_mode,value_usd\n";

/// The fields of a record between its flow and its goods: `,firm_id,firm_name,region,country,`.
pub fn middle(id: &str, name: &str, (city, district): (&str, char), country: &str) -> Vec<u8> {
    let mut text = Vec::with_capacity(id.len() + name.len() + city.len() + country.len() + 8);
    for part in [id, name, city] {
        text.push(b',');
        text.extend_from_slice(part.as_bytes());
    }
    text.extend_from_slice(district.encode_utf8(&mut [0; 4]).as_bytes());
    text.push(b',');
    text.extend_from_slice(country.as_bytes());
    text.push(b',');
    text
}

/// Appends a month number as `YYYYMM`.
pub fn push_period(line: &mut Vec<u8>, month: u32) {
    push_digits(line, u64::from(month / 12 * 100 + month % 12 + 1), 6);
}

/// Appends an amount of cents as dollars with two decimals.
pub fn push_usd(line: &mut Vec<u8>, cents: i64) {
    if cents < 0 {
        line.push(b'-');
    }
    let cents = cents.unsigned_abs();
    push_digits(line, cents / 100, 1);
    line.push(b'.');
    push_digits(line, cents % 100, 2);
}

/// Appends a number with at least `least` digits.
fn push_digits(line: &mut Vec<u8>, mut number: u64, least: usize) {
    let mut digits = [b'0'; 20];
    let mut first = digits.len();
    while number > 0 || digits.len() - first < least {
        first -= 1;
        digits[first] = b'0' + u8::try_from(number % 10).expect("a digit");
        number /= 10;
    }
    line.extend_from_slice(&digits[first..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_periods_are_written_as_the_feed_has_them() {
        let usd = |cents| {
            let mut line = Vec::new();
            push_usd(&mut line, cents);
            String::from_utf8(line).expect("digits")
        };
        let amounts = [0, 5, -5, 100, -123_456, i64::MIN].map(usd);
        let wanted = ["0.00", "0.05", "-0.05", "1.00", "-1234.56", "-92233720368547758.08"];
        assert_eq!(amounts, wanted);
        let mut line = Vec::new();
        push_period(&mut line, 2006 * 12 + 11);
        assert_eq!(line, b"200612");
    }
}
