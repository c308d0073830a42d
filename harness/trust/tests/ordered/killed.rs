//! A process that dies while it uploads leaves the old table or the new one.

use std::{
    env,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
};

use ground::Seed;
use rand::RngExt as _;
use trust_models::ordered::Keystore;

use crate::world::Material;

/// Says to this executable which file to work on.
const FILE: &str = "KEYSTORE_OF_THE_VICTIM";
/// What it says after each upload.
const UPLOADED: &str = "uploaded";
const DEATHS: usize = 200;

#[test]
fn an_upload_is_whole_or_nothing_when_its_process_dies() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("cloud.db");
    let (old, new) = (Material::new(1), Material::new(2));
    let mut rng = Seed::new(1).stream("deaths");
    let mut seen = [0, 0];
    for _ in 0..DEATHS {
        let mut victim = victim(&file);
        let said = BufReader::new(victim.stdout.take().unwrap()).lines();
        let uploads = said.map(Result::unwrap).filter(|line| line == UPLOADED);
        assert!(uploads.take(rng.random_range(1..6)).count() > 0);
        // From here on it is at work, and dies wherever it is.
        for _ in 0..rng.random_range(0..20_000) {
            std::hint::spin_loop();
        }
        victim.kill().unwrap();
        victim.wait().unwrap();

        let rows = Keystore::open(&file).unwrap().rows().unwrap();
        let [row] = rows.as_slice() else { panic!("{rows:?}") };
        assert_eq!((row.id, row.name.as_str(), row.seq), (1, "root", Some(1)));
        let whose = [&old.root, &new.root].iter().position(|root| **root == row.certificate);
        seen[whose.unwrap_or_else(|| panic!("a mixture: {}", row.certificate))] += 1;
    }
    assert!(seen.iter().all(|&times| times > 0), "{seen:?}");
}

/// Not a test: what the process does that dies.
#[test]
fn uploads_until_it_dies() {
    let Some(file) = env::var_os(FILE) else { return };
    let mut keystore = Keystore::open(Path::new(&file)).unwrap();
    let (old, new) = (Material::new(1), Material::new(2));
    for material in [&old, &new].into_iter().cycle() {
        keystore.upload(&material.root()).unwrap();
        writeln!(std::io::stdout().lock(), "\n{UPLOADED}").unwrap();
    }
}

fn victim(file: &Path) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "killed::uploads_until_it_dies"])
        .env(FILE, file)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}
