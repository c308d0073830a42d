//! A process that dies while it uploads leaves the old table or the new one.

use std::{
    env, fs,
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use ground::Seed;
use rand::RngExt as _;
use trust_models::ordered::Keystore;

use crate::world::{Material, link};

/// Says to this executable where to work.
const DIRECTORY: &str = "DIRECTORY_OF_THE_VICTIM";
const DATABASE: &str = "cloud.db";
/// What it says after each upload.
const UPLOADED: &str = "uploaded";
const DEATHS: usize = 200;

#[test]
fn an_upload_is_whole_or_nothing_when_its_process_dies() {
    // In memory, if there is such a place: that a disk loses nothing is not what is tried here.
    let directory = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let roots = [1, 2].map(|seed| Material::new(seed).root);
    for (seed, root) in (1..).zip(&roots) {
        fs::write(directory.path().join(format!("{seed}.pem")), root).unwrap();
    }
    let mut rng = Seed::new(1).stream("deaths");
    let mut seen = [0, 0];
    for _ in 0..DEATHS {
        let mut victim = victim(directory.path());
        let said = BufReader::new(victim.stdout.take().unwrap()).lines();
        let mut uploads = said.map(Result::unwrap).filter(|line| line == UPLOADED);
        assert!(uploads.by_ref().take(rng.random_range(1..6)).count() > 0);
        // From here on it is at work, and dies wherever it is.
        for _ in 0..rng.random_range(0..20_000) {
            std::hint::spin_loop();
        }
        victim.kill().unwrap();
        victim.wait().unwrap();

        let rows = Keystore::open(&directory.path().join(DATABASE)).unwrap().rows().unwrap();
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((row.id, row.name.as_str(), row.seq), (1, "root", Some(1)));
        let whose = roots.iter().position(|root| *root == row.certificate);
        seen[whose.unwrap_or_else(|| panic!("a mixture: {}", row.certificate))] += 1;
    }
    assert!(seen.iter().all(|&times| times > 0), "{seen:?}");
}

/// Not a test: what the process does that dies.
#[test]
fn uploads_until_it_dies() {
    let Some(directory) = env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    let mut keystore = Keystore::open(&directory.join(DATABASE)).unwrap();
    let roots = ["1.pem", "2.pem"].map(|name| fs::read_to_string(directory.join(name)).unwrap());
    for root in roots.iter().cycle() {
        keystore.upload(&link(1, "root", root)).unwrap();
        writeln!(io::stdout().lock(), "\n{UPLOADED}").unwrap();
    }
}

fn victim(directory: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "killed::uploads_until_it_dies"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}
