//! Shipped profiles on lines in the agencies' formats.

use super::*;

/// Ingests files with a shipped profile; returns the row of `files` for each.
fn read_as(profile: &str, cities: &str, files: &[(&str, Vec<u8>)]) -> (Sandbox, Vec<String>) {
    let sandbox = Sandbox::new();
    sandbox.write("cities.csv", format!("city,province,area_km2\n{cities}\n"));
    for (name, bytes) in files {
        sandbox.write(name, bytes);
    }
    let feed = sandbox.feed().display().to_string();
    let run = sandbox.run(["ingest", &feed, "--profile", profile]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let files = rows(&sandbox, "files", &["period", "lines", "accepted"]);
    (sandbox, files)
}

#[test]
fn a_query_of_the_chinese_customs() {
    let head = [
        "数据年月",
        "商品编码",
        "商品名称",
        "贸易伙伴编码",
        "贸易伙伴名称",
        "贸易方式编码",
        "贸易方式名称",
        "注册地编码",
        "注册地名称",
        "第一数量",
        "第一计量单位",
        "第二数量",
        "第二计量单位",
        "美元",
    ];
    let line = |texts: [&str; 14]| texts.map(|text| format!("\"{text}\"")).join(",") + ",\r\n";
    let of = |place, value| {
        line([
            "202001",
            "12019010",
            "黄大豆",
            "302",
            "丹麦",
            "10",
            "一般贸易",
            place,
            "某地",
            "1,000",
            "千克",
            "0",
            "-",
            value,
        ])
    };
    let text = line(head) + &of("11", "1,234,567") + &of("12", "999");
    let (bytes, _, _) = encoding_rs::GB18030.encode(&text);
    let file = ("202001.csv", bytes.into_owned());
    let (_, files) = read_as("gacc-query", "11,11,100\n12,12,200", &[file]);
    assert_eq!(files, ["202001,2,2"]);
}

#[test]
fn comex_stat_by_state_and_by_municipality() {
    let head =
        "CO_ANO;CO_MES;CO_NCM;CO_UNID;CO_PAIS;SG_UF_NCM;CO_VIA;CO_URF;QT_ESTAT;KG_LIQUIDO;VL_FOB\n";
    let text = |value| {
        format!(
            "{head}2025;01;09011110;10;023;SP;01;0817600;1;1;{value}\n\
             2025;02;09011110;10;023;ND;01;0817600;1;1;5\n2025;02;09011110;10;351;SP;01;1;1;1;7\n"
        )
        .into_bytes()
    };
    let files = [("EXP_2025.csv", text("1000")), ("IMP_2025.csv", text("30"))];
    let (sandbox, files) = read_as("comexstat", "SP,BR,248219", &files);
    assert_eq!(files, ["202502,3,1", "202502,3,1"]);
    let status = sandbox.run(["status"]).stdout;
    assert!(status.contains("202501 to 202502 closed"), "{status}");
    let head = "\"CO_ANO\";\"CO_MES\";\"SH4\";\"CO_PAIS\";\"SG_UF_MUN\";\"CO_MUN\";\
                \"KG_LIQUIDO\";\"VL_FOB\"\n";
    let text = format!(
        "{head}\"2020\";\"01\";\"7210\";\"023\";\"RJ\";\"3306305\";100;1000\n\
         \"2020\";\"02\";\"7210\";\"023\";\"RJ\";\"3306305\";100;1500\n"
    );
    let files =
        [("EXP_2020_MUN.csv", text.clone().into_bytes()), ("IMP_2020_MUN.csv", text.into_bytes())];
    let (_, files) = read_as("comexstat-municipality-year", "3306305,RJ,100", &files);
    assert_eq!(files, ["202002,2,2", "202002,2,2"]);
}

#[test]
fn the_exports_of_ethiopia() {
    let head = "\"Year\",\"Month\",\"CPC\",\"HS Code\",\"HS Description\",\"Destination\",\
                \"Quantity\",\"Unit\",\"Gross Wt. (Kg)\",\"Net.Wt. (Kg)\",\"FOB Value (ETB)\",\
                \"FOB Value (USD)\",\"Total tax (ETB)\",\"Total tax (USD)\"\n";
    let line = |month, country, value| {
        format!(
            "\"2014\",\"{month}\",\"1000\",\"09011100\",\"Coffee, not roasted\",\"{country}\",\
             \"1\",\"KG\",\"1\",\"1\",\"2\",\"{value}\",\"0\",\"0\"\n"
        )
    };
    let text = head.to_owned()
        + &line("01", "Germany", "100.0000000000001")
        + &line("02", "United States", "5.125")
        + &line("02", "Hong Kong", "7");
    let (sandbox, files) =
        read_as("ethiopia", "ET,ET,1104300", &[("export_2014.csv", text.into_bytes())]);
    assert_eq!(files, ["201402,3,2"]);
    assert_eq!(rows(&sandbox, "files", &["rounded", "excluded_country"]), ["2,1"]);
}

#[test]
fn the_archives_of_statistics_canada() {
    let head = "\u{FEFF}YearMonth/AnnéeMois,HS8,Country/Pays,Province,State/État,Value/Valeur,\
                Quantity/Quantité,Unit of Measure/Unité de Mesure\n";
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for month in ["200801", "200802"] {
        for (name, text) in [
            (
                format!("ODPFN016_{month}N.csv"),
                format!("{head}{month},01012100,US,ON,NY,1000,1,NMB\n"),
            ),
            (format!("ODPFN018_{month}N.csv"), "x\n".to_owned()),
        ] {
            use std::io::Write as _;
            let options = zip::write::SimpleFileOptions::default();
            archive.start_file(name, options).expect("a member");
            archive.write_all(text.as_bytes()).expect("written");
        }
    }
    let bytes = archive.finish().expect("an archive").into_inner();
    let (_, files) = read_as("statcan", "ON,C,100\nQC,C,200", &[("CIMT_200801.zip", bytes)]);
    assert_eq!(files, ["200801,1,1", "200802,1,1"]);
}
