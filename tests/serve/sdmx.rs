//! SDMX: keys, conditions, formats; and two readers of `PyPI` as judges.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{csv_rows, run};
use crate::feed;
use crate::service::Service;

const DATA: &str = "/sdmx/v2/data/dataflow/SPILLOVER/SERIES/1.0.0";

/// The rows of a query, without the header.
fn rows(service: &Service, path: &str) -> Vec<Vec<String>> {
    let answer = service.get(path);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    assert!(answer.header("content-type").starts_with("application/vnd.sdmx.data+csv"), "{path}");
    csv_rows(answer.text())[1..].to_vec()
}

#[test]
fn keys_conditions_and_numbers_of_observations_select_the_rows_of_the_table() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let header = csv_rows(service.get(DATA).text())[0].clone();
    let fixed = ["STRUCTURE", "STRUCTURE_ID", "ACTION", "SPAN", "LEVEL", "KEY", "TIME_PERIOD"];
    assert_eq!(header[..7], fixed);
    let growth = header.iter().position(|of| of == "GROWTH").expect("a measure");
    let all = rows(&service, DATA);
    let exported = csv_rows(&sandbox.export("series"));
    assert_eq!(all.len(), exported.len() - 1);
    let of_table = exported[0].iter().position(|of| of == "growth").expect("a column");
    for row in &exported[1..] {
        let time = format!("{}-{:0>2}", row[0], row[1]);
        let level = row[3].replace('^', "_");
        let key = [&row[2], &level, &row[4], &time].map(String::as_str);
        let found: Vec<_> = all.iter().filter(|of| of[3..7] == key).collect();
        assert_eq!(found.len(), 1, "{key:?}");
        assert_eq!(found[0][growth], row[of_table], "{key:?}");
    }
    let select = |query: &str, is: &dyn Fn(&[String]) -> bool| {
        let found = rows(&service, &format!("{DATA}{query}"));
        let wanted: Vec<_> = all.iter().filter(|row| is(&row[3..7])).cloned().collect();
        assert!(!found.is_empty(), "{query}");
        assert_eq!(found, wanted, "{query}");
    };
    select("/12m.country.304", &|of| of[..3] == ["12m", "country", "304"]);
    select("/*.nation.*", &|of| of[1] == "nation");
    select("/12m..304%2B502", &|of| of[0] == "12m" && ["304", "502"].contains(&of[2].as_str()));
    select("/12m.country.304,ytd.nation.all", &|of| {
        of[..3] == ["12m", "country", "304"] || of[..3] == ["ytd", "nation", "all"]
    });
    select("?c[SPAN]=ytd&c[LEVEL]=city,nation", &|of| {
        of[0] == "ytd" && ["city", "nation"].contains(&of[1].as_str())
    });
    select("?c[TIME_PERIOD]=ge:2001-03+le:2001-05", &|of| {
        ("2001-03".."2001-06").contains(&of[3].as_str())
    });
    select("?c[TIME_PERIOD]=2001&c[LEVEL]=ne:city", &|of| of[1] != "city");
    let (first, last) = ("firstNObservations=2", "lastNObservations=1");
    let three = rows(&service, &format!("{DATA}/ytd.country.304?{first}&{last}"));
    let times: Vec<&str> = three.iter().map(|row| row[6].as_str()).collect();
    assert_eq!(times, ["2001-01", "2001-02", "2001-12"]);
    let one = rows(&service, &format!("{DATA}/ytd.country.304?measures=GROWTH&{last}"));
    assert_eq!(one[0].len(), 8);
    for (query, status) in [
        ("/12m.country", 400),
        ("?c[FIRM]=1", 400),
        ("?firstNObservations=0", 400),
        ("?measures=NONE", 400),
        ("?dimensionAtObservation=SPAN", 400),
        ("?asOf=99", 404),
        ("?includeHistory=true", 400),
    ] {
        assert_eq!(service.get(&format!("{DATA}{query}")).status, status, "{query}");
    }
    let none = service.get("/sdmx/v2/data/dataflow/SPILLOVER/PLANT/1.0.0");
    assert_eq!(none.status, 404, "no dataflow has firms");
}

