//! A disk that is full for as long as a test says so.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// A disk beside a home; it has room until it is filled.
pub struct Disk {
    flag: PathBuf,
}

impl Disk {
    /// A disk with room, told by a file in a folder.
    pub fn beside(folder: &Path) -> Self {
        Self { flag: folder.join("is-full") }
    }

    /// What a process needs in its environment to be on this disk.
    pub fn environment(&self) -> [(&'static str, OsString); 2] {
        [
            ("LD_PRELOAD", compiled("tests/watch/full.c").into()),
            ("FULL_WHILE", self.flag.clone().into()),
        ]
    }

    pub fn fill(&self) {
        fs::write(&self.flag, "").expect("a file that says so");
    }

    pub fn make_room(&self) {
        fs::remove_file(&self.flag).expect("it was full");
    }
}

/// A shim before the C library, compiled once.
pub fn compiled(source: &str) -> PathBuf {
    static COMPILED: Mutex<BTreeMap<String, PathBuf>> = Mutex::new(BTreeMap::new());
    let mut compiled = COMPILED.lock().expect("nobody panicked");
    let shim = compiled.entry(source.to_owned()).or_insert_with(|| {
        let name = source.replace(['/', '.'], "-");
        let name = format!("{name}-{}.so", std::process::id());
        let shim = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let mut command = Command::new("cc");
        command.args(["-shared", "-fPIC", "-O1", "-w", "-o"]).arg(&shim);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(source)).arg("-ldl");
        assert!(command.status().expect("a C compiler").success(), "{source} does not compile");
        shim
    });
    shim.clone()
}
