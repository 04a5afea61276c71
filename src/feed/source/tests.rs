use super::*;

fn folder(names: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder for the test");
    for name in names {
        std::fs::write(dir.path().join(name), "").expect("a file in it");
    }
    dir
}

fn canonical() -> Profile {
    Profile::bundled("canonical").expect("a shipped profile")
}

fn names(discovered: &Discovered) -> Vec<&str> {
    discovered.files.iter().map(|file| file.name.as_str()).collect()
}

#[test]
fn files_come_in_order_of_their_months_each_once_and_others_are_passed_over() {
    let names_there = ["200102.csv", "200012.csv.gz", "cities.csv", "200102-b.csv", "a.txt"];
    let dir = folder(&names_there);
    let again = dir.path().join("200102.csv");
    let paths = [dir.path().to_owned(), again, dir.path().to_owned()];
    let discovered = discover(&paths, &canonical()).expect("a feed");
    assert_eq!(names(&discovered), ["200012.csv.gz", "200102.csv", "200102-b.csv"]);
    let named: Vec<_> = discovered.files.iter().map(|file| file.is_named).collect();
    assert_eq!(named, [false, true, false]);
    assert!(discovered.refused.is_empty());
}

#[test]
fn a_later_version_of_a_month_comes_after_it_however_it_is_called() {
    let names_there = ["200102-b.csv", "200102.b.csv", "200102.csv.gz", "200102_c.csv"];
    let dir = folder(&names_there);
    let discovered = discover(&[dir.path().to_owned()], &canonical()).expect("a feed");
    assert_eq!(
        names(&discovered),
        ["200102.csv.gz", "200102-b.csv", "200102.b.csv", "200102_c.csv"]
    );
}

#[test]
fn the_members_of_an_archive_are_files_of_their_months() {
    let dir = folder(&["CIMT_200802.zip", "CIMT_200803.zip"]);
    let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    let names = ["b/ODPFN016_200802N.csv", "ODPFN016_200801N.csv", "ODPFN018_200802N.csv"];
    for name in names {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(name, options).expect("memory does not fail");
    }
    let bytes = writer.finish().expect("memory does not fail").into_inner();
    std::fs::write(dir.path().join("CIMT_200802.zip"), bytes).expect("a file");
    let mut profile = canonical();
    let text = |text: &str| text.to_owned();
    profile.file.pattern = text("CIMT_{YYYY}{MM}.zip").try_into().expect("a pattern");
    let member = text("ODPFN016_{YYYY}{MM}N.csv").try_into().expect("a pattern");
    profile.file.member = Some(member);
    let discovered = discover(&[dir.path().to_owned()], &profile).expect("a feed");
    assert_eq!(
        names_of(&discovered),
        [
            "200801 CIMT_200802.zip/ODPFN016_200801N.csv",
            "200802 CIMT_200802.zip/b/ODPFN016_200802N.csv",
            "200803 CIMT_200803.zip",
        ]
    );
    let first = &discovered.files[0];
    assert_eq!(first.on_disk(), dir.path().join("CIMT_200802.zip"));
    assert_eq!(first.path, dir.path().join("CIMT_200802.zip/ODPFN016_200801N.csv"));
}

fn names_of(discovered: &Discovered) -> Vec<String> {
    let files = discovered.files.iter();
    files.map(|file| format!("{} {}", file.period, file.name)).collect()
}

#[test]
fn a_named_file_without_a_month_is_refused_and_the_others_are_not() {
    let dir = folder(&["201113.csv", "201112.csv", "data.csv"]);
    let paths = [dir.path().to_owned(), dir.path().join("data.csv")];
    let discovered = discover(&paths, &canonical()).expect("a feed");
    assert_eq!(names(&discovered), ["201112.csv"]);
    let refused: Vec<_> = discovered.refused.iter().map(ToString::to_string).collect();
    assert!(refused[0].contains("201113.csv") && refused[1].contains("data.csv"), "{refused:?}");
    assert!(refused[1].contains("{YYYY}{MM}*.csv"), "{refused:?}");
}

#[test]
fn a_folder_without_a_feed_says_what_was_looked_for() {
    let dir = folder(&["cities.csv"]);
    let error = discover(&[dir.path().to_owned()], &canonical()).expect_err("no feed");
    assert!(error.to_string().contains("no file called like \"{YYYY}{MM}*.csv\""), "{error}");
    let error = discover(&[dir.path().join("nowhere")], &canonical()).expect_err("no path");
    assert!(matches!(error, FeedError::Path { .. }), "{error}");
}

#[test]
fn a_feed_may_bring_its_profile() {
    let dir = folder(&[]);
    assert_eq!(feed_profile(dir.path()).expect("none is no error"), None);
    let text = toml::to_string(&canonical()).expect("a profile can be written");
    std::fs::write(dir.path().join("feed.toml"), text).expect("a file");
    assert_eq!(feed_profile(dir.path()).expect("a profile"), Some(canonical()));
}