#[test]
fn json_has_the_observations_of_csv_and_availability_their_values() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let accept = [("Accept", "application/vnd.sdmx.data+json;version=2.0.0")];
    let of_csv = rows(&service, &format!("{DATA}/12m.country.*"));
    let series = service.get_with(&format!("{DATA}/12m.country.*"), &accept).json();
    let set = &series["data"]["dataSets"][0]["series"];
    let n: usize = set
        .as_object()
        .expect("series")
        .values()
        .map(|of| of["observations"].as_object().map_or(0, serde_json::Map::len))
        .sum();
    assert_eq!(n, of_csv.len());
    let flat = format!("{DATA}/12m.country.*?dimensionAtObservation=AllDimensions");
    let flat = service.get_with(&flat, &accept).json();
    let observations = &flat["data"]["dataSets"][0]["observations"];
    assert_eq!(observations.as_object().map(serde_json::Map::len), Some(of_csv.len()));
    let measures = flat["data"]["structures"][0]["measures"]["observation"].as_array();
    let at = measures.and_then(|all| all.iter().position(|of| of["id"] == "EXPORTERS"));
    let first = &observations["0:0:0:0"][at.expect("a measure")];
    let header = csv_rows(service.get(DATA).text())[0].clone();
    let column = header.iter().position(|of| of == "EXPORTERS").expect("a column");
    assert_eq!(first.as_f64(), of_csv[0][column].parse().ok());
    let address = "/sdmx/v2/availability/dataflow/SPILLOVER/SERIES/1.0.0/12m.country.*/KEY";
    let available = service.json(address);
    let region = &available["data"]["dataConstraints"][0]["cubeRegions"][0]["components"][0];
    let values: Vec<_> = region["values"]
        .as_array()
        .expect("values")
        .iter()
        .map(|of| of["value"].as_str().expect("a text"))
        .collect();
    assert_eq!(values, ["304", "502"]);
}

#[test]
fn data_of_a_vintage_do_not_change_and_updates_are_those_since() {
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let before = rows(&service, DATA);
    feed::add_month(&sandbox, 200_201);
    let begun = std::time::Instant::now();
    while service.json("/api/v1/status")["vintage"] != 25 {
        assert!(begun.elapsed().as_secs() < 30, "the publication is not served");
    }
    assert_eq!(rows(&service, &format!("{DATA}?asOf=24")), before);
    let updated = rows(&service, &format!("{DATA}?updatedAfter=24"));
    assert!(!updated.is_empty() && updated.iter().all(|row| row[6] == "2002-01"), "{updated:?}");
    let key = "ytd.country.*";
    let history = service.json(&format!("{DATA}/{key}?includeHistory=true&format=json"));
    let sets = history["data"]["dataSets"].as_array().expect("data sets");
    let n = |set: &serde_json::Value| {
        let series = set["series"].as_object().expect("series").values();
        let n =
            |of: &serde_json::Value| of["observations"].as_object().map_or(0, serde_json::Map::len);
        series.map(n).sum::<usize>()
    };
    let (last, earlier) = sets.split_last().expect("states");
    let before = rows(&service, &format!("{DATA}/{key}?asOf=24"));
    assert_eq!(n(last), rows(&service, &format!("{DATA}/{key}")).len());
    assert_eq!(n(earlier.last().expect("an earlier state")), before.len());
    assert_eq!(earlier.last().expect("one")["validTo"], last["validFrom"]);
    assert!(last["validFrom"].is_string() && last.get("validTo").is_none(), "{last}");
    let refused = service.get(&format!("{DATA}?includeHistory=true"));
    assert!(refused.text().contains("add format=json"), "{}", refused.text());
    let both = format!("{DATA}?includeHistory=true&format=json&updatedAfter=24");
    assert_eq!(service.get(&both).status, 400);
}

/// A Python with pysdmx and sdmx1.
fn python() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/sdmx/bin/python");
    let candidates = [own, PathBuf::from("python3")];
    candidates.into_iter().find(|python| {
        let tried = Command::new(python).args(["-c", "import pysdmx, sdmx"]).output();
        tried.is_ok_and(|output| output.status.success())
    })
}

#[test]
fn pysdmx_and_sdmx1_read_data_and_structures() {
    let Some(python) = python() else {
        let missing = "pysdmx and sdmx1 are missing: run `python3 -m venv target/sdmx` and \
                       `target/sdmx/bin/pip install 'pysdmx[all]==1.21.0' sdmx1==2.28.0`";
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{missing}");
        eprintln!("{missing}");
        return;
    };
    let sandbox = feed::home();
    let service = Service::start::<&str>(&sandbox.home(), &[]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/serve/read_sdmx.py");
    let base = format!("http://{}", service.address);
    let read = run(Command::new(python).arg(script).arg(base));
    assert_eq!(read.code, Some(0), "{}", read.stderr);
    let found: serde_json::Value = serde_json::from_str(&read.stdout).expect("JSON");
    let expected = rows(&service, &format!("{DATA}/12m.country.*"));
    for judge in ["pysdmx json", "pysdmx xml", "sdmx1"] {
        let of = &found[judge];
        assert_eq!(of["rows"], expected.len(), "{judge}: {of}");
        let dimensions = serde_json::json!(["SPAN", "LEVEL", "KEY", "TIME_PERIOD"]);
        assert_eq!(of["dimensions"], dimensions, "{judge}");
        assert!(of["levels"].as_array().is_some_and(|all| all.len() == 8), "{judge}: {of}");
    }
    assert_eq!(found["sdmx1"]["chinese"], "目的地");
    let growth: Vec<f64> = expected.iter().map(|row| row[14].parse().expect("a number")).collect();
    assert_eq!(found["pysdmx json"]["growth"], serde_json::json!(growth));
}
