//! Texts that mean a missing value.

/// The texts that mean a missing value by default; the empty text always does.
pub const MISSING_DEFAULT: [&str; 6] = ["NA", "NaN", "nan", ".", "null", "NULL"];

/// The texts that mean a missing value.
pub(super) struct Missing {
    texts: Vec<Vec<u8>>,
    /// True if some of them are also numbers.
    pub(super) may_be_numbers: bool,
    longest: usize,
}

impl Missing {
    pub(super) fn new(given: Option<&[String]>) -> Self {
        let texts: Vec<Vec<u8>> = match given {
            Some(texts) => texts.iter().map(|text| text.trim().into()).collect(),
            None => MISSING_DEFAULT.iter().map(|text| text.as_bytes().to_vec()).collect(),
        };
        let number = |text: &Vec<u8>| {
            let text = str::from_utf8(text).unwrap_or_default().replace(',', ".");
            text.parse::<f64>().is_ok_and(|number| !number.is_nan())
        };
        let longest = texts.iter().map(Vec::len).max().unwrap_or(0);
        Self { may_be_numbers: texts.iter().any(number), texts, longest }
    }

    /// True if an unquoted text, or a number's text, means a missing value.
    pub(super) fn has(&self, text: &[u8]) -> bool {
        text.len() <= self.longest && self.texts.iter().any(|own| own == text)
    }
}
