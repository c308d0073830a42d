//! A crash at any byte leaves the old state or the new (issue 6, item 1).
//!
//! The test runs itself once more as a child that changes a pool and dies: of SIGXFSZ when a file
//! reaches the limit that the parent has set, or of SIGKILL while it is at it.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use ground::{Actor, Ledger, Secret, Seed, Skew, Timestamp, VirtualClock};
use rand::{RngExt as _, seq::SliceRandom as _};
use rustix::process::{Resource, Rlimit, setrlimit};
use sim_host::{
    Call, HostConfig, MessageClass, Pool, PoolConfig, Profile, Quirks, Records, SharedNetwork,
};

use crate::support::authority;

const DIRECTORY: &str = "TRUSTRIG_CRASH_DIRECTORY";
const LIMIT: &str = "TRUSTRIG_CRASH_LIMIT";
const DEED: &str = "TRUSTRIG_CRASH_DEED";
/// Where the child begins to write.
const READY: &str = "ready";

/// The pool in `directory`, with hosts as before or new ones.
fn pool(directory: &Path) -> (Pool, ground::Trail) {
    let time = VirtualClock::starting_at(Timestamp::from_unix(1_767_508_709));
    let trail = Ledger::new(time.clock()).trail(Actor::Runner);
    let host = |name: &str| HostConfig {
        name: name.to_owned(),
        hostname: None,
        address: [192, 0, 2, 1].into(),
        root: directory.join(name),
        network: SharedNetwork::default(),
        clock: time.clock(),
        skew: Skew::default(),
        xapi_conf: None,
        programs: None,
    };
    let config = PoolConfig {
        name: "pool".to_owned(),
        profile: Profile::Landed,
        quirks: Quirks::of(Profile::Landed),
        seed: Seed::new(1),
        root_password: Secret::new("xenroot"),
        hosts: vec![host("host1"), host("host2")],
        trail: trail.clone(),
    };
    (Pool::create(config).unwrap(), trail)
}

async fn install(pool: &Pool, trail: &ground::Trail) {
    let install = Call::PoolInstallTrustedCertificate {
        pool: None,
        ca: true,
        certificate: authority("crash.example"),
        purpose: vec!["ldaps".to_owned()],
    };
    pool.call(install, trail).await.unwrap();
}

async fn note(pool: &Pool, number: u32, trail: &ground::Trail) {
    let obj_uuid = pool.database_view().pool.uuid.to_string();
    let create = Call::MessageCreate {
        name: number.to_string(),
        priority: 5,
        class: MessageClass::Pool,
        obj_uuid,
        body: "x".repeat(usize::try_from(number % 97).unwrap()),
    };
    pool.call(create, trail).await.unwrap();
}

/// What the child does, and dies of. Run by the tests below only.
#[tokio::test]
#[ignore = "a part of the tests beside it"]
async fn child() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let (pool, trail) = pool(Path::new(&directory));
    let limit = std::env::var(LIMIT).ok().map(|limit| limit.parse().unwrap());
    if let Some(limit) = limit {
        let limit = Rlimit { current: Some(limit), maximum: Some(limit) };
        setrlimit(Resource::Fsize, limit).unwrap();
        // No file of what a dying process held.
        setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).unwrap();
    }
    say(READY);
    match std::env::var(DEED).unwrap().as_str() {
        "install" => install(&pool, &trail).await,
        "note" => note(&pool, 1, &trail).await,
        _ => {
            for number in 1.. {
                note(&pool, number, &trail).await;
                say(&number.to_string());
            }
        }
    }
}

/// A line for the parent, past the test harness.
fn say(line: &str) {
    let mut output = std::io::stdout().lock();
    output.write_all(format!("\n{line}\n").as_bytes()).unwrap();
    output.flush().unwrap();
}

fn run(directory: &Path, deed: &str, limit: Option<u64>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["crash::child", "--exact", "--ignored", "--nocapture"]);
    command.env(DIRECTORY, directory).env(DEED, deed);
    if let Some(limit) = limit {
        command.env(LIMIT, limit.to_string());
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn().unwrap()
}

/// A copy of a directory that has no links.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => copy(&entry.path(), &target),
            kind if kind.is_symlink() => {
                let to = fs::read_link(entry.path()).unwrap();
                std::os::unix::fs::symlink(to, target).unwrap();
            }
            _ => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => files(&entry.path(), found),
            _ => found.push(entry.path()),
        }
    }
}

/// Sizes at which to die: around every end of a file that is written, and `count` of the others.
fn sizes(max: u64, edges: &[u64], count: usize) -> Vec<u64> {
    let near = edges.iter().flat_map(|edge| edge.saturating_sub(2)..=edge + 1);
    let mut others: Vec<_> = (0..max).collect();
    others.shuffle(&mut Seed::new(7).stream("sizes"));
    let mut sizes: Vec<_> = near.chain([0, 1, 2]).chain(others.into_iter().take(count)).collect();
    sizes.sort_unstable();
    sizes.dedup();
    sizes
}

