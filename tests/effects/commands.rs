//! Refusals, the choice of the estimate, and claims.

use super::{home_of, table};

#[test]
fn what_gives_no_effect_says_what_to_do() {
    let sandbox = home_of(35, 41);
    for (words, reason) in [
        (&["effect", "--model", "3.5"][..], "its coefficients are in standard deviations"),
        (&["effect", "--model", "4.2"], "name another --model, such as 3.4"),
        (&["effect", "--model", "9.9"], "name a column of tables 3 to 6, such as 3.4"),
        (&["effect", "--model", "6.5"], "so it needs twelve months; use --span 12m"),
        (&["effect", "--baseline", "within"], "it has no national total; name another --by"),
        (&["effect", "--component", "density"], "exists with --baseline last_year only"),
        (&["effect", "--sources", "--baseline", "last_year"], "leave out other values"),
        (&["effect", "--by", "region"], "there is no level \"region\"; write plant, city"),
        (&["effect", "--month", "200306"], "200306 is not closed; the last closed month is 200305"),
        (&["effect", "--month", "200105"], "the feed begins in 200001"),
        (&["effect", "--month", "200112"], "run `estimate --table 3.4 --through 2000`"),
        (&["effect", "--vintage", "99"], "there is no vintage 99"),
        (&["effect", "--news", "30", "20"], "name the earlier vintage first"),
        (&["effect", "--news", "30", "41", "--month", "200212"], "not closed at vintage 30"),
        (&["backtest", "--vintage", "26"], "so there is no back-test"),
        (&["export", "news", "--mode", "pseudo"], "--mode belongs to the table backtest"),
        (&["export", "effects", "--news", "3", "4"], "--news belongs to the table news"),
        (&["export", "city", "--by", "nation"], "--by belongs to effects, sources, news"),
    ] {
        let run = sandbox.run(words.iter().copied());
        assert!(run.code.is_some_and(|code| code > 0), "{words:?}: {}", run.stdout);
        assert!(run.stderr.contains(reason), "{words:?}: {}", run.stderr);
    }
}

/// A later estimation moves the newest estimate, and not the pinned one.
#[test]
fn the_estimate_is_pinned_and_december_shows_both_years() {
    let sandbox = home_of(36, 49);
    let effect = |words: &[&str]| {
        let words = [&["export", "effects", "--no-band"], words].concat();
        table(&sandbox.run(words.iter().copied()))
    };
    let before = effect(&[]);
    assert_eq!(
        (before[0]["through"].as_str(), before[0]["estimated_vintage"].as_str()),
        ("2003", "48")
    );
    let run = sandbox.run(["estimate", "--table", "3.4", "--again"]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(effect(&[]), before);
    let newest = effect(&["--estimate", "newest"]);
    assert_eq!(newest[0]["estimated_vintage"], "49");
    let december = effect(&["--month", "200312"]);
    let years: Vec<&str> = december.iter().map(|row| row["through"].as_str()).collect();
    assert_eq!(years, ["2002", "2003"]);
    assert_eq!(december[0]["x_growth"], december[1]["x_growth"]);
    assert_ne!(december[0]["effect"], december[1]["effect"]);
    for format in ["text", "md", "html", "json"] {
        for language in ["en", "zh"] {
            let run = sandbox.run(["effect", "--format", format, "--lang", language]);
            assert_eq!(run.code, Some(0), "{}", run.stderr);
            let claim =
                if language == "en" { "not a causal total" } else { "也不是因果总量" };
            let text: String = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(text.contains(claim), "{format} {language}: {}", run.stdout);
        }
    }
    let run = sandbox.run(["export", "effects"]);
    assert!(run.stderr.contains("not a causal total"), "a claim with CSV");
}
