//! Applications that share one directory lose no line of it.

use std::{
    env,
    fs::{self, Permissions},
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use trust_models::directory::{Answer, DataKind, Question, TrustedServers};

use crate::{
    killed::sound_hosts,
    world::{HOST, Lab, ca, chain, plan},
};

/// Says to this executable where to work, and as whom.
const DIRECTORY: &str = "DIRECTORY_OF_THE_APPLICATION";
const NAME: &str = "NAME_OF_THE_APPLICATION";
const EACH: usize = 12;

#[test]
fn processes_that_accept_at_the_same_time_lose_no_line() {
    let folder = tempfile::tempdir().unwrap();
    let names = ["virsh", "virt-manager", "third"];
    let processes = names.map(|name| application(folder.path(), name));
    for process in processes {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let text = fs::read_to_string(folder.path().join("trusted.pem")).unwrap();
    assert_eq!(sound_hosts(&text).len(), names.len() * EACH);
}

/// Not a test: what each process does.
#[tokio::test]
async fn accepts_one_after_the_other() {
    let Some(folder) = env::var_os(DIRECTORY).map(PathBuf::from) else { return };
    let name = env::var(NAME).unwrap();
    let ca = ca(1);
    let lab = Lab::new(&ca);
    let mut data = lab.directory().load().unwrap();
    data.add_file(DataKind::TrustedServers, folder.join("trusted.pem")).unwrap();
    let client = lab.client_with(data).asking(|_: &Question<'_>| Answer::AcceptPermanently);
    let mut shown = plan(&ca, "host1");
    shown.leaf().also_named(["*.lab.example"]);
    let server = lab.server(&shown.issue().unwrap());
    for number in 0..EACH {
        let host = format!("{name}-{number}.lab.example");
        lab.meet(&client, &server, &host).await.0.unwrap();
    }
}

fn application(folder: &Path, name: &str) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "shared::accepts_one_after_the_other"])
        .env(DIRECTORY, folder)
        .env(NAME, name)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn what_one_has_accepted_the_other_knows_and_what_a_person_wrote_stays() {
    let ca = ca(1);
    let lab = Lab::new(&ca);
    let by_hand = format!("# Put here by hand.\n{}\n# The end", chain(&ca, "other").leaf_pem());
    lab.put(DataKind::TrustedServers, &by_hand);
    let (one, other) =
        (lab.client().asking(|_: &Question<'_>| Answer::AcceptPermanently), lab.client());
    let server = lab.server(&chain(&ca, "host1"));
    assert_eq!(lab.connect(&other, &server).await.unwrap().known.name(), "new");
    lab.connect(&one, &server).await.unwrap();
    assert_eq!(lab.connect(&other, &server).await.unwrap().known.name(), "trusted");
    let text = lab.trusted();
    assert!(text.starts_with(&format!("{by_hand}\nHost: {HOST}\n")), "{text}");
}

#[tokio::test]
async fn a_list_that_is_damaged_meanwhile_is_told_and_not_overwritten() {
    let ca = ca(1);
    let lab = Lab::new(&ca);
    let data = lab.directory().called("/etc/pki/lab").load().unwrap();
    let client = lab.client_with(data).asking(|_: &Question<'_>| Answer::AcceptPermanently);
    lab.put(DataKind::TrustedServers, "-----BEGIN CERTIFICATE-----\nAAAA\n");
    let server = lab.server(&chain(&ca, "host1"));
    let damaged = lab.connect(&client, &server).await.map(|_| ()).unwrap_err();
    assert_eq!(damaged.id(), "trusted-servers");
    assert!(damaged.to_string().contains("from /etc/pki/lab/server/trusted.pem:"), "{damaged}");

    // Nor one that somebody has put a folder beside, where the new list is to be written.
    lab.put(DataKind::TrustedServers, "");
    let list = lab.directory().path(DataKind::TrustedServers);
    fs::create_dir(list.with_extension("pem.new")).unwrap();
    // Which stays wherever somebody has tried to write.
    fs::write(list.with_extension("pem.lock"), "").unwrap();
    let unwritten = lab.connect(&client, &server).await.map(|_| ()).unwrap_err();
    assert_eq!(unwritten.id(), "trusted-servers");
    let words = unwritten.to_string();
    assert!(words.starts_with("cannot remove /etc/pki/lab/server/trusted.pem.new:"), "{words}");
}

/// Somebody who could not finish has left a file, and perhaps one that nobody can write to.
#[test]
fn what_a_dead_writer_has_left_is_in_nobodys_way() {
    let folder = tempfile::tempdir().unwrap();
    let [list, left, other] =
        ["trusted.pem", "trusted.pem.new", "other"].map(|name| folder.path().join(name));
    fs::write(&other, "of somebody else").unwrap();
    symlink(&other, &left).unwrap();
    let certificate = chain(&ca(1), "host1").certificates[0].clone();
    TrustedServers::in_file(&list).trust(HOST, &certificate).unwrap();
    assert!(fs::symlink_metadata(&list).unwrap().is_file());
    assert!(fs::read_to_string(&list).unwrap().contains(HOST));
    assert_eq!(fs::read_to_string(&other).unwrap(), "of somebody else");
    assert!(!left.exists());
}

/// Somebody keeps the list elsewhere, for himself alone.
#[test]
fn a_list_behind_a_link_keeps_its_place_and_its_permissions() {
    let folder = tempfile::tempdir().unwrap();
    let (kept, link) = (folder.path().join("kept.pem"), folder.path().join("trusted.pem"));
    fs::write(&kept, "").unwrap();
    fs::set_permissions(&kept, Permissions::from_mode(0o600)).unwrap();
    symlink(&kept, &link).unwrap();
    let certificate = chain(&ca(1), "host1").certificates[0].clone();
    TrustedServers::in_file(&link).trust(HOST, &certificate).unwrap();
    assert_eq!(fs::read_link(&link).unwrap(), kept);
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(fs::read_to_string(&kept).unwrap().contains(HOST));
}
