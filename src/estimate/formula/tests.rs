use proptest::prelude::*;

use super::*;

fn check(text: &str, written: &str) {
    let formula = Formula::parse(text).expect("a formula");
    assert_eq!(formula.to_string(), written);
    assert_eq!(Formula::parse(written).expect("its own writing"), formula);
}

fn refused(text: &str) -> String {
    Formula::parse(text).expect_err("not a formula").to_string()
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
fn quoted_names_hold_anything_but_a_quote() {
    check("`出口 额` ~ `a b` | ville.é", "`出口 额` ~ `a b` | ville.é");
}

#[test]
fn errors_point_at_the_place() {
    assert_eq!(
        refused("y ~ a + (b)"),
        "a formula has no '('; use + - : * ^ | and column names\n  y ~ a + (b)\n          ^"
    );
    assert!(refused("y ~").contains("a column's name and found the end"));
    assert!(refused("y a").contains("\"~\" and found \"a\""));
    assert!(refused("y ~ a^b").contains("the end of the formula and found '^'"));
    assert!(refused("y ~ a | f*g").contains("found '*'"));
    assert!(refused("y ~ a | f^g + g^f").contains("twice"));
    assert!(refused("y ~ a - b").contains("not added before"));
    assert!(refused("y ~ `a").contains("not closed"));
    assert!(refused("y ~ a*b*c*d*e*f*g*h*i").contains("too many"));
    assert!(refused("y ~ a:b:c:d:e*f:g:h:i").contains("too many"));
    assert!(refused("").contains("outcome's name"));
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
    fn no_text_makes_the_parser_panic(text in "[a-c01 `~+:*^|.-]{0,40}|\\PC{0,20}") {
        if let Ok(formula) = Formula::parse(&text) {
            prop_assert_eq!(Formula::parse(&formula.to_string()).ok(), Some(formula));
        }
    }
}
