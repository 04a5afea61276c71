//! The answers of each route, and their formats.

use crate::client::send;
use crate::common::csv_rows;
use crate::feed;
use crate::service::Service;

/// The addresses of one answer of each kind, without a suffix.
const ADDRESSES: [&str; 14] = [
    "/api/v1/status",
    "/api/v1/calendar",
    "/api/v1/vintages",
    "/api/v1/tables",
    "/api/v1/tables/city",
    "/api/v1/tables/plant",
    "/api/v1/tables/months",
    "/api/v1/series/nation/all",
    "/api/v1/changes",
    "/api/v1/revisions",
    "/api/v1/files",
    "/api/v1/rejects",
    "/api/v1/findings",
    "/api/v1/names",
];

#[test]
fn every_answer_comes_in_every_format_with_its_vintage() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let starts: [(&str, &str, &[u8]); 7] = [
        ("json", "application/json", b"{"),
        ("csv", "text/csv; charset=utf-8", b""),
        ("parquet", "application/vnd.apache.parquet", b"PAR1"),
        ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK"),
        ("arrow", "application/vnd.apache.arrow.file", b"ARROW1"),
        ("jsonl", "application/x-ndjson", b""),
        ("dta", "application/x-stata-dta", b"<stata_dta>"),
    ];
    for address in ADDRESSES {
        for (suffix, kind, start) in starts {
            let by_suffix = service.get(&format!("{address}.{suffix}"));
            assert_eq!(by_suffix.status, 200, "{address}.{suffix}: {}", by_suffix.text());
            assert_eq!(by_suffix.header("content-type"), kind, "{address}");
            assert_eq!(by_suffix.header("x-vintage"), "24", "{address}.{suffix}");
            assert!(by_suffix.is_whole && by_suffix.body.starts_with(start), "{address}.{suffix}");
            let accept = kind.split(';').next().expect("a type");
            let by_header = service.get_with(address, &[("Accept", accept)]);
            assert_eq!(by_header.header("content-type"), kind, "{address}");
        }
        let json = service.json(address);
        assert_eq!((&json["vintage"], &json["newest_vintage"]), (&24.into(), &24.into()));
    }
    let refused = service.get_with("/api/v1/status", &[("Accept", "image/png")]);
    assert_eq!((refused.status, refused.code().as_str()), (406, "not_acceptable"));
}

#[test]
fn a_table_is_that_of_export_and_its_rows_can_be_chosen_sorted_and_paged() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    for table in ["city", "plant", "months", "series", "files", "rejects", "changes"] {
        let answer = service.get(&format!("/api/v1/tables/{table}.csv"));
        assert_eq!(answer.text(), sandbox.export(table), "{table}");
        assert!(answer.text().lines().count() > 1, "{table} has rows");
    }
    let rows = |query: &str| {
        let json = service.json(&format!("/api/v1/tables/city?{query}"));
        json["rows"].as_array().expect("rows").clone()
    };
    let all = rows("");
    for name in ["304", "%E5%BE%B7%E5%9B%BD", "Germany", "DEU"] {
        let chosen = rows(&format!("country={name}"));
        assert!(!chosen.is_empty() && chosen.len() < all.len(), "{name}");
        assert!(chosen.iter().all(|row| row["country"] == "304"), "{name}");
    }
    let many = rows("export_value=ge:1000&city=1101,3101");
    assert!(many.iter().all(|row| row["export_value"].as_f64() >= Some(1000.0)));
    assert!(!many.is_empty() && many.len() < all.len());
    let sorted = rows("sort=-export_value&columns=export_value");
    let values: Vec<f64> =
        sorted.iter().map(|row| row["export_value"].as_f64().expect("a number")).collect();
    assert_eq!(values.len(), all.len());
    assert!(values.is_sorted_by(|a, b| a >= b), "{values:?}");
    assert_eq!(sorted[0].as_object().expect("an object").len(), 1);
    // Pages of two rows are all rows in order.
    let (mut paged, mut next) = (Vec::new(), Some("/api/v1/tables/city?limit=2".to_owned()));
    while let Some(address) = next {
        let page = service.json(&address);
        assert!(page["n_rows"].as_u64() <= Some(2));
        paged.extend(page["rows"].as_array().expect("rows").clone());
        next = page["next"].as_str().map(str::to_owned);
    }
    assert_eq!(paged, all);
    let named = rows("names=zh&limit=1");
    assert_eq!(
        (&named[0]["city_name"], &named[0]["country_name"]),
        (&"北京市".into(), &"德国".into())
    );
}

