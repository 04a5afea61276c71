//! A feed without a profile: `init` proposes one, or names the keys that need an answer; `check`
//! and `ingest` read the feed with it.

use super::*;

/// The text of a month in another form.
type Rewritten = fn(String) -> String;

/// Proposes a profile, with answers.
fn init(sandbox: &Sandbox, answers: &[&str]) -> common::Run {
    let feed = sandbox.feed().display().to_string();
    let mut arguments = vec!["init", feed.as_str()];
    for answer in answers {
        arguments.extend(["--set", answer]);
    }
    sandbox.run(arguments)
}

/// Proposes a profile, reads the feed with it, and returns the table `city`.
fn led(sandbox: &Sandbox, answers: &[&str]) -> Vec<String> {
    let run = init(sandbox, answers);
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("the first records of "), "{}", run.stdout);
    let check = sandbox.run([Path::new("check"), &sandbox.feed()]);
    assert_eq!(check.code, Some(0), "{}\n{}\n{}", run.stdout, check.stdout, check.stderr);
    assert!(!sandbox.home().join("manifest.sqlite").exists(), "check wrote a home");
    taken_in(sandbox);
    city(sandbox)
}

/// The small feed in files with other names and texts.
fn written(of: impl Fn(&str, &[String]) -> Vec<(String, Vec<u8>)>) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", CITIES);
    for (month, lines) in months() {
        for (name, text) in of(&month, &lines) {
            let path = sandbox.feed().join(name);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            std::fs::write(path, text).expect("a file of the feed");
        }
    }
    sandbox
}

/// The small feed in other texts, with one file per month.
fn texts(of: impl Fn(String) -> String) -> Sandbox {
    written(|month, lines| vec![(format!("{month}.csv"), of(text(lines)).into_bytes())])
}

#[test]
fn lines_ends_decimals_titles_footers_blanks_and_points_need_no_answer() {
    let kinds: [(&str, Rewritten); 6] = [
        ("carriage returns", |text| text.replace('\n', "\r")),
        ("decimals", |text| text.replace(".00\n", ".00000000001\n")),
        ("a title", |text| format!("出口明细表\n单位：美元\n{text}")),
        ("a footer", |text| text + "Total,,,,,,,,999.00\n"),
        ("blanks", |text| text.replace(",301,", ",301 ,")),
        ("points", |text| text.replace(",3100000001,", ",3100000001.0,")),
    ];
    for (kind, of) in kinds {
        assert_eq!(led(&texts(of), &[]), RIGHT, "{kind}");
    }
}

#[test]
fn delimiters_marks_and_encodings_are_told_from_the_files() {
    let semicolons = texts(|text| text.replace(',', ";").replace('.', ","));
    assert_eq!(led(&semicolons, &[]), RIGHT);
    let chinese = written(|month, lines| {
        let text = text(lines).replace("plain", "北方工厂").replace("firm_name", "企业名称");
        vec![(format!("{month}.csv"), encoding_rs::GB18030.encode(&text).0.into_owned())]
    });
    let cities = led(&chinese, &[]);
    assert_eq!(cities, RIGHT);
    let profile = std::fs::read_to_string(chinese.feed().join("feed.toml")).expect("written");
    assert!(profile.contains("encoding = \"gb18030\" # from the bytes"), "{profile}");
}

#[test]
fn headers_of_agencies_in_five_languages_are_known() {
    let own = "period,flow,firm_id,firm_name,region,country,hs8,trade_mode,value_usd";
    let headers = [
        "月份,进出口,企业编码,企业名称,地区,国别,商品编码,贸易方式,金额",
        "统计月份,进出口标志,经营单位代码,经营单位名称,收发货人注册地,最终目的国(地区),税则号列,监管方式,美元值",
        "Ref. date,Flow code,Tax ID,Company name,Municipality,Country of destination,HS code,\
         Customs procedure,Value FOB (USD)",
        "Período,Fluxo,CNPJ,Razão social,Município,País,NCM,Regime,Valor FOB (US$)",
        "Fecha,Flujo,RUC,Exportador,Departamento,País de destino,Subpartida,Regime,Valor FOB USD",
        "Période,Flux,SIREN,Entreprise,Département,Pays,HS,Regime,Value FOB USD",
    ];
    for header in headers {
        assert_eq!(led(&texts(|text| text.replace(own, header)), &[]), RIGHT, "{header}");
    }
}

