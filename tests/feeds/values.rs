//! Codes, numbers, columns, and text around a table.

use super::*;

/// The feed with changed lines of January 2009.
fn changed(change: impl Fn(String) -> String) -> Sandbox {
    feed(|month, lines| {
        let lines: Vec<String> = lines
            .iter()
            .map(|line| if month == "200901" { change(line.clone()) } else { line.clone() })
            .collect();
        text(&lines).into_bytes()
    })
}

#[test]
fn codes_with_blanks_points_quotes_or_double_width_are_the_codes_they_were() {
    let changes: [(&str, &str); 8] = [
        (",301,", ",301 ,"),
        (",301,", ",\u{3000}301,"),
        (",301,", ",３０１,"),
        (",3100000001,", ",3100000001.0,"),
        (",3100000001,", ",'3100000001,"),
        (",3100000001,", ",=\"3100000001\","),
        (",11011,", ",\u{FEFF}11011\0\0,"),
        (",E,", ",E ,"),
    ];
    for (from, to) in changes {
        let sandbox = changed(|line| line.replace(from, to));
        taken_in(&sandbox);
        assert_eq!(city(&sandbox), RIGHT, "{from:?} as {to:?}");
    }
}

#[test]
fn a_country_is_known_by_its_code_its_iso_code_and_its_names() {
    for name in ["BEL", "be", "比利时", "Belgium", "Kingdom of Belgium"] {
        let sandbox = changed(|line| line.replace(",301,", &format!(",{name},")));
        taken_in(&sandbox);
        assert_eq!(city(&sandbox), RIGHT, "{name}");
    }
    let sandbox = changed(|line| line.replace(",301,", ",Utopia,"));
    let run = ingest(&sandbox);
    assert_eq!(run.code, Some(3));
    assert!(
        run.stderr.contains("column country (country): \"Utopia\", expected a code or name"),
        "{}",
        run.stderr
    );
}

#[test]
fn identifiers_that_lost_digits_refuse_the_file_and_are_shown() {
    let sandbox =
        changed(|line| line.replace("3100000001", "3.1E+09").replace("3100000002", "3.1E+09"));
    let run = ingest(&sandbox);
    assert_eq!(run.code, Some(3));
    let expected = "line 2, column firm_id (code): \"3.1E+09\", expected all digits of a code";
    assert!(run.stderr.contains(expected), "{}", run.stderr);
}

#[test]
fn a_width_gives_back_the_zeros_that_a_spreadsheet_took() {
    let codes = "\n[codes.firm_id]\nwidth = 10\npad = \"0\"\n[codes.region]\nwidth = 5\n";
    let sandbox = feed(|month, lines| {
        let firm = if month == "200901" { "100000001" } else { "0100000001" };
        text(lines).replace("3100000001", firm).into_bytes()
    });
    sandbox.write("feed.toml", profile(&[], codes));
    taken_in(&sandbox);
    assert_eq!(city(&sandbox), RIGHT);
}

#[test]
fn a_product_without_its_leading_zero_is_the_product() {
    for product in ["9011100", "0901.11.00", "9011100.0"] {
        let sandbox = feed(|month, _| {
            let firms = [("1", "11011"), ("1", "21011"), ("2", "11011"), ("2", "11021")];
            let more = [("3", "11021"), ("3", "21011"), ("4", "11011"), ("4", "21011")];
            let line = |(at, (firm, region)): (usize, &(&str, &str))| {
                let growth = if month == "200901" { 50 * at } else { 0 };
                let value = 100 + at + growth;
                format!("{month},E,{firm},plain,{region},301,{product},10,{value}")
            };
            let lines: Vec<String> = firms.iter().chain(&more).enumerate().map(line).collect();
            let is_full = month == "200801" || month == "200901";
            text(if is_full { &lines } else { &[] }).into_bytes()
        });
        sandbox.options("estimate = []\n");
        for month in 2..=12 {
            sandbox.write(&format!("2009{month:02}.csv"), format!("{HEADER}\n"));
        }
        taken_in(&sandbox);
        let products = rows(&sandbox, "panel-product", &["hs6", "differentiated"]);
        assert!(products.len() >= 8, "{products:?}");
        assert!(products.iter().all(|row| row == "090111,0"), "{product}: {products:?}");
    }
}

/// Changes of the profile, a value of the small feed, and its new form.
type Form<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a str);

