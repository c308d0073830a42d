//! A process that dies while it uploads leaves the old table or the new one, and an appliance that
//! dies while it is set up the old files or the new ones.

use std::{
    env, fs,
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use ground::{Secret, Seed, Timestamp};
use rand::RngExt as _;
use tempfile::TempDir;
use trust_models::ordered::{FileSet, Keystore, TrustStore};

use crate::world::{Material, link};

/// Says to this executable where to work.
const DIRECTORY: &str = "DIRECTORY_OF_THE_VICTIM";
const DATABASE: &str = "cloud.db";
/// What it says after each piece of work.
const DONE: &str = "done";
const DEATHS: usize = 200;

#[test]
fn an_upload_is_whole_or_nothing_when_its_process_dies() {
    let directory = directory();
    let roots = [1, 2].map(|seed| Material::new(seed).root);
    for (seed, root) in (1..).zip(&roots) {
        fs::write(directory.path().join(format!("{seed}.pem")), root).unwrap();
    }
    let mut seen = [0, 0];
    let mut rng = Seed::new(1).stream("deaths");
    for _ in 0..DEATHS {
        dies(directory.path(), "killed::uploads_until_it_dies", &mut rng);
        let rows = Keystore::open(&directory.path().join(DATABASE)).unwrap().rows().unwrap();
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((row.id, row.name.as_str(), row.seq), (1, "root", Some(1)));
        let whose = roots.iter().position(|root| *root == row.certificate);
        seen[whose.unwrap_or_else(|| panic!("a mixture: {}", row.certificate))] += 1;
    }
    assert!(seen.iter().all(|&times| times > 0), "{seen:?}");
}

#[test]
fn a_set_up_is_whole_or_nothing_when_its_process_dies() {
    let directory = directory();
    let sets = [1, 2].map(file_set);
    let mut seen = [0, 0];
    let mut rng = Seed::new(2).stream("deaths");
    for _ in 0..DEATHS {
        dies(directory.path(), "killed::sets_up_until_it_dies", &mut rng);
        let found = FileSet::read(directory.path()).unwrap().unwrap();
        let whose = sets.iter().position(|set| *set == found);
        seen[whose.unwrap_or_else(|| panic!("a mixture: {found:?}"))] += 1;
    }
    assert!(seen.iter().all(|&times| times > 0), "{seen:?}");
    // What the dead have left is cleared away by whoever comes next.
    sets[0].install(directory.path()).unwrap();
    let left = fs::read_dir(directory.path().join("etc/ssl/cloud")).unwrap().count();
    assert_eq!(left, 2, "a set and the link to it");
}

/// Not a test: what the process does that dies.
#[test]
fn uploads_until_it_dies() {
    let Some(directory) = env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    let mut keystore = Keystore::open(&directory.join(DATABASE)).unwrap();
    let roots = ["1.pem", "2.pem"].map(|name| fs::read_to_string(directory.join(name)).unwrap());
    for root in roots.iter().cycle() {
        keystore.upload(&link(1, "root", root)).unwrap();
        writeln!(io::stdout().lock(), "\n{DONE}").unwrap();
    }
}

/// Nor is this.
#[test]
fn sets_up_until_it_dies() {
    let Some(directory) = env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    for set in [1, 2].map(file_set).iter().cycle() {
        set.install(&directory).unwrap();
        writeln!(io::stdout().lock(), "\n{DONE}").unwrap();
    }
}

/// The files of an appliance, which differ in all from those of another number.
fn file_set(number: i64) -> FileSet {
    let text = |what: &str| format!("{what} {number}\n").repeat(50);
    let mut store = TrustStore::default();
    let root = text("root").into_bytes();
    store.import("root", root.into(), Timestamp::from_unix(number));
    FileSet {
        leaf: text("leaf"),
        key: Secret::new(text("key")),
        chain: Some(text("chain")),
        serves_chain: number == 1,
        store,
    }
}

/// In memory, if there is such a place: that a disk loses nothing is not what is tried here.
fn directory() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// Has a process work that dies wherever it is.
fn dies(directory: &Path, test: &str, rng: &mut impl rand::Rng) {
    let mut victim = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", test])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(victim.stdout.take().unwrap()).lines();
    let mut done = said.map(Result::unwrap).filter(|line| line == DONE);
    assert!(done.by_ref().take(rng.random_range(1..6)).count() > 0);
    // From here on it is at work.
    for _ in 0..rng.random_range(0..20_000) {
        std::hint::spin_loop();
    }
    victim.kill().unwrap();
    victim.wait().unwrap();
}
