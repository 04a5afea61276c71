//! The disk takes no more: the process stops with a message, nothing of the step counts, and the
//! same command comes to the same home once there is room.

#[cfg(unix)]
mod limited {
    use std::process::Command;

    use crate::common::nasty_feed::{CITIES, NastyFeed};
    use crate::common::{Run, Sandbox, run};
    use crate::n_points;

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

    /// Takes the feed in where no file may grow past so many blocks: a write past it fails.
    fn limited(sandbox: &Sandbox, n_blocks: usize) -> Run {
        let script = format!("trap '' XFSZ; ulimit -f {n_blocks}; exec \"$0\" \"$@\"");
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
}