#[test]
fn numbers_are_read_in_every_form_that_the_profile_allows() {
    let thousands = [("decimal_mark = \".\"", "decimal_mark = \".\"\nthousands = \",\"")];
    let comma = [("decimal_mark = \".\"", "decimal_mark = \",\"\nthousands = \".\"")];
    let none: [(&str, &str); 0] = [];
    let forms: [Form<'_>; 6] = [
        (&none, ",150.00", ",150.00000000001"),
        (&none, ",150.00", ", 150.00"),
        (&none, ",150.00", ",+1.5E+02"),
        (&none, ",150.00", ",150"),
        (&thousands, ",150.00", ",\"0,000,150.00\""),
        (&comma, ".00", "\",00\""),
    ];
    for (changes, from, to) in &forms[..5] {
        let sandbox = changed(|line| line.replace(from, to));
        sandbox.write("feed.toml", profile(changes, ""));
        let run = taken_in(&sandbox);
        assert_eq!(city(&sandbox), RIGHT, "{to}: {}", run.stderr);
    }
    let sandbox = feed(|_, lines| {
        let quoted = |line: &String| {
            let (fields, value) = line.rsplit_once(',').expect("a value");
            format!("{fields},\"{}\"", value.replace('.', ","))
        };
        text(&lines.iter().map(quoted).collect::<Vec<_>>()).into_bytes()
    });
    sandbox.write("feed.toml", profile(forms[5].0, ""));
    taken_in(&sandbox);
    assert_eq!(city(&sandbox), RIGHT);
}

#[test]
fn values_below_a_cent_are_rounded_and_counted() {
    let sandbox = feed(|_, lines| {
        let lines: Vec<String> = lines.iter().map(|line| format!("{line}000000001")).collect();
        text(&lines).into_bytes()
    });
    taken_in(&sandbox);
    assert_eq!(city(&sandbox), RIGHT);
    let rounded = rows(&sandbox, "files", &["period", "accepted", "rounded"]);
    assert_eq!([&*rounded[0], &*rounded[1]], ["200801,4,4", "200802,0,0"]);
    let status = sandbox.run(["status"]).stdout;
    assert!(status.contains("rounded        8"), "{status}");
}

#[test]
fn a_missing_value_is_excluded_or_nothing_as_the_profile_says() {
    for (choice, accepted, missing) in [("excluded", "4", "1"), ("zero", "5", "0")] {
        let sandbox = feed(|_, lines| {
            let more = lines.first().map(|line| line.replace("100.00", "-").replace("150.00", "-"));
            let lines: Vec<String> = lines.iter().cloned().chain(more).collect();
            text(&lines).into_bytes()
        });
        let value =
            format!("decimal_mark = \".\"\nmissing = [\"-\", \"s\"]\nmissing_is = \"{choice}\"");
        sandbox.write("feed.toml", profile(&[("decimal_mark = \".\"", &value)], ""));
        taken_in(&sandbox);
        assert_eq!(city(&sandbox), RIGHT);
        let files = rows(&sandbox, "files", &["accepted", "excluded_missing"]);
        assert_eq!(files[0], format!("{accepted},{missing}"));
    }
}

#[test]
fn totals_beside_parts_are_left_out_by_a_filter_and_counted() {
    let sandbox = feed(|_, lines| {
        let total = |line: &String| line.replace("84713000", "TOTAL");
        let chapter = |line: &String| line.replace("84713000", "84");
        let more = lines.iter().map(total).chain(lines.iter().map(chapter));
        text(&lines.iter().cloned().chain(more).collect::<Vec<_>>()).into_bytes()
    });
    let filters = [(
        "countries = \"customs\"",
        "countries = \"customs\"\ndrop = { hs8 = [\"TOTAL\"] }\nkeep = { hs8 = { length = 8 } }",
    )];
    sandbox.write("feed.toml", profile(&filters, ""));
    taken_in(&sandbox);
    assert_eq!(city(&sandbox), RIGHT);
    assert_eq!(rows(&sandbox, "files", &["lines", "accepted", "excluded_filter"])[0], "12,4,8");
    let status = sandbox.run(["status"]).stdout;
    assert!(status.contains("filter       16"), "{status}");
}