#[test]
fn months_and_flows_in_names_and_folders_are_told_from_them() {
    let folders = written(|month, lines| {
        vec![(format!("{}/{}.csv", &month[..4], &month[4..]), text(lines).into_bytes())]
    });
    assert_eq!(led(&folders, &[]), RIGHT);
    let loose = written(|month, lines| {
        let number = month[4..].trim_start_matches('0');
        vec![(format!("{}-{number}.csv", &month[..4]), text(lines).into_bytes())]
    });
    assert_eq!(led(&loose, &[]), RIGHT);
    let flows = written(|month, lines| {
        let head = "firm_id,firm_name,region,country,hs8,trade_mode,value_usd\n";
        let bare = lines.iter().map(|line| line[9..].to_owned() + "\n").collect::<String>();
        let text = (head.to_owned() + &bare).into_bytes();
        vec![(format!("EXP_{month}.csv"), text.clone()), (format!("IMP_{month}.csv"), text)]
    });
    assert_eq!(led(&flows, &[]), RIGHT);
    let hidden = texts(|text| text);
    hidden.write("._200801.csv", "\0\u{5}\u{16}\u{7}\0Mac OS X");
    assert_eq!(led(&hidden, &[]), RIGHT);
}

#[test]
fn a_file_that_repeats_the_months_of_the_year_covers_them() {
    let sandbox = written(|month, _| {
        let (year, last) = (&month[..4], month[4..].parse::<u32>().expect("a month"));
        let line = |of: u32| {
            let value = if year == "2008" { 100 } else { 110 };
            format!("{year}{of:02},E,3100000001,plain,11011,301,84713000,10,{value}.00")
        };
        let lines: Vec<String> = (1..=last).map(line).collect();
        vec![(format!("{month}.csv"), text(&lines).into_bytes())]
    });
    assert_eq!(led(&sandbox, &[]), ["1101,301,110.00,100.00,1"]);
}

#[test]
fn what_cannot_be_told_is_asked_with_the_key_and_nothing_is_written() {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", "city,province,area_km2\n001,1,100\n");
    let head = "DECLARANT,PARTNER,PRODUCT_NC,FLOW,STAT_REGIME,PERIOD,VALUE_1000ECU\n";
    for (month, _) in months() {
        let rows =
            [("01011010", "10.50"), ("01019090", "20.25"), ("01", "30.75"), ("TOTAL", "30.75")];
        let line =
            |(product, value): (&str, &str)| format!("001,0003,{product},2,4,{month},{value}\n");
        let is_january = month.ends_with("01");
        let text: String = rows.into_iter().filter(|_| is_january).map(line).collect();
        sandbox.write(&format!("nc{month}.dat"), head.to_owned() + &text);
    }
    let run = init(&sandbox, &[]);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    for key in ["columns.firm_id", "flow.export", "flow.import"] {
        assert!(run.stderr.contains(&format!("answer with --set {key}=VALUE")), "{}", run.stderr);
    }
    assert!(run.stderr.contains("PRODUCT_NC"), "{}", run.stderr);
    assert!(!sandbox.feed().join("feed.toml").exists());
    let answers = ["columns.firm_id=PRODUCT_NC", "flow.export=2", "flow.import=1"];
    assert_eq!(led(&sandbox, &answers), ["001,0003,30750.00,30750.00,2"]);
    let profile = std::fs::read_to_string(sandbox.feed().join("feed.toml")).expect("written");
    assert!(profile.contains("unit = 1000 # the heading says thousands"), "{profile}");
    let run = init(&sandbox, &answers);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(run.stderr.contains("init does not overwrite it"), "{}", run.stderr);
}

