use super::*;

#[test]
fn the_papers_specifications_can_be_read() {
    let all = Specification::bundled();
    let columns: Vec<(&str, usize)> =
        all.iter().map(|one| (one.name.as_str(), one.columns().len())).collect();
    let expected = [("1", 0), ("2", 0), ("3", 5), ("4", 4), ("5", 3), ("6", 5)];
    assert_eq!(columns[..6], expected);
    assert_eq!(columns[6..], [("footnote", 4), ("figure1", 0)]);
    let column = &all[3].columns()[1];
    assert_eq!((column.trade, column.panel), (Trade::Ordinary, Panel::Plant));
    assert!(column.formula.to_string().ends_with("| plant^year + country^year + city^country"));
}

fn problem(text: &str) -> String {
    Specification::parse("mine", text).expect_err("a wrong specification").to_string()
}

#[test]
fn what_is_wrong_is_named_with_the_column() {
    let column = |more: &str| {
        let formula = "y ~ x | f";
        format!("title = \"t\"\n[[column]]\nname = \"a\"\nformula = \"{formula}\"\n{more}\n")
    };
    let cases = [
        (column("keep = [\"plants is 5\"]"), "column a: \"plants is 5\" is not a condition"),
        (column("trim = [{ variable = \"x\", share = 0.5 }]"), "a share of 0.5"),
        (column("cluster = \"f\"\nvcov = \"iid\""), "cluster or vcov, not both"),
        (format!("cluster = \"f\"\nvcov = \"hc1\"\n{}", column("")), "cluster or vcov, not both"),
        (column("ssc = \"K_adj=1\""), "ssc does not know \"K_adj=1\""),
        (column("panel = \"product\"\ntrade = \"ordinary\""), "no product panel of ordinary"),
        (column("fromula = \"y\""), "unknown field `fromula`"),
        (column("").replace("y ~ x", "y ~ x +"), "column a: expected"),
        (column("").replace("[[", "rows = [\"z\"]\n[["), "no column has the regressor z"),
        ("title = \"t\"".to_owned(), "a specification needs a [[column]]"),
        ("title = \"t\"\ncolour = 1".to_owned(), "colour"),
        ("title = \"t\"\n[figure]\nformula = \"y ~ a + b\"\nbins = 9".to_owned(), "one variable"),
    ];
    for (text, expected) in cases {
        let found = problem(&text);
        assert!(found.starts_with("specification mine") && found.contains(expected), "{found}");
    }
    let twice = column("") + &column("").replacen("title = \"t\"\n", "", 1);
    assert!(problem(&twice).contains("two columns have that name"));
}

#[test]
fn a_column_reads_what_its_rules_name_too() {
    let text = "title = \"t\"\ncluster = \"c^d\"\n[[column]]\nname = \"a\"\n\
                formula = \"y ~ x:z | f\"\nkeep = [\"k <= 2\"]\n\
                drop_largest = [{ variable = \"s\", share = 0.1, of = \"g^t\" }]\n";
    let specification = Specification::parse("mine", text).expect("a specification");
    let column = &specification.columns()[0];
    assert_eq!(column.reads(), ["y", "x", "z", "f", "c", "d", "k", "s", "g", "t"]);
    assert_eq!(column.variables(), ["y", "x", "z", "f"]);
}

#[test]
fn a_missing_value_fulfils_no_condition() {
    let condition = Condition::parse("plants != 2").expect("a condition");
    assert!(condition.holds(1.0) && !condition.holds(2.0) && !condition.holds(f64::NAN));
}

#[test]
fn the_formula_of_a_sample_is_that_of_the_column_else_that_of_the_table() {
    let text = "title = \"t\"\nsample = \"y ~ x + c:d | f\"\n\
                [[column]]\nname = \"a\"\nformula = \"y ~ x\"\n\
                [[column]]\nname = \"b\"\nformula = \"y ~ z\"\nsample = \"y ~ e\"\n";
    let specification = Specification::parse("mine", text).expect("a specification");
    let variables = specification.columns().iter().map(Column::variables);
    assert_eq!(variables.collect::<Vec<_>>(), [vec!["y", "x", "c", "d", "f"], vec!["y", "z", "e"]]);
    let found = problem(&text.replace("c:d", "c:"));
    assert!(found.contains("column a: expected"), "{found}");
    let figure = "title = \"t\"\n[figure]\nformula = \"y ~ x\"\nbins = 2\nsample = \"y ~ x + c\"\n";
    let figure = Specification::parse("mine", figure).expect("a specification");
    let Content::Figure(Figure { sample: Some(sample), .. }) = figure.content else {
        panic!("a figure with a sample");
    };
    assert_eq!(sample.to_string(), "y ~ x + c");
}

#[test]
fn a_summary_has_products_among_its_variables() {
    let text = "title = \"t\"\n[summary]\nvariables = [\"x\", \"x:z\"]\nstatistics = [\"mean\"]\n";
    let summary = Specification::parse("mine", text).expect("a specification");
    let Content::Summary(Summary { variables, panel: Units::Plant, .. }) = summary.content else {
        panic!("a summary of the plant panel");
    };
    assert_eq!(variables.iter().map(ToString::to_string).collect::<Vec<_>>(), ["x", "x:z"]);
    assert!(problem(&text.replace("x:z", "x + z")).contains("expected"));
}

#[test]
fn names_with_blanks_and_signs_stand_between_backquotes() {
    let condition = Condition::parse("`age >= 5 (cafe\u{301})` < 2").expect("a condition");
    assert_eq!(condition.variable, "age >= 5 (caf\u{e9})");
    assert!(condition.holds(1.0) && !condition.holds(2.0));
    for text in ["``< 2", "`a` b < 2", "`a < 2", "a b < 2"] {
        assert!(Condition::parse(text).is_err(), "{text}");
    }
    let text = "title = \"t\"\nweights = \"`w t`\"\n[[column]]\nname = \"a\"\n\
                formula = \"y ~ x\"\ntrim = [{ variable = \"`x (1)`\", share = 0.1 }]\n";
    let specification = Specification::parse("mine", text).expect("a specification");
    assert_eq!(specification.columns()[0].reads(), ["y", "x", "w t", "x (1)"]);
}
