//! A home outlives a layout: permitted and refused changes of a profile.

use super::*;

fn january(header: &str, line: &str) -> String {
    format!("{header}\n{line}\n")
}

#[test]
fn additions_to_a_profile_are_taken_and_recorded_with_the_next_file() {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    sandbox.write("feed.toml", profile(&[], ""));
    sandbox.write("200801.csv", text(&lines(2008)));
    taken_in(&sandbox);
    let changes = [
        ("firm_id = \"firm_id\"", "firm_id = [\"firm_id\", \"企业编码\"]"),
        ("export = [\"E\"]", "export = [\"E\", \"X\"]"),
        ("decimal_mark = \".\"", "decimal_mark = \".\"\nmissing = [\"-\"]"),
    ];
    let more = "\n[codes.country]\nmap = { Belgique = \"301\" }\n\n[[layout]]\nfrom = \"2008-03\"\n\
                [layout.columns]\nvalue_usd = \"usd\"\n";
    sandbox.write("feed.toml", profile(&changes, more));
    let header = HEADER.replace("firm_id", "企业编码");
    let line = "200802,X,3100000001,plain,11011,Belgique,84713000,10,5.00";
    sandbox.write("200802.csv", january(&header, line));
    let later = HEADER.replace("value_usd", "usd");
    sandbox.write("200803.csv", january(&later, "200803,E,F,plain,11011,301,84713000,10,5.00"));
    taken_in(&sandbox);
    assert_eq!(rows(&sandbox, "files", &["accepted"]), ["4", "1", "1"]);
    // The home keeps the additions, even without the profile in the feed's folder.
    std::fs::remove_file(sandbox.feed().join("feed.toml")).expect("it was there");
    sandbox.write("200804.csv", january(&later, "200804,X,F,plain,11011,Belgique,84713000,10,-"));
    taken_in(&sandbox);
    assert_eq!(sandbox.run(["verify"]).code, Some(0));
}

#[test]
fn changes_to_how_lines_were_read_are_refused_with_the_key() {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    sandbox.write("feed.toml", profile(&[], ""));
    sandbox.write("200801.csv", text(&lines(2008)));
    taken_in(&sandbox);
    let before = sandbox.export("files");
    for (from, to, key) in [
        ("firm_id = \"firm_id\"", "firm_id = [\"other\", \"firm_id\"]", "columns.firm_id"),
        ("unit = 1", "unit = 1000", "value.unit"),
        ("export = [\"E\"]", "export = [\"X\"]", "flow.export"),
        ("digits = 4", "digits = 2", "city.digits"),
        ("countries = \"customs\"", "countries = \"customs\"\ndrop = { hs8 = \"x\" }", "drop"),
        ("[value]", "[codes.firm_id]\nwidth = 12\n\n[value]", "codes"),
        (
            "[value]",
            "[[layout]]\nfrom = \"2008-01\"\n[layout.value]\nunit = 2\n\n[value]",
            "layout",
        ),
    ] {
        sandbox.write("feed.toml", profile(&[(from, to)], ""));
        let run = ingest(&sandbox);
        assert_eq!(run.code, Some(1), "{key}");
        let expected = format!("{key} in the profile is ");
        assert!(run.stderr.contains(&expected), "{key}: {}", run.stderr);
        assert_eq!(sandbox.export("files"), before);
    }
}