#[test]
fn what_surrounds_a_table_is_told_apart_from_it() {
    type Wrapped = (&'static str, fn(&str) -> String);
    let wrapped: [Wrapped; 8] = [
        ("skip_lines = 2", |text| format!("出口明细表 \"\n\n{text}")),
        ("skip_lines = 1", |text| format!("sep=,\n{text}")),
        ("footer = \"^(Total|注)\"", |text| format!("{text}Total,,,,,,,,999.00\n注：a\n")),
        ("", |text| text.replace('\n', "\r")),
        ("", |text| text.replace('\n', "\r\n") + "\u{1A}"),
        ("", |text| text.replace('\n', ",,\n")),
        ("", |text| format!("{text},,,,,,,,\n{HEADER}\n\0\0\0\0\n")),
        ("header = false\nskip_lines = 1", |text| format!("CTRL 1,x{}", &text[HEADER.len()..])),
    ];
    for (key, wrap) in wrapped {
        let sandbox = feed(|_, lines| wrap(&text(lines)).into_bytes());
        let file = format!("compression = \"auto\"\n{key}");
        let mut changes = vec![("compression = \"auto\"", file.as_str())];
        let numbers: Vec<(String, String)> = HEADER
            .split(',')
            .enumerate()
            .map(|(at, name)| (format!("{name} = \"{name}\""), format!("{name} = {}", at + 1)))
            .collect();
        if key.contains("header = false") {
            changes.extend(numbers.iter().map(|(from, to)| (from.as_str(), to.as_str())));
        }
        sandbox.write("feed.toml", profile(&changes, ""));
        let run = ingest(&sandbox);
        assert_eq!(run.code, Some(0), "{key:?}: {}", run.stderr);
        assert_eq!(city(&sandbox), RIGHT, "{key:?}");
    }
}

#[test]
fn a_header_of_several_rows_and_columns_by_their_number_are_found() {
    let head = "month,flow,firm,,place,destination,product,mode,value\n\
                ,,id,name,,,,,USD\n";
    let sandbox =
        feed(|_, lines| text(lines).replacen(&format!("{HEADER}\n"), head, 1).into_bytes());
    let changes = [
        ("compression = \"auto\"", "compression = \"auto\"\nheader = 2"),
        ("period = \"period\"", "period = [\"日期\", \"month\"]"),
        ("firm_id = \"firm_id\"", "firm_id = \"firm id\""),
        ("firm_name = \"firm_name\"", "firm_name = \"firm name\""),
        ("region = \"region\"", "region = \"place\""),
        ("country = \"country\"", "country = [\"x\", 6]"),
        ("hs8 = \"hs8\"", "hs8 = \"product\""),
        ("trade_mode = \"trade_mode\"", "trade_mode = \"mode\""),
        ("value_usd = \"value_usd\"", "value_usd = \"value USD\""),
    ];
    sandbox.write("feed.toml", profile(&changes, ""));
    taken_in(&sandbox);
    assert_eq!(city(&sandbox), RIGHT);
}

#[test]
fn quotes_are_letters_where_the_profile_says_so() {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    sandbox.write(
        "200801.csv",
        format!(
            "{HEADER}\n200801,E,1,\"ABC,11011,301,84713000,10,100.00\n\
             200801,E,2,DEF\",11021,301,84713000,10,900.00\n\
             200801,E,3,plain,11021,116,84713000,10,7.00\n"
        ),
    );
    let quote = [("compression = \"auto\"", "compression = \"auto\"\nquote = \"none\"")];
    sandbox.write("feed.toml", profile(&quote, ""));
    taken_in(&sandbox);
    assert_eq!(rows(&sandbox, "files", &["lines", "accepted"]), ["3,3"]);
}

#[test]
fn a_later_layout_has_other_columns_and_codes() {
    let sandbox = feed(|month, lines| {
        let text = text(lines);
        let is_late = month == "200901";
        let text = if is_late { text.replacen("firm_id", "企业编码", 1) } else { text };
        let text = if is_late { text.replacen("value_usd", "千美元", 1) } else { text };
        let text =
            if is_late { text.replace(",E,", ",出口,").replace(".00", "e-3") } else { text };
        text.into_bytes()
    });
    let later = "\n[[layout]]\nfrom = \"2009-01\"\n[layout.columns]\nfirm_id = \"企业编码\"\n\
                 value_usd = \"千美元\"\n[layout.flow]\nexport = [\"出口\"]\n\
                 [layout.value]\nunit = 1000\n";
    sandbox.write("feed.toml", profile(&[], later));
    taken_in(&sandbox);
    assert_eq!(city(&sandbox), RIGHT);
    let sandbox = feed(|_, lines| text(lines).into_bytes());
    for (layout, expected) in [
        ("from = \"2009\"", "\"2009\" is no month"),
        ("from = \"2009-01\"\nname = \"x\"", "name cannot change in the middle of a feed"),
        ("from = \"2009-01\"\n[layout.file]\npattern = \"x\"", "file.pattern cannot change"),
        ("from = \"2009-01\"\n[layout.columns]\nfrim_id = \"x\"", "frim_id"),
    ] {
        sandbox.write("feed.toml", profile(&[], &format!("\n[[layout]]\n{layout}\n")));
        let run = ingest(&sandbox);
        assert_eq!(run.code, Some(1), "{layout}");
        assert!(run.stderr.contains(expected), "{layout}: {}", run.stderr);
    }
}

#[test]
fn a_map_in_a_file_gives_codes_for_texts() {
    let sandbox = changed(|line| line.replace(",E,", ",出口,").replace(",301,", ",Belgique,"));
    sandbox.write("flows.csv", "text,code\n出口,E\n");
    let codes =
        "\n[codes.flow]\nmap = \"flows.csv\"\n[codes.country]\nmap = { Belgique = \"301\" }\n";
    sandbox.write("feed.toml", profile(&[], codes));
    taken_in(&sandbox);
    assert_eq!(city(&sandbox), RIGHT);
}

#[test]
fn a_feed_of_the_chinese_customs_is_read_with_thousands_and_a_trailing_comma() {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", "city,province,area_km2\n11,11,100\n12,12,200\n");
    let head = ["数据年月", "商品编码", "贸易伙伴编码", "贸易方式编码", "注册地编码", "美元"];
    let row = |texts: [&str; 6]| texts.map(|text| format!("\"{text}\"")).join(",") + ",\r\n";
    let text = row(head)
        + &row(["202001", "12019010", "302", "10", "11", "1,234,567"])
        + &row(["202001", "12019010", "302", "10", "12", "999"]);
    let (bytes, _, _) = encoding_rs::GB18030.encode(&text);
    sandbox.write("202001.csv", &bytes);
    let changes = [
        ("utf-8\"", "gb18030\""),
        ("period = \"period\"", "period = \"数据年月\""),
        ("flow = \"flow\"", "flow = { constant = \"E\" }"),
        ("firm_id = \"firm_id\"", "firm_id = \"商品编码\""),
        ("firm_name = \"firm_name\"\n", ""),
        ("region = \"region\"", "region = \"注册地编码\""),
        ("country = \"country\"", "country = \"贸易伙伴编码\""),
        ("hs8 = \"hs8\"", "hs8 = \"商品编码\""),
        ("trade_mode = \"trade_mode\"", "trade_mode = \"贸易方式编码\""),
        ("value_usd = \"value_usd\"", "value_usd = \"美元\""),
        ("from = \"prefix\"\ndigits = 4", "from = \"as-is\""),
        ("decimal_mark = \".\"", "thousands = \",\""),
    ];
    sandbox.write("feed.toml", profile(&changes, ""));
    taken_in(&sandbox);
    assert_eq!(rows(&sandbox, "files", &["lines", "accepted"]), ["2,2"]);
    let found = sandbox.run([
        "explain",
        "--firm",
        "12019010",
        "--city",
        "11",
        "--country",
        "302",
        "--year",
        "2020",
    ]);
    assert!(!found.stderr.contains("panicked"), "{}", found.stderr);
}

#[test]
fn ordinary_trade_has_the_codes_of_the_profile() {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    for (year, month) in [2008, 2009].into_iter().flat_map(|year| (1..=12).map(move |m| (year, m)))
    {
        let period = format!("{year}{month:02}");
        let mut text = format!("{HEADER}\n");
        for (at, region) in ["11011", "11021", "21011"].into_iter().enumerate() {
            for (firm, value) in [(1, 100), (2, 70)] {
                let value = value * (at + month);
                let line = format!("{period},E,{firm},plain,{region},301,84713000,0110,{value}");
                text.push_str(&line);
                text.push('\n');
            }
        }
        sandbox.write(&format!("{period}.csv"), text);
    }
    sandbox.options("estimate = []\n");
    taken_in(&sandbox);
    let run = sandbox.run(["estimate", "--table", "4"]);
    // A note wraps at the width of its table.
    let said: Vec<&str> = run.stdout.split_whitespace().collect();
    let said = said.join(" ");
    assert!(said.contains("no record has trade mode \"10\""), "{said}");
    assert!(said.contains("ordinary_modes"), "{said}");
    let other = Sandbox::new();
    for entry in std::fs::read_dir(sandbox.feed()).expect("the feed") {
        let path = entry.expect("a file").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        other.write(&name, std::fs::read(&path).expect("a file of the feed"));
    }
    let modes = [(
        "countries = \"customs\"",
        "countries = \"customs\"\nordinary_modes = [\"10\", \"0110\"]",
    )];
    other.write("feed.toml", profile(&modes, ""));
    other.options("estimate = []\n");
    taken_in(&other);
    let ordinary = rows(&other, "panel-ordinary", &["firm", "city", "year"]);
    assert_eq!(ordinary, rows(&other, "plant", &["firm", "city", "year"]));
    assert_eq!(ordinary.len(), 6);
}
