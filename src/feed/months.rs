//! Months by their names.

/// Names by month; a name comes before its own beginnings.
const NAMES: [&[&str]; 12] = [
    &["january", "janeiro", "januar", "janvier", "enero", "jan", "ene", "一月"],
    &["february", "fevereiro", "februar", "febrero", "février", "fev", "feb", "fév", "二月"],
    &["march", "março", "marco", "märz", "marzo", "mars", "mar", "mär", "三月"],
    &["april", "abril", "avril", "apr", "abr", "avr", "四月"],
    &["may", "maio", "mayo", "mai", "五月"],
    &["june", "junho", "junio", "juin", "juni", "jun", "六月"],
    &["july", "julho", "julio", "juillet", "juli", "jul", "juil", "七月"],
    &["august", "agosto", "août", "aug", "ago", "八月"],
    &["september", "setembro", "septiembre", "septembre", "sept", "sep", "set", "九月"],
    &["october", "outubro", "octubre", "octobre", "oktober", "oct", "out", "okt", "十月"],
    &["november", "novembro", "noviembre", "novembre", "nov", "十一月"],
    &[
        "december",
        "dezembro",
        "diciembre",
        "décembre",
        "dezember",
        "dec",
        "dez",
        "dic",
        "déc",
        "十二月",
    ],
];

/// The month whose name starts a lower-case text, and the rest of the text.
#[must_use]
pub(super) fn at_start(text: &str) -> Option<(u8, &str)> {
    let of_month = |(month, names): (u8, &&[&str])| {
        let rests = names.iter().filter_map(|name| Some((name.len(), text.strip_prefix(name)?)));
        rests.max_by_key(|(length, _)| *length).map(|(length, rest)| (length, month, rest))
    };
    let found = (1..=12).zip(NAMES.iter()).filter_map(of_month);
    found.max_by_key(|(length, ..)| *length).map(|(_, month, rest)| (month, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_that_of_its_month_alone() {
        for (month, names) in (1..=12).zip(NAMES) {
            for name in names {
                assert_eq!(at_start(&format!("{name}-08")), Some((month, "-08")), "{name}");
            }
        }
        assert_eq!(at_start("x"), None);
    }
}