struct World {
    directory: tempfile::TempDir,
    old: Records,
}

impl World {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let old = pool(&directory.path().join("old")).0.database_view();
        Self { directory, old }
    }

    /// Lets a child die in a fresh copy at every size, and gives what is left to `judge`; how many
    /// died, and how many lived.
    fn die_everywhere(
        &self,
        deed: &str,
        sizes: &[u64],
        judge: impl Fn(&Path, &Records, u64),
    ) -> (u32, u32) {
        let (mut died, mut lived) = (0, 0);
        let scratch = self.directory.path().join("scratch");
        for &size in sizes {
            copy(&self.directory.path().join("old"), &scratch);
            let output = run(&scratch, deed, Some(size)).wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(said.contains(READY), "it did not come as far as that: {said}");
            *if output.status.success() { &mut lived } else { &mut died } += 1;
            let (after, _) = pool(&scratch);
            judge(&scratch, &after.database_view(), size);
            let mut left = Vec::new();
            files(&scratch, &mut left);
            let unfinished = left.iter().find(|path| path.to_string_lossy().ends_with('~'));
            assert_eq!(unfinished, None, "left behind at {size}");
            fs::remove_dir_all(&scratch).unwrap();
        }
        (died, lived)
    }
}

#[test]
fn the_database_is_the_old_or_the_new() {
    let world = World::new();
    let state = |directory: &Path| directory.join("host1/var/lib/xcp/state.json");
    let whole = world.directory.path().join("new");
    copy(&world.directory.path().join("old"), &whole);
    assert!(run(&whole, "note", None).wait_with_output().unwrap().status.success());
    let new = pool(&whole).0.database_view();
    assert_eq!((world.old.messages.len(), new.messages.len()), (0, 1));
    let max = fs::metadata(state(&whole)).unwrap().len();
    let (died, lived) =
        world.die_everywhere("note", &sizes(max + 2, &[max], 100), |_, after, size| {
            let expected = if size < max { &world.old } else { &new };
            assert_eq!(after, expected, "killed at byte {size} of {max}");
        });
    assert!(died > 80 && lived >= 2, "{died} died, {lived} lived");
}

#[test]
fn certificates_and_bundles_are_whole_or_absent() {
    let world = World::new();
    let pem = authority("crash.example").into_bytes();
    let whole = world.directory.path().join("new");
    copy(&world.directory.path().join("old"), &whole);
    assert!(run(&whole, "install", None).wait_with_output().unwrap().status.success());
    let mut written = Vec::new();
    files(&whole, &mut written);
    let mut ends: Vec<_> = written.iter().map(|path| fs::metadata(path).unwrap().len()).collect();
    ends.sort_unstable();
    ends.dedup();
    let max = ends.last().copied().unwrap();
    let known = |path: &Path, scratch: &Path| {
        // Names of certificates are drawn from the seed: they are the same in every run.
        fs::read(whole.join(path.strip_prefix(scratch).unwrap())).ok()
    };
    let (died, _) =
        world.die_everywhere("install", &sizes(max + 2, &ends, 40), |scratch, after, size| {
            assert!(after.certificates.len() - world.old.certificates.len() <= 1);
            let mut left = Vec::new();
            files(scratch, &mut left);
            let stores = left.iter().filter(|path| {
                path.to_string_lossy().contains("trusted-certs") && !path.is_symlink()
            });
            for path in stores {
                let content = fs::read(path).unwrap();
                let is_old = fs::read(
                    world.directory.path().join("old").join(path.strip_prefix(scratch).unwrap()),
                )
                .is_ok_and(|old| old == content);
                let is_new = known(path, scratch).is_some_and(|new| new == content);
                // A bundle of this one certificate, before a member's copy has lost its line feed.
                let is_certificate = content == pem;
                assert!(is_old || is_new || is_certificate, "{} at {size}", path.display());
            }
        });
    assert!(died > 40, "{died} died");
}

/// Kills that fall anywhere, the rename among it: what was said to be done is done, and what is
/// there is all that was done up to some moment.
#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_acknowledged() {
    let world = World::new();
    let mut dice = Seed::new(7).stream("kills");
    for round in 0..25 {
        let scratch = world.directory.path().join(format!("killed-{round}"));
        copy(&world.directory.path().join("old"), &scratch);
        let mut child = run(&scratch, "for ever", None);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let patience = dice.random_range(1..20);
        let mut said = 0;
        while said < patience {
            said = lines.next().unwrap().unwrap().parse().unwrap_or(said);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // Lines that it had still said.
        let said =
            lines.map_while(Result::ok).filter_map(|line| line.parse().ok()).fold(said, u32::max);
        let after = pool(&scratch).0.database_view();
        let names: Vec<u32> = after.messages.iter().map(|row| row.name.parse().unwrap()).collect();
        let last = names.last().copied().unwrap();
        assert_eq!(names, (1..=last).collect::<Vec<_>>());
        assert!(last == said || last == said + 1, "said {said}, found {last}");
        fs::remove_dir_all(&scratch).unwrap();
    }
}
