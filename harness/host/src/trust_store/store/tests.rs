//! What becomes of directories when something goes wrong in the middle.

use ground::{Actor, Ledger, Timestamp, VirtualClock};

use super::*;

const LEGACY: StoreDirectory = StoreDirectory::LegacyCa;
const BUNDLE: &str = "/etc/stunnel/xapi-stunnel-ca-bundle.pem";

fn store() -> (tempfile::TempDir, HostRoot, TrustStore, Trail) {
    let directory = tempfile::tempdir().unwrap();
    let root = HostRoot::open(directory.path()).unwrap();
    let store = TrustStore::new(root.clone());
    store.create_directories().unwrap();
    let time = VirtualClock::starting_at(Timestamp::from_unix(0));
    (directory, root, store, Ledger::new(time.clock()).trail(Actor::Runner))
}

fn files(names: &[&str]) -> Files {
    names.iter().map(|name| ((*name).to_owned(), name.as_bytes().to_vec())).collect()
}

#[test]
fn a_write_that_fails_brings_the_former_directory_back() {
    let (_directory, root, store, trail) = store();
    store.replace(LEGACY, &files(&["a.pem", "b.pem"]), &trail).unwrap();
    store.renew_bundle(LEGACY, &trail).unwrap();
    let before = (store.files(LEGACY).unwrap(), root.read(BUNDLE).unwrap());
    // The second file cannot be written: its name is none.
    let failed = store.replace(LEGACY, &files(&["a.pem", "b\0.pem", "c.pem"]), &trail);
    assert!(failed.is_err());
    assert_eq!((store.files(LEGACY).unwrap(), root.read(BUNDLE).unwrap()), before);
    assert!(!root.exists("/etc/stunnel/certs.bk").unwrap());
    assert_eq!(root.mode("/etc/stunnel/certs").unwrap(), 0o700);
    assert_eq!(trail.ledger().events().len(), 3, "two files and a bundle, and no more");
}

#[test]
fn the_backup_of_a_copy_that_never_ended_comes_back() {
    let (_directory, root, store, trail) = store();
    store.replace(LEGACY, &files(&["a.pem", "b.pem"]), &trail).unwrap();
    // The host died here: half of the new files, all of the old.
    root.rename("/etc/stunnel/certs", "/etc/stunnel/certs.bk").unwrap();
    root.write("/etc/stunnel/certs/c.pem", b"c", 0o644).unwrap();
    store.recover().unwrap();
    assert_eq!(store.names(LEGACY).unwrap(), ["a.pem", "b.pem"]);
    assert_eq!(root.read(BUNDLE).unwrap(), b"a.pem\nb.pem\n");
    assert!(!root.exists("/etc/stunnel/certs.bk").unwrap());
    // And here: before the first of the new ones.
    root.rename("/etc/stunnel/certs", "/etc/stunnel/certs.bk").unwrap();
    store.recover().unwrap();
    assert_eq!(store.names(LEGACY).unwrap(), ["a.pem", "b.pem"]);
}

#[test]
fn only_certificates_travel() {
    let (_directory, root, store, trail) = store();
    for name in ["a.pem", "b.new.pem", "notes.txt", "0a1b2c3d.0"] {
        root.write(&LEGACY.file(name), name.as_bytes(), 0o644).unwrap();
    }
    root.create_directory(&LEGACY.file("d.pem"), 0o700).unwrap();
    root.link("/etc/stunnel/certs", "e.pem", "a.pem").unwrap();
    assert_eq!(store.files(LEGACY).unwrap(), files(&["a.pem"]));
    assert_eq!(store.names(LEGACY).unwrap(), ["0a1b2c3d.0", "a.pem", "b.new.pem", "notes.txt"]);
    store.renew_bundle(LEGACY, &trail).unwrap();
    let bundle = root.read_text_if_present(BUNDLE).unwrap().unwrap();
    assert!(bundle.starts_with("b.new.pem\na.pem\n"), "{bundle}");
    assert_eq!(root.mode(BUNDLE).unwrap(), 0o644);
}

#[test]
fn bundles_are_made_one_at_a_time() {
    let (_directory, root, store, trail) = store();
    let now = Timestamp::from_unix(1_787_277_600);
    let pki = fake_dc_pki::Pki::new(&ground::Seed::new(1), now, "corp.example").unwrap();
    let pem = pki.root_pem().to_owned();
    // Of files that hold the same the first name is linked to. If another came first, its link would
    // stay and use up the number.
    store.add(LEGACY, "0.pem", pem.as_bytes(), &trail).unwrap();
    std::thread::scope(|scope| {
        for number in 1..8 {
            let (store, pem, trail) = (&store, &pem, trail.clone());
            scope.spawn(move || {
                store.add(LEGACY, &format!("{number}.pem"), pem.as_bytes(), &trail).unwrap();
            });
        }
    });
    assert_eq!(root.read_text_if_present(BUNDLE).unwrap().unwrap(), format!("{pem}\n").repeat(8));
    assert_eq!(root.links("/etc/stunnel/certs").unwrap().len(), 1, "the same eight times");
    assert!(!root.exists(&format!("{BUNDLE}.tmp")).unwrap());
}

#[test]
fn an_empty_bundle_is_dropped() {
    let (_directory, root, store, trail) = store();
    root.write(BUNDLE, b"", 0o644).unwrap();
    store.drop_empty_bundles(&trail).unwrap();
    assert!(!root.exists(BUNDLE).unwrap());
    // A certificate file that is empty is still one line.
    store.add(LEGACY, "empty.pem", b"", &trail).unwrap();
    assert_eq!(root.read(BUNDLE).unwrap(), b"\n");
    store.remove(LEGACY, "empty.pem", &trail).unwrap();
    assert!(!root.exists(BUNDLE).unwrap());
}