#[test]
fn a_series_is_the_rows_of_its_unit_by_code_and_by_name() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let exported = csv_rows(&sandbox.export("series"));
    let own = |level: &str, key: &str, span: &str| {
        let rows = exported.iter().filter(|row| row[2] == span && row[3] == level && row[4] == key);
        rows.cloned().collect::<Vec<_>>()
    };
    for (address, level, key) in [
        ("series/country/304", "country", "304"),
        ("series/country/Germany", "country", "304"),
        ("series/city/%E5%8C%97%E4%BA%AC", "city", "1101"),
        ("series/province%5Ecountry/31%5E304", "province^country", "31^304"),
        ("series/nation/all", "nation", "all"),
    ] {
        let answer = service.get(&format!("/api/v1/{address}.csv?span=12m"));
        let rows = csv_rows(answer.text());
        assert_eq!(rows[1..], own(level, key, "12m"), "{address}");
        assert!(rows.len() > 1, "{address}");
    }
    let all = service.get("/api/v1/series/country/*.csv?from=2001-06&to=200106&span=ytd");
    let rows = csv_rows(all.text());
    let (june, keys) = (&rows[1..], rows[1..].iter().map(|row| row[4].as_str()));
    assert_eq!(keys.collect::<Vec<_>>(), ["304", "502"]);
    assert!(june.iter().all(|row| row[..3] == ["2001", "6", "ytd"]), "{june:?}");
    let none = service.get("/api/v1/series/country/999");
    assert_eq!((none.status, none.code().as_str()), (404, "no_place"));
    let none = service.get("/api/v1/series/county/304");
    assert_eq!((none.status, none.code().as_str()), (404, "not_found"));
}

#[test]
fn an_explanation_adds_up_and_has_names() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let key = "firm=3101000001&city=%E4%B8%8A%E6%B5%B7&country=DEU&year=2001";
    let json = service.json(&format!("/api/v1/explain?{key}&names=en"));
    let checks = json["checks"].as_array().expect("checks");
    assert!(!checks.is_empty() && checks.iter().all(|of| of["adds_up"] == true), "{checks:?}");
    assert_eq!(json["names"]["city"]["3101"], "Shanghai");
    assert!(json["published"]["export_value"].as_f64() > Some(0.0));
    let none = service.get("/api/v1/explain?firm=3101000001&city=3101&country=502&year=2001");
    assert_eq!((none.status, none.code().as_str()), (404, "no_row"));
    let incomplete = service.get("/api/v1/explain?firm=3101000001");
    assert_eq!((incomplete.status, incomplete.code().as_str()), (400, "bad_parameter"));
}

#[test]
fn names_are_found_by_code_name_iso_code_and_sound() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    for asked in ["304", "%E5%BE%B7%E5%9B%BD", "germany", "deu", "deguo", "dg"] {
        let json = service.json(&format!("/api/v1/names?q={asked}"));
        let first = &json["rows"][0];
        let found = (&first["code"], &first["name_zh"]);
        assert_eq!(found, (&"304".into(), &"德国".into()), "{asked}");
    }
    let firm = service.json("/api/v1/names?kind=firm&q=%E5%8E%823101");
    assert_eq!(firm["rows"][0]["code"], "3101000001");
    assert!(service.log().contains("firm-level access"), "names of firms are logged");
}

