//! A process that dies while it accepts permanently leaves the old list or the new one.

use std::{
    collections::BTreeSet,
    env, fs,
    io::{self, BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use ground::Seed;
use rand::RngExt as _;
use trust_models::directory::TrustedServers;

use crate::world::{ca, chain};

/// Says to this executable where to work, and as whom.
const DIRECTORY: &str = "DIRECTORY_OF_THE_VICTIM";
const NAME: &str = "NAME_OF_THE_VICTIM";
/// What the servers show that it accepts.
const CERTIFICATE: &str = "shown.der";
/// What it says after each acceptance.
const ACCEPTED: &str = "accepted ";
const DEATHS: usize = 200;

#[test]
fn a_permanent_acceptance_is_whole_or_nothing_when_its_process_dies() {
    // In memory, if there is such a place: that a disk loses nothing is not what is tried here.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    fs::write(folder.path().join(CERTIFICATE), &chain(&ca(1), "host1").certificates[0]).unwrap();
    let list = folder.path().join("trusted.pem");
    let mut rng = Seed::new(1).stream("deaths");
    let mut before = 0;
    let mut promised = BTreeSet::new();
    for death in 0..DEATHS {
        let mut victim = victim(folder.path(), &format!("v{death}"));
        let mut said = BufReader::new(victim.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut acceptances = said.by_ref().filter(|line| line.starts_with(ACCEPTED));
        promised.extend(acceptances.by_ref().take(rng.random_range(1..4)));
        // From here on it is at work, and dies wherever it is.
        for _ in 0..rng.random_range(0..20_000) {
            std::hint::spin_loop();
        }
        victim.kill().unwrap();
        promised.extend(acceptances);
        victim.wait().unwrap();

        let text = fs::read_to_string(&list).unwrap();
        let hosts = sound_hosts(&text);
        let lost: Vec<_> =
            promised.iter().filter(|line| !hosts.contains(&line[ACCEPTED.len()..])).collect();
        assert!(lost.is_empty(), "{lost:?} are gone after death {death}");
        assert!(hosts.len() >= before, "a line is lost");
        before = hosts.len();
        if before > 40 {
            // The list need not grow for ever.
            fs::remove_file(&list).unwrap();
            before = 0;
            promised.clear();
        }
    }
}

/// Hosts of a list in which each certificate can be read.
pub(crate) fn sound_hosts(text: &str) -> BTreeSet<&str> {
    let blocks = pem::parse_many(text).unwrap();
    let hosts: BTreeSet<_> = text.lines().filter_map(|line| line.strip_prefix("Host: ")).collect();
    assert_eq!(blocks.len(), hosts.len(), "{text}");
    assert!(text.is_empty() || text.ends_with("-----END CERTIFICATE-----\n"), "{text}");
    hosts
}

/// Not a test: what the process does that dies.
#[test]
fn accepts_until_it_dies() {
    let Some(folder) = env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    let name = env::var(NAME).unwrap();
    let certificate = fs::read(folder.join(CERTIFICATE)).unwrap().into();
    let mut trusted = TrustedServers::in_file(folder.join("trusted.pem"));
    for number in 0.. {
        let host = format!("{name}-{number}.lab.example");
        trusted.trust(&host, &certificate).unwrap();
        writeln!(io::stdout().lock(), "\n{ACCEPTED}{host}").unwrap();
    }
}

fn victim(folder: &Path, name: &str) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "killed::accepts_until_it_dies"])
        .env(DIRECTORY, folder)
        .env(NAME, name)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}
