use proptest::prelude::*;

use super::*;

fn check(text: &str, written: &str) {
    let formula = Formula::parse(text).expect("a formula");
    assert_eq!(formula.to_string(), written);
    assert_eq!(Formula::parse(written).expect("its own writing"), formula);
}

#[test]
fn the_papers_equation_is_read_and_written_alike() {
    let text = "ln_export ~ affiliate_growth + affiliate_growth:affiliate_ln_density \
                | plant^year + country^year + city^country";
    check(text, text);
}

#[test]
fn products_expand_by_order_and_repeated_terms_count_once() {
    check("y ~ b:a + a*b", "y ~ b:a + a + b");
    check("y~a*b*c", "y ~ a + b + c + a:b + a:c + b:c + a:b:c");
    check("y ~ a:a + a", "y ~ a");
}

#[test]
fn terms_and_the_intercept_can_be_taken_away() {
    check("y ~ a*b - a", "y ~ b + a:b");
    check("y ~ -1 + a", "y ~ a + 0");
    check("y ~ a - 1", "y ~ a + 0");
    check("y ~ 0 + a", "y ~ a + 0");
    check("y ~ 1", "y ~ 1");
    check("y ~ a - 0", "y ~ a");
}

#[test]
fn quoted_names_hold_anything() {
    check("`出口 额` ~ `a b` | ville.é", "`出口 额` ~ `a b` | ville.é");
    check("`log(y)` ~ `a|b ~ c` | `\t`", "`log(y)` ~ `a|b ~ c` | `\t`");
    check("`a``b` ~ ````", "`a``b` ~ ````");
    check("`1` ~ `0` + `.` + `plain`", "`1` ~ `0` + `.` + plain");
    let spaces = Formula::parse("`a\u{3000}\u{a0} b` ~ x").expect("a formula");
    assert_eq!(spaces.outcome, "a\u{3000}\u{a0} b");
}

#[test]
fn plain_names_may_begin_with_a_dot_or_a_digit() {
    check(".x ~ 2x + x.1 + _y | 2010 + 01", ".x ~ 2x + x.1 + _y | 2010 + 01");
}

#[test]
fn names_are_read_in_one_form_whatever_accents_are_made_of() {
    let composed = Formula::parse("y ~ caf\u{e9} | d\u{e9}p").expect("a formula");
    let marks = Formula::parse("y ~ cafe\u{301} | `de\u{301}p`").expect("a formula");
    assert_eq!(composed, marks);
    assert_eq!(marks.terms[0].factors, ["caf\u{e9}"]);
    // A vowel sign without a composed form also belongs to the name.
    check("y ~ \u{915}\u{93f}", "y ~ \u{915}\u{93f}");
    assert_eq!(unquoted(" `cafe\u{301} (1)` "), "caf\u{e9} (1)");
    assert_eq!(unquoted("`"), "`");
}

#[test]
fn the_columns_are_those_of_the_parsed_formula() {
    let formula = Formula::parse("`log y` ~ a:`b c` + a | f^g + a").expect("a formula");
    assert_eq!(formula.columns(), ["log y", "a", "b c", "f", "g"]);
    assert_eq!(formula.numbers().collect::<Vec<_>>(), ["log y", "a", "b c", "a"]);
    assert_eq!(formula.levels().collect::<Vec<_>>(), ["f", "g", "a"]);
}

#[test]
fn what_a_formula_may_not_contain_is_named_with_its_place_and_what_to_write() {
    let cases = [
        ("y ~ a + (b)", "no parentheses", 8),
        ("y ~ log(x)", "log() is a function", 4),
        ("log(y) ~ x", "log() is a function", 0),
        ("y ~ I(x^2)", "add its result as a column", 4),
        ("y ~ poly(x, 2)", "poly() is a function", 4),
        ("y ~ x + i(x)", "a factor after |", 8),
        ("y ~ factor(x)", "a factor after |", 4),
        ("y ~ x + l(x, 1)", "the lag, lead or difference", 8),
        ("c(y1, y2) ~ x", "one formula for each", 0),
        ("y ~ sw(x, z)", "one formula for each", 4),
        ("y ~ x | firm[x]", "effects with slopes, firm[…]", 8),
        ("y ~ x^2", "^ combines fixed effects", 5),
        ("y ~ x | f | d ~ z", "one ~ and one |", 10),
        ("y ~ x | d ~ z", "one ~ and one |", 10),
        ("y ~ x ~ z", "one ~ and one |", 6),
        ("y1 + y2 ~ x", "one outcome", 3),
        ("y:z ~ x", "the outcome is one column", 1),
        ("~ x", "no outcome before ~", 0),
        ("", "no outcome before ~", 0),
        ("y", "no ~", 1),
        ("y a", "\"~\" and found \"a\"", 2),
        ("y ~", "no regressor after ~", 3),
        ("y ~ | f", "no regressor after ~", 4),
        ("y ~ x |", "no fixed effect after |", 7),
        ("y ~ x | 0", "no fixed effect after |", 8),
        ("y ~ x +", "a column's name and found the end", 7),
        ("y ~ x z", "one of + - : * and | and found \"z\"", 6),
        ("y ~ x | f*g", "combined by ^", 9),
        ("y ~ x | f:g", "combined by ^", 9),
        ("y ~ x | f^g + g^f", "twice", 14),
        ("y ~ x - z", "not added before", 8),
        ("y ~ `x", "not closed", 4),
        ("y ~ .", "write the names of the columns", 4),
        ("y ～ x", "full-width character; write '~'", 2),
        ("y ~ x & z", "no '&'", 6),
        ("y ~ a*b*c*d*e*f*g*h*i", "too many", 4),
        ("y ~ a:b:c:d:e*f:g:h:i", "too many", 4),
    ];
    for (text, said, column) in cases {
        let error = Formula::parse(text).expect_err(text);
        assert!(error.to_string().contains(said), "{text}: {error}");
        assert_eq!(error.column, column, "{error}");
    }
}

#[test]
fn the_caret_stands_under_the_place_whatever_the_width_of_the_characters_before() {
    let caret = |text: &str| {
        let error = Formula::parse(text).expect_err(text).to_string();
        error.lines().last().expect("a line").len() - 1
    };
    assert_eq!(caret("yy ~ log(x)"), 2 + 5);
    assert_eq!(caret("出口 ~ log(x)"), 2 + 7);
    assert_eq!(caret("é ~ log(x)"), 2 + 4);
    assert_eq!(caret("e\u{301} ~\nlog(x)"), 2 + 4);
}

#[test]
fn clusters_are_interactions() {
    let two = Interaction::parse_sum("city^country + year").expect("two clusters");
    assert_eq!(two.len(), 2);
    assert_eq!(two[0].to_string(), "city^country");
    assert!(Interaction::parse("a + b").is_err());
    assert!(Interaction::parse("a:b").is_err());
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "[a-c01 `~+:*^|.(-]{0,40}|\\PC{0,20}") {
        if let Ok(formula) = Formula::parse(&text) {
            prop_assert_eq!(Formula::parse(&formula.to_string()).ok(), Some(formula));
        }
    }
}
