//! The disk accepts no more bytes: the process stops with a message, and no part of the step
//! counts. With free space, the same command gives the same home.

#[cfg(unix)]
mod limited {
    use std::process::Command;

    use crate::common::n_points;
    use crate::common::nasty_feed::{CITIES, NastyFeed};
    use crate::common::{Run, Sandbox, run};

    const TABLES: [&str; 4] = ["city", "plant", "files", "rejects"];

    fn sandbox() -> Sandbox {
        let sandbox = Sandbox::new();
        sandbox.write("cities.csv", CITIES);
        let months = NastyFeed::new(23, 14);
        let mut files = months.files();
        for (name, text) in files.by_ref().take(12) {
            sandbox.write(&name, text);
        }
        let feed = sandbox.feed();
        sandbox.ingest(&[&feed], 1);
        for (name, text) in files {
            sandbox.write(&name, text);
        }
        sandbox
    }

    /// Ingests the feed with a limit on file sizes, in blocks; a write past it fails.
    fn limited(sandbox: &Sandbox, n_blocks: usize) -> Run {
        let script = format!("ulimit -f {n_blocks}; exec \"$0\" \"$@\"");
        run(Command::new("sh")
            .args(["-c", &script, env!("CARGO_BIN_EXE_spillover"), "--data"])
            .arg(sandbox.home())
            .args(["ingest", "--workers", "1"])
            .arg(sandbox.feed()))
    }

    #[test]
    fn a_write_that_fails_stops_the_process_and_loses_nothing() {
        let whole = sandbox();
        whole.ingest(&[&whole.feed()], 1);
        let expected = TABLES.map(|table| whole.export(table));
        let mut n_failed = 0;
        for n_blocks in (0..n_points(24, 260)).map(|at| at * 3) {
            let sandbox = sandbox();
            let before = sandbox.export("files");
            let run = limited(&sandbox, n_blocks);
            if run.code == Some(0) {
                assert!(TABLES.map(|table| sandbox.export(table)) == expected, "{n_blocks} blocks");
                continue;
            }
            n_failed += 1;
            assert_eq!(run.code, Some(1), "{n_blocks} blocks: {}", run.stderr);
            assert!(run.stderr.contains("spillover: "), "{n_blocks} blocks: {}", run.stderr);
            assert!(!run.stdout.contains("accepted"), "{n_blocks} blocks: {}", run.stdout);
            let after = sandbox.export("files");
            assert!(after == before || after == expected[2], "{n_blocks} blocks: half a step");
            let feed = sandbox.feed();
            sandbox.ingest(&[&feed], 1);
            assert!(TABLES.map(|table| sandbox.export(table)) == expected, "{n_blocks} blocks");
        }
        assert!(n_failed > 2, "no limit was low enough to fail");
    }

    /// The program does not panic if the standard output is on a full disk or has no reader.
    #[cfg(target_os = "linux")]
    #[test]
    fn an_output_that_is_full_or_closed_is_an_error_and_no_panic() {
        let sandbox = sandbox();
        let feed = sandbox.feed();
        let through = |shell: &str, arguments: &[&str]| {
            let script = format!("\"$0\" \"$@\" {shell}");
            run(Command::new("bash")
                .args(["-c", &script, env!("CARGO_BIN_EXE_spillover"), "--data"])
                .arg(sandbox.home())
                .args(arguments)
                .arg(if arguments == ["ingest"] { feed.as_os_str() } else { "--".as_ref() }))
        };
        for command in [&["status"][..], &["verify"], &["ingest"], &["export", "city"]] {
            let full = through("> /dev/full", command);
            assert_eq!(full.code, Some(1), "{command:?}: {}", full.stderr);
            assert!(full.stderr.contains("cannot write"), "{command:?}: {}", full.stderr);
            let closed = through("| true; exit ${PIPESTATUS[0]}", command);
            assert_eq!(closed.code, Some(0), "{command:?}: {}", closed.stderr);
            let unheard = through("2> /dev/full", command);
            assert_eq!(unheard.code, Some(0), "{command:?}");
        }
        // The code reports damage, even if no one reads the output.
        std::fs::remove_dir_all(sandbox.home().join("published/city")).expect("removed");
        let closed = through("| true; exit ${PIPESTATUS[0]}", &["verify"]);
        assert_eq!(closed.code, Some(1), "{}", closed.stderr);
    }

    #[test]
    fn an_output_file_is_replaced_where_it_is_and_stays_whose_it_was() {
        use std::fs::{Permissions, read_to_string, set_permissions, write};
        use std::os::unix::fs::{PermissionsExt, symlink};
        let sandbox = sandbox();
        let [file, link, other] =
            ["city.csv", "link.csv", "link.csv.partial"].map(|name| sandbox.folder().join(name));
        write(&file, "old").expect("a file");
        write(&other, "somebody's").expect("another one");
        set_permissions(&file, Permissions::from_mode(0o600)).expect("permissions");
        symlink(&file, &link).expect("a link");
        let into = |table| ["export", table, "-o", link.to_str().expect("UTF-8")];
        let refused = sandbox.run(into("panel"));
        assert_eq!(refused.code, Some(1), "{}", refused.stderr);
        assert_eq!(read_to_string(&file).expect("the file"), "old");
        let written = sandbox.run(into("city"));
        assert_eq!(written.code, Some(0), "{}", written.stderr);
        assert!(link.is_symlink());
        assert_eq!(read_to_string(&file).expect("the file"), sandbox.export("city"));
        assert_eq!(file.metadata().expect("the file").permissions().mode() & 0o777, 0o600);
        assert_eq!(read_to_string(&other).expect("the other file"), "somebody's");
        let left = std::fs::read_dir(sandbox.folder()).expect("the folder");
        assert_eq!(left.count(), 2 + 3, "home, feed and the three files");
    }
}