#[test]
fn a_request_for_what_is_not_there_says_why() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    for (address, status, code) in [
        ("/api/v1/nothing", 404, "not_found"),
        ("/api/v2/status", 404, "not_found"),
        ("/nothing.html", 404, "not_found"),
        ("/api/v1/tables/none", 404, "not_found"),
        ("/api/v1/status?vintage=1", 400, "unknown_parameter"),
        ("/api/v1/tables/city?contry=304", 400, "unknown_parameter"),
        ("/api/v1/tables/files?month=200101", 400, "unknown_parameter"),
        ("/api/v1/tables/city?token=1", 400, "unknown_parameter"),
        ("/api/v1/tables/city?year=2001&year=2000", 400, "bad_parameter"),
        ("/api/v1/tables/city?year=two", 400, "bad_parameter"),
        ("/api/v1/tables/city?limit=0", 400, "bad_parameter"),
        ("/api/v1/tables/city?limit=100000", 400, "bad_parameter"),
        ("/api/v1/tables/city?sort=none", 400, "bad_parameter"),
        ("/api/v1/tables/city?columns=none", 400, "bad_parameter"),
        ("/api/v1/tables/city?growth=ge:many", 400, "bad_parameter"),
        ("/api/v1/tables/city?page=x", 400, "bad_parameter"),
        ("/api/v1/tables/city?page=23-10", 400, "bad_parameter"),
        ("/api/v1/tables/city?span=ytd", 400, "bad_parameter"),
        ("/api/v1/tables/city?month=2001-13", 400, "bad_parameter"),
        ("/api/v1/tables/city?names=fr", 400, "bad_parameter"),
        ("/api/v1/tables/city?excel=maybe", 400, "bad_parameter"),
        ("/api/v1/tables/city.parquet?excel=1", 400, "bad_parameter"),
        ("/api/v1/tables/city?country=%ff", 400, "bad_request"),
        ("/api/v1/tables/city?country=%0a", 400, "bad_request"),
        ("/api/v1/tables/city?country=Atlantis", 404, "no_place"),
        ("/api/v1/tables/city?year=1999", 404, "no_year"),
        ("/api/v1/tables/city?month=200006", 404, "no_year"),
        ("/api/v1/tables/city?month=200201", 404, "no_year"),
        ("/api/v1/tables/city?as_of=0", 404, "no_vintage"),
        ("/api/v1/tables/city?as_of=25", 404, "no_vintage"),
        ("/api/v1/tables/city?as_of=2020-01-01", 404, "no_vintage"),
        ("/api/v1/tables/city?as_of=yesterday", 400, "bad_parameter"),
        ("/api/v1/tables/city?as_of=13", 409, "inside_batch"),
        ("/api/v1/diff?before=13", 409, "inside_batch"),
        ("/api/v1/diff", 400, "bad_parameter"),
        ("/api/v1/revisions?vintage=99", 404, "no_vintage"),
        ("/api/v1/revisions?vintage=24&last=1", 400, "bad_parameter"),
        ("/api/v1/names?kind=planet", 400, "bad_parameter"),
    ] {
        let answer = service.get(address);
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{address}");
        let problem = answer.json();
        assert_eq!(problem["status"], status, "{address}");
        assert!(problem["detail"].as_str().is_some_and(|of| of.len() > 10), "{address}");
    }
    let inside = service.get("/api/v1/tables/city?as_of=13").json();
    assert_eq!(inside["after"], 24, "{inside}");
}

#[test]
fn a_known_answer_is_not_sent_again_and_a_language_has_its_labels() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let address = "/api/v1/tables/city?limit=1";
    let first = service.get(address);
    let tag = first.header("etag").to_owned();
    assert!(tag.starts_with("W/\"24-"), "{tag}");
    for given in [tag.clone(), format!("\"other\", {tag}")] {
        let again = service.get_with(address, &[("If-None-Match", &given)]);
        assert_eq!((again.status, again.body.len()), (304, 0), "{given}");
        assert_eq!(again.header("etag"), tag);
    }
    let other = service.get_with(address, &[("If-None-Match", "\"other\"")]);
    assert_eq!(other.status, 200);
    let chinese = service.get_with(address, &[("Accept-Language", "zh-CN,zh;q=0.9,en;q=0.8")]);
    assert_ne!(chinese.header("etag"), tag, "another representation");
    assert_eq!(chinese.header("content-language"), "zh");
    assert_eq!(chinese.json()["columns"][2]["label"], "城市");
    assert_eq!(first.json()["columns"][2]["label"], "City");
    let vary = first.header("vary").to_ascii_lowercase();
    for name in ["accept", "accept-language", "accept-encoding", "authorization"] {
        assert!(vary.split(", ").any(|of| of == name), "{vary}");
    }
    let packed = service.get_with("/api/v1/tables/city", &[("Accept-Encoding", "gzip")]);
    assert_eq!(packed.header("content-encoding"), "gzip");
    let mut text = String::new();
    let mut unpacked = flate2::read::GzDecoder::new(packed.body.as_slice());
    std::io::Read::read_to_string(&mut unpacked, &mut text).expect("gzip");
    assert_eq!(text, service.get("/api/v1/tables/city").text());
    assert_eq!(service.get("/api/v1/status").header("etag"), "", "the watcher may change");
}

