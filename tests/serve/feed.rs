//! A small home: two years, three cities, two destinations, a late line and a bad line.

use crate::common::{HEADER, Sandbox};

/// The lines of a month.
fn month(period: u32) -> String {
    let line = |firm: &str, region: &str, country: &str, value: u32| {
        format!("{period},E,{firm},厂{firm},{region},{country},84713000,10,{value}\n")
    };
    let lines = [
        line("3101000001", "31011", "304", 100 + period % 100),
        line("3101000001", "11011", "304", 200 + period % 7),
        line("1101000002", "11011", "304", 300 + period % 5),
        line("1101000002", "11011", "502", 70),
        line("3201000003", "32011", "502", 50 + period % 3),
        line("3201000003", "31011", "502", 90),
    ];
    format!("{HEADER}\n{}", lines.concat())
}

/// A home with the months of 2000 and 2001; January 2001 has a bad line.
pub fn home() -> Sandbox {
    let sandbox = Sandbox::new();
    tables(&sandbox);
    let months = (200_001..=200_012).chain(200_101..=200_112);
    let files = months.map(|period| {
        let bad = if period == 200_101 { "200101,E,x,,99999,304,84713000,10,1\n" } else { "" };
        sandbox.write(&format!("{period}.csv"), month(period) + bad)
    });
    let files: Vec<_> = files.collect();
    sandbox.options("max_rejected_share = 0.5\n");
    let run = sandbox.run(
        ["ingest"]
            .into_iter()
            .map(Into::into)
            .chain(files.iter().map(|file| file.as_os_str().to_owned())),
    );
    assert_eq!(run.code, Some(3), "{}", run.stderr);
    sandbox
}

/// The reference tables of the feed.
pub fn tables(sandbox: &Sandbox) {
    let cities = "city,province,area_km2,name,name_en\n1101,11,100,北京市,Beijing\n\
                  3101,31,400,上海市,Shanghai\n3201,32,300,南京市,Nanjing\n";
    sandbox.write("cities.csv", cities);
    let countries = "country,iso3,name,name_en,income_group\n110,HKG,中国香港,Hong Kong,H\n\
                     304,DEU,德国,Germany,H\n502,USA,美国,United States,H\n";
    sandbox.write("countries.csv", countries);
}
/// Adds the next month to a home.
pub fn add_month(sandbox: &Sandbox, period: u32) {
    let path = sandbox.write(&format!("{period}.csv"), month(period));
    sandbox.ingest(&[&path], 1);
}

/// A home of the bundled feed, with estimates.
pub fn demo() -> Sandbox {
    let sandbox = Sandbox::new();
    let feed = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("streams/demo");
    sandbox.ingest(&[&feed], 1);
    sandbox
}
