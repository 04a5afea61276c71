use std::fs;

use super::*;
use crate::home::options::Config;

#[test]
fn a_home_is_not_begun_before_the_tables_beside_the_feed_look_the_same_twice() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cities = folder.path().join("cities.csv");
    let plan = Plan {
        home: folder.path().join("home"),
        feeds: vec![folder.path().to_owned()],
        profile: None,
        config: Config::default(),
        n_workers: 1,
        interval: Duration::from_secs(1),
        once: false,
        markers_only: false,
    };
    let mut watcher = Watcher::new(plan).expect("a watcher");
    assert!(!watcher.is_whole_beside(), "nothing was seen before");
    fs::write(&cities, "city,province,area_km2\n").expect("its first line");
    assert!(!watcher.is_whole_beside(), "it came");
    fs::write(&cities, "city,province,area_km2\n1101,11,100\n").expect("more of it");
    assert!(!watcher.is_whole_beside(), "it grew");
    assert!(watcher.is_whole_beside());
}