#[test]
fn csv_is_exact_and_csv_for_excel_is_defused() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let exact = service.get("/api/v1/rejects.csv");
    assert_eq!(exact.text(), sandbox.export("rejects"));
    assert!(exact.header("content-disposition").contains("rejects.csv"));
    let excel = service.get("/api/v1/tables/city.csv?excel=1");
    assert!(excel.body.starts_with("\u{feff}".as_bytes()));
    assert!(excel.text().contains("\"=\"\"1101\"\"\""), "{}", excel.text());
}

#[test]
fn the_page_is_served_with_a_strict_policy() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let page = service.get("/");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let policy = page.header("content-security-policy");
    assert!(policy.contains("default-src 'none'; script-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe-eval"), "{policy}");
    let tag = page.header("etag").to_owned();
    let again = service.get_with("/", &[("If-None-Match", &tag)]);
    assert_eq!(again.status, 304);
    for answer in [page, service.get("/api/v1/status"), service.get("/none")] {
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("x-frame-options"), "DENY");
        assert_eq!(answer.header("access-control-allow-origin"), "", "no other site reads this");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"));
    }
}

#[test]
fn the_report_is_the_page_of_the_command_at_a_vintage_in_a_language() {
    let sandbox = feed::demo();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let written = |arguments: &[&str]| {
        let run = sandbox.run(["report"].iter().chain(arguments));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        run.stdout
    };
    let answer = service.get("/api/v1/report?lang=zh");
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert!(answer.header("content-security-policy").contains("style-src 'unsafe-inline'"));
    assert!(!answer.header("content-security-policy").contains("script-src"));
    assert_eq!(answer.text(), written(&["--lang", "zh"]));
    let older = service.get("/api/v1/report?month=201106&span=month");
    assert_eq!(older.text(), written(&["--month", "201106", "--span", "month"]));
    let chosen = send(
        service.address,
        "GET",
        "/api/v1/report",
        &[
            ("Accept", "text/html,application/xhtml+xml;q=0.9"),
            ("Accept-Language", "zh-CN,zh;q=0.9,en;q=0.8"),
        ],
    );
    assert_eq!((chosen.status, chosen.text()), (200, answer.text()));
    let then = service.get("/api/v1/report?as_of=36");
    assert_eq!((then.status, then.header("x-vintage")), (200, "36"));
    assert!(then.text().contains("<h1>Report for December 2010</h1>"), "{}", then.text());
    assert!(then.text().contains("vintage 36"), "{}", then.text());
    for (query, code) in [
        ("month=201113", "bad_parameter"),
        ("month=201201", "no_year"),
        ("lang=de", "bad_parameter"),
        ("as_of=99", "no_vintage"),
        ("format=pdf", "unknown_parameter"),
    ] {
        assert_eq!(service.get(&format!("/api/v1/report?{query}")).code(), code, "{query}");
    }
    assert_eq!(service.get("/api/v1/report.csv").status, 404);
}

#[test]
fn figures_are_drawn_for_series_and_effects_alone() {
    let sandbox = feed::demo();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    for (path, expected) in [
        ("/api/v1/series/country/502.svg?span=12m", "Growth of exports: United States"),
        ("/api/v1/effects.svg?level=country", "United States"),
    ] {
        let answer = service.get(path);
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("content-type"), "image/svg+xml");
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
        let text = answer.text();
        assert!(text.starts_with("<svg ") && text.contains(expected), "{text}");
        assert!(!text.contains("<script"), "{text}");
        let picture = service.get(&path.replace(".svg", ".png"));
        if cfg!(feature = "png") {
            assert_eq!((picture.status, picture.header("content-type")), (200, "image/png"));
            assert!(picture.body.starts_with(b"\x89PNG\r\n") && picture.body.len() > 10_000);
        } else {
            assert_eq!((picture.status, picture.code().as_str()), (501, "no_picture"));
        }
    }
    let headers = [("Accept", "image/svg+xml"), ("Accept-Language", "zh")];
    let chinese = send(service.address, "GET", "/api/v1/series/country/502", &headers);
    assert!(chinese.text().contains("美国：出口增长"), "{}", chinese.text());
    for none in ["/api/v1/tables/city.svg", "/api/v1/alerts.png", "/api/v1/status.svg"] {
        assert_eq!(service.get(none).status, 404, "{none}");
    }
    assert_eq!(service.get("/api/v1/series/country/*.svg").code(), "bad_parameter");
    let headers = [("Accept", "image/png")];
    let none = send(service.address, "GET", "/api/v1/status", &headers);
    assert_eq!(none.code(), "not_acceptable");
}