#[test]
fn two_files_of_a_month_ask_for_the_revision() {
    let sandbox = texts(|text| text);
    let more = "200901,E,3100000009,plain,11021,502,84713000,10,7.00".to_owned();
    sandbox.write("200901-part2.csv", text(&[more]));
    let run = init(&sandbox, &[]);
    assert_eq!(run.code, Some(3));
    assert!(
        run.stderr.contains("200901.csv and 200901-part2.csv are of one month"),
        "{}",
        run.stderr
    );
    let mut right: Vec<&str> = RIGHT.to_vec();
    right.insert(2, "1102,502,7.00,0.00,0");
    assert_eq!(led(&sandbox, &["revision=append"]), right);
}

#[test]
fn products_in_the_place_of_firms_are_a_choice_of_the_user() {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", "city,province,area_km2\n11,11,100\n12,12,100\n");
    let head = "\"数据年月\",\"商品编码\",\"商品名称\",\"贸易伙伴编码\",\"贸易方式编码\",\"注册地编码\",\
                \"美元\",\r\n";
    let line = |year: u16, month: u8, place: &str, value: &str| {
        let product = "\"12019010\",\"黄大豆\",\"302\",\"10\"";
        format!("\"{year}{month:02}\",{product},\"{place}\",\"{value}\",\r\n")
    };
    for (year, month) in (1..=12).map(|month| (2020, month)).chain([(2021, 1)]) {
        let lines = line(year, month, "11", "1,234,567") + &line(year, month, "12", "999");
        let text = head.to_owned() + &lines;
        let bytes = encoding_rs::GB18030.encode(&text).0.into_owned();
        sandbox.write(&format!("{year}{month:02}.csv"), bytes);
    }
    let run = init(&sandbox, &[]);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    for key in ["columns.firm_id", "columns.flow"] {
        assert!(run.stderr.contains(&format!("answer with --set {key}=VALUE")), "{}", run.stderr);
    }
    let answers = ["columns.firm_id=商品编码", "columns.flow={ constant = \"E\" }"];
    let right = ["11,302,1234567.00,1234567.00,1", "12,302,999.00,999.00,1"];
    assert_eq!(led(&sandbox, &answers), right);
    let profile = std::fs::read_to_string(sandbox.feed().join("feed.toml")).expect("written");
    assert!(profile.contains("encoding = \"gb18030\""), "{profile}");
    assert!(profile.contains("thousands = \",\" # from the amounts"), "{profile}");
}

#[test]
fn a_year_file_with_year_and_month_in_two_columns_needs_the_firm_only() {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", "city,province,area_km2\n3306305,RJ,100\n3550308,SP,200\n");
    let head = "\"CO_ANO\";\"CO_MES\";\"SH4\";\"CO_PAIS\";\"SG_UF_MUN\";\"CO_MUN\";\"KG_LIQUIDO\";\
                \"VL_FOB\"\n";
    for (year, value) in [(2020, 1000), (2021, 1500)] {
        let line = |month: u8| {
            format!("\"{year}\";\"{month:02}\";\"7210\";\"023\";\"RJ\";\"3306305\";100;{value}\n")
        };
        let text: String = (1..=if year == 2020 { 12 } else { 2 }).map(line).collect();
        sandbox.write(&format!("EXP_{year}_MUN.csv"), head.to_owned() + &text);
    }
    let run = init(&sandbox, &[]);
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    assert!(run.stderr.contains("answer with --set columns.firm_id=VALUE"), "{}", run.stderr);
    let right = ["3306305,023,3000.00,2000.00,1"];
    assert_eq!(led(&sandbox, &["columns.firm_id=SH4"]), right);
    let profile = std::fs::read_to_string(sandbox.feed().join("feed.toml")).expect("written");
    assert!(profile.contains("pattern = \"{flow}_{YYYY}_MUN.csv\""), "{profile}");
    assert!(profile.contains("revision = \"replace-periods\""), "{profile}");
}

#[test]
fn a_file_without_lines_has_its_month_from_its_name() {
    let sandbox = texts(|text| text);
    sandbox.write("200902.csv", text(&[]));
    let check = sandbox.run([Path::new("check"), &sandbox.feed()]);
    assert_eq!(check.code, Some(0), "{}\n{}", check.stdout, check.stderr);
    let said = "200902.csv: text, utf-8; 200902\n  0 lines: 0 accepted";
    assert!(check.stdout.contains(said), "{}", check.stdout);
    assert!(check.stdout.contains("months 200801 to 200902"), "{}", check.stdout);
}
