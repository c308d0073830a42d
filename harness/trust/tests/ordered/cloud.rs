//! A management server with its appliances, over their real sockets.

use std::{fs, path::Path};

use fake_dc_pki::ChainFault;
use ground::{Actor, Ledger, Secret, Seed, Trail, VirtualClock};
use tempfile::TempDir;
use trust_models::ordered::{
    CONSOLE_SSL, Cloud, CloudOptions, Deed, Diagnosis, Keystore, Material, Protocol, Script,
    ServerCertificate, URL_CLEANUP, URL_EXPIRATION, Upload, facts,
};

use crate::world::now;

/// A cloud of its own, with two storage appliances of which the first has a template.
pub(crate) struct Lab {
    pub(crate) cloud: Cloud,
    pub(crate) ledger: Ledger,
    pub(crate) clock: VirtualClock,
    pub(crate) trail: Trail,
    pub(crate) directory: TempDir,
}

pub(crate) const TEMPLATE: &str = "debian";
pub(crate) const CONTENT: &[u8] = b"QFI\xfb, and what follows";

impl Lab {
    pub(crate) async fn new() -> Self {
        Self::of(tempfile::tempdir().unwrap(), [Script::Current, Script::Current]).await
    }

    pub(crate) async fn of(directory: TempDir, scripts: [Script; 2]) -> Self {
        let clock = VirtualClock::starting_at(now());
        let ledger = Ledger::new(clock.clock());
        let options = CloudOptions {
            seed: Seed::new(1),
            directory: directory.path().to_owned(),
            clock: clock.clock(),
            ledger: ledger.clone(),
        };
        let trail = ledger.trail(Actor::Runner);
        let cloud = Cloud::start(options).await.unwrap();
        for (name, script) in ["storage1", "storage2"].into_iter().zip(scripts) {
            cloud.create_storage(name, script, &trail).await.unwrap();
        }
        cloud.storage("storage1").unwrap().store_template(TEMPLATE, CONTENT).unwrap();
        Self { cloud, ledger, clock, trail, directory }
    }

    pub(crate) async fn upload(&self, uploads: &[Upload]) {
        for upload in uploads {
            self.cloud.call_upload(upload, true, &self.trail).await.unwrap();
        }
    }

    pub(crate) async fn copy(&self) -> Result<(), String> {
        let copied = self.cloud.copy_template(TEMPLATE, "storage1", "storage2", &self.trail).await;
        copied.map_err(|error| format!("{}: {error}", error.reason))
    }

    pub(crate) async fn diagnoses(&self) -> Vec<(Diagnosis, String)> {
        let findings = self.cloud.diagnose(&self.trail).await.unwrap();
        findings.into_iter().map(|finding| (finding.diagnosis, finding.subject)).collect()
    }
}

pub(crate) fn material(name: &str, faults: &[ChainFault]) -> Material {
    Material::issue(&Seed::new(7), name, "corp.example", now(), faults).unwrap()
}

const NO_PATH: &str = "pkix-no-path: sun.security.validator.ValidatorException: PKIX path building \
     failed: sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid \
     certification path to requested target";

#[tokio::test]
async fn the_server_certificate_restarts_all_storage_appliances() {
    let lab = Lab::new().await;
    assert_eq!(lab.copy().await, Ok(()));
    let [root, intermediate, server] = material("corp", &[]).uploads();
    lab.upload(&[root, intermediate]).await;
    let count = |kind: &str| lab.ledger.events().iter().filter(|e| e.kind() == kind).count();
    assert_eq!((count("ordered.restarted"), count("ordered.set-up-sent")), (0, 2));

    lab.upload(&[server]).await;
    assert_eq!((count("ordered.restarted"), count("ordered.set-up-sent")), (2, 4));
    let events = lab.ledger.events();
    let last = events.iter().rev().find_map(|event| event.fact::<facts::SetUp>()).unwrap();
    assert_eq!((last.shows, last.root_imported, last.script), (3, true, "current"));
    assert_eq!(lab.copy().await, Ok(()));
    assert_eq!(lab.cloud.storage("storage2").unwrap().read_template(TEMPLATE).unwrap(), CONTENT);
    assert_eq!(lab.diagnoses().await, []);
    lab.cloud.stop().await;
}

/// The upload has succeeded all the same: the certificate is in the table.
#[tokio::test]
async fn an_appliance_that_is_lost_keeps_no_other_from_restarting() {
    let lab = Lab::new().await;
    lab.cloud.create_console("console1", &lab.trail).await.unwrap();
    fs::remove_dir_all(lab.cloud.storage("storage1").unwrap().root()).unwrap();
    lab.upload(&material("corp", &[]).uploads()).await;
    let events = lab.ledger.events();
    let refused = events.iter().find_map(|event| event.fact::<facts::Refused>()).unwrap();
    assert_eq!(refused.reason, "appliance-lost");
    assert!(refused.words.starts_with("appliance `storage1`: "), "{}", refused.words);
    let count = |kind: &str| events.iter().filter(|event| event.kind() == kind).count();
    assert_eq!((count("ordered.set-up"), count("ordered.console-started")), (3, 2));
}

#[tokio::test]
async fn who_hides_its_chain_is_not_believed() {
    let lab = Lab::new().await;
    lab.upload(&material("corp", &[]).uploads()).await;
    lab.cloud.suffer("storage1", Deed::ChainCommentedOut).await.unwrap();
    assert_eq!(lab.copy().await, Err(NO_PATH.to_owned()));
    let expected = (Diagnosis::ChainNotServed, "appliance `storage1`".to_owned());
    assert_eq!(lab.diagnoses().await, [expected]);
    lab.cloud.restart("storage1", &lab.trail).await.unwrap();
    assert_eq!(lab.copy().await, Ok(()));
}

#[tokio::test]
async fn who_lacks_the_root_believes_nobody() {
    let lab = Lab::new().await;
    lab.upload(&material("corp", &[]).uploads()).await;
    lab.cloud.suffer("storage2", Deed::RootDeleted).await.unwrap();
    assert_eq!(lab.copy().await, Err(NO_PATH.to_owned()));
    let expected = (Diagnosis::StoreLacksRoot, "appliance `storage2`".to_owned());
    assert_eq!(lab.diagnoses().await, [expected]);
}

#[tokio::test]
async fn an_old_script_installs_neither_chain_nor_root() {
    let scripts = [Script::Old, Script::Current];
    let lab = Lab::of(tempfile::tempdir().unwrap(), scripts).await;
    lab.upload(&material("corp", &[]).uploads()).await;
    assert_eq!(lab.copy().await, Err(NO_PATH.to_owned()));
    let expected = (Diagnosis::OldSetUpScript, "appliance `storage1`".to_owned());
    assert_eq!(lab.diagnoses().await, [expected]);

    lab.cloud.destroy("storage1").await.unwrap();
    let created = lab.cloud.create_storage("storage1", Script::Current, &lab.trail).await.unwrap();
    created.store_template(TEMPLATE, CONTENT).unwrap();
    assert_eq!(lab.copy().await, Ok(()));
    assert_eq!(lab.diagnoses().await, []);
}

#[tokio::test]
async fn a_wrong_intermediate_is_found_and_corrected() {
    let lab = Lab::new().await;
    let (right, wrong) = (material("corp", &[]), material("wrong", &[]));
    lab.upload(&right.uploads()).await;
    // Nobody can tell of a root whether it is the right one; what follows it shows that.
    lab.upload(&[wrong.root_upload()]).await;
    let expected = (Diagnosis::WrongCertificate, "row `root`".to_owned());
    let found = lab.diagnoses().await;
    assert!(found.contains(&expected), "{found:?}");
    let refused = lab.cloud.call_upload(&right.server_upload(), true, &lab.trail).await;
    assert_eq!(refused.unwrap_err().reason, "chain-broken");
    assert_eq!(lab.copy().await, Ok(()), "appliances keep what they were set up with");

    lab.upload(&[right.root_upload(), right.server_upload()]).await;
    assert_eq!(lab.diagnoses().await, []);
    assert_eq!(lab.copy().await, Ok(()));
}

/// The key was renewed under the same chain, and somebody has put the former files back.
#[tokio::test]
async fn an_appliance_that_shows_a_former_leaf_is_found() {
    let lab = Lab::new().await;
    let former = material("corp", &[]);
    lab.upload(&former.uploads()).await;
    let renewed = material("corp", &["algorithm.rsa-3072".parse().unwrap()]);
    assert_eq!((&renewed.root, &renewed.intermediate), (&former.root, &former.intermediate));
    lab.upload(&[renewed.server_upload()]).await;
    assert_eq!(lab.diagnoses().await, []);
    let back = ServerCertificate {
        certificate: former.server.clone(),
        key: former.key.clone(),
        chain: vec![former.root.clone(), former.intermediate.clone()],
    };
    lab.cloud.suffer("storage1", Deed::Shows(Box::new(back))).await.unwrap();
    let findings = lab.cloud.diagnose(&lab.trail).await.unwrap();
    let said: Vec<_> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["not-set-up-since: appliance `storage1`: its server certificate is another than that of \
          row `server`; restart the appliance, or upload the server certificate again, which \
          restarts all"]
    );
    lab.cloud.restart("storage1", &lab.trail).await.unwrap();
    assert_eq!(lab.diagnoses().await, []);
}

/// A row that nobody can read says nothing of its neighbours, which were never meant to follow each
/// other.
#[tokio::test]
async fn a_row_that_cannot_be_read_is_found() {
    let lab = Lab::new().await;
    lab.upload(&material("corp", &[]).uploads()).await;
    let table = rusqlite::Connection::open(lab.cloud.database()).unwrap();
    let sql = "update keystore set certificate = 'none' where seq = 2";
    table.execute(sql, []).unwrap();
    let expected = (Diagnosis::UnreadableCertificate, "row `intermediate1`".to_owned());
    assert_eq!(lab.diagnoses().await, [expected]);
    // Nor does an appliance, which still shows all, lack anything of it.
    table.execute("update keystore set certificate = 'none' where seq = 1", []).unwrap();
    let found = lab.diagnoses().await;
    assert!(found.iter().all(|(what, _)| *what == Diagnosis::UnreadableCertificate), "{found:?}");
    // No number comes after the last.
    table.execute("update keystore set seq = 2147483647 where seq = 2", []).unwrap();
    let another =
        Upload { name: "one more".to_owned(), ..material("corp", &[]).intermediate_upload() };
    let refused = lab.cloud.call_upload(&another, true, &lab.trail).await.unwrap_err();
    assert_eq!(refused.reason, "gap");
}

/// There is no way back to the certificates that a release brings along.
#[tokio::test]
async fn a_table_that_cannot_be_read_sets_nobody_up() {
    const WHY: &str = "the keystore cannot be used: no such table: keystore";

    let lab = Lab::new().await;
    lab.cloud.create_console("console1", &lab.trail).await.unwrap();
    lab.upload(&material("corp", &[]).uploads()).await;
    let table = rusqlite::Connection::open(lab.cloud.database()).unwrap();
    table.execute("drop table keystore", []).unwrap();
    // Whoever sees nothing does not say that all is well.
    let error = lab.cloud.diagnose(&lab.trail).await.unwrap_err();
    assert_eq!(error.to_string(), WHY);
    for appliance in ["storage1", "console1"] {
        let error = lab.cloud.restart(appliance, &lab.trail).await.unwrap_err();
        let expected =
            format!("appliance `{appliance}`: the management server sends no set-up message");
        assert_eq!(error.to_string(), expected);
    }
    let events = lab.ledger.events();
    let refused = events.iter().filter_map(|event| event.fact::<facts::SetUpRefused>());
    let refused: Vec<_> = refused.map(|refused| refused.why.as_deref()).collect();
    assert_eq!(refused, [Some(WHY); 2]);
}

#[tokio::test]
async fn files_that_cannot_be_read_are_found() {
    let lab = Lab::new().await;
    lab.upload(&material("corp", &[]).uploads()).await;
    let root = lab.cloud.storage("storage1").unwrap().root().to_owned();
    let store = root.join("usr/local/cloud/systemvm/certs/realhostip.keystore");
    let mut bytes = fs::read(&store).unwrap();
    bytes[40] ^= 1;
    fs::write(&store, bytes).unwrap();
    let expected = (Diagnosis::UnreadableFiles, "appliance `storage1`".to_owned());
    assert_eq!(lab.diagnoses().await, [expected]);
}

/// Java finds the end of a block anywhere in a line, and OpenSSL at the beginning of one alone.
#[tokio::test]
async fn what_appliances_cannot_read_is_found() {
    let lab = Lab::new().await;
    let sound = material("corp", &[]);
    let glued = |pem: &str| pem.replace("\n-----END", "-----END");
    let of_row = |row: &str| (Diagnosis::UnreadableCertificate, format!("row `{row}`"));
    let [mut root, intermediate, server] = sound.uploads();
    root.certificate = glued(&root.certificate);
    lab.upload(&[root, intermediate, server.clone()]).await;
    assert_eq!(lab.cloud.storage("storage1").unwrap().https().await, None, "it is lost");
    assert_eq!(lab.diagnoses().await, [of_row("root")]);
    lab.upload(&[sound.root_upload(), server.clone()]).await;
    assert_eq!(lab.diagnoses().await, []);

    let key = server.private_key.as_ref().map(|key| Secret::new(glued(key.expose())));
    lab.upload(&[Upload { private_key: key, ..server.clone() }]).await;
    assert_eq!(lab.diagnoses().await[0], of_row("server"));
    lab.upload(&[server]).await;
    assert_eq!(lab.diagnoses().await, []);
}

#[tokio::test]
async fn a_link_names_the_old_domain_until_the_clean_up_deletes_it() {
    let lab = Lab::new().await;
    let link = |lab: &Lab| lab.cloud.extract_template("storage1", TEMPLATE, &lab.trail).unwrap();
    let old = link(&lab);
    assert_eq!(old.domain(), "realhostip.com");
    let material = material("corp", &[]);
    lab.upload(&material.uploads()).await;
    assert_eq!(link(&lab), old);
    let refused = lab.cloud.download(&old, &material.root, &lab.trail).await.unwrap_err();
    assert_eq!(refused.words, "no name 127-1-0-10.realhostip.com");
    let expected = (Diagnosis::LinkNamesFormerDomain, format!("link `{}`", old.url));
    assert_eq!(lab.diagnoses().await, [expected]);

    lab.cloud.configure(URL_EXPIRATION, "60").unwrap();
    lab.cloud.configure(URL_CLEANUP, "60").unwrap();
    lab.clock.advance(std::time::Duration::from_secs(600));
    assert_eq!(link(&lab), old, "the intervals count from the next start on");
    lab.cloud.restart_management(&lab.trail).await.unwrap();
    lab.clock.advance(std::time::Duration::from_secs(61));
    let new = link(&lab);
    assert_eq!(new.domain(), "corp.example");
    let file = lab.cloud.download(&new, &material.root, &lab.trail).await.unwrap();
    assert_eq!(file, CONTENT);
    assert_eq!(lab.diagnoses().await, []);
}

#[tokio::test]
async fn a_console_speaks_what_it_was_created_with() {
    let lab = Lab::new().await;
    let console = lab.cloud.create_console("console1", &lab.trail).await.unwrap();
    assert_eq!(console.protocol(), Protocol::Http);
    lab.cloud.configure(CONSOLE_SSL, "true").unwrap();
    lab.cloud.restart("console1", &lab.trail).await.unwrap();
    assert_eq!(lab.cloud.console("console1").unwrap().protocol(), Protocol::Http);
    let expected = (Diagnosis::ConsoleNotRecreated, "console `console1`".to_owned());
    assert_eq!(lab.diagnoses().await, [expected]);
    lab.cloud.destroy("console1").await.unwrap();
    let console = lab.cloud.create_console("console1", &lab.trail).await.unwrap();
    assert_eq!(console.protocol(), Protocol::Https);
    assert_eq!(lab.diagnoses().await, []);
}

#[tokio::test]
async fn a_plus_that_was_not_encoded_is_a_blank() {
    let lab = Lab::new().await;
    let before = fs::read(lab.cloud.database()).unwrap();
    let upload = material("corp", &[]).root_upload();
    let refused = lab.cloud.call_upload(&upload, false, &lab.trail).await.unwrap_err();
    assert_eq!(refused.reason, "not-url-encoded");
    assert_eq!(fs::read(lab.cloud.database()).unwrap(), before);
    let expected = (Diagnosis::NotUrlEncoded, "upload `root`".to_owned());
    assert_eq!(lab.diagnoses().await, [expected]);
    lab.upload(&[upload]).await;
    assert_eq!(lab.diagnoses().await, []);
}

/// A table as an earlier release left it: no order, nobody looked at what was in it, and of two server certificates
/// the later counts.
fn table_of_earlier_release(directory: &Path, material: &Material) {
    let former = Material::issue(&Seed::new(8), "corp", "corp.example", now(), &[]).unwrap();
    let former = Upload { name: "former server".to_owned(), ..former.server_upload() };
    let uploads = [&[former][..], &material.uploads()].concat();
    Keystore::leave_earlier_release(&directory.join("cloud.db"), &uploads).unwrap();
}

#[tokio::test]
async fn after_an_upgrade_the_whole_chain_is_uploaded_again() {
    let directory = tempfile::tempdir().unwrap();
    let material = material("corp", &[]);
    table_of_earlier_release(directory.path(), &material);
    let lab = Lab::of(directory, [Script::Current, Script::Current]).await;
    assert_eq!(lab.copy().await, Err(NO_PATH.to_owned()));
    let expected = (Diagnosis::UploadedByEarlierRelease, "domain `corp.example`".to_owned());
    assert_eq!(lab.diagnoses().await, [expected]);

    let [root, intermediate, server] = material.uploads();
    let refused = lab.cloud.call_upload(&server, true, &lab.trail).await.unwrap_err();
    assert_eq!(refused.reason, "server-before-root");
    let refused = lab.cloud.call_upload(&intermediate, true, &lab.trail).await.unwrap_err();
    assert_eq!(refused.reason, "intermediate-before-root");
    lab.upload(&[root, intermediate, server]).await;
    assert_eq!(lab.copy().await, Ok(()));
    assert_eq!(lab.diagnoses().await, []);
    assert_eq!(lab.cloud.rows().unwrap().len(), 4);
}

/// No event, no report and no file but the key's own and the table holds a private key.
#[tokio::test]
async fn nothing_that_is_recorded_holds_a_key() {
    let lab = Lab::new().await;
    let material = material("corp", &[]);
    lab.upload(&material.uploads()).await;
    // What stands before a blank line is a header to some parsers of PEM, and no base64 to others.
    for (from, to) in [("\n", "\n*\n"), ("-----\n", "-----\nName: a value\n\n"), ("+", " ")] {
        let edited = Secret::new(material.key.expose().replace(from, to));
        let broken = Upload { private_key: Some(edited), ..material.server_upload() };
        let refused = lab.cloud.call_upload(&broken, true, &lab.trail).await.unwrap_err();
        assert!(["key-malformed", "not-url-encoded"].contains(&refused.reason), "{refused:?}");
    }
    let wrong = Upload { private_key: Some(material.key.clone()), ..material.root_upload() };
    lab.cloud.call_upload(&wrong, true, &lab.trail).await.unwrap_err();
    lab.copy().await.unwrap();
    let findings = lab.cloud.diagnose(&lab.trail).await.unwrap();
    let keys = [&material.key, &lab.cloud.built_in().key];
    let mut said = format!("{findings:?} {:?} {:?}", lab.cloud, lab.cloud.rows().unwrap());
    for event in lab.ledger.events() {
        said += &format!("{event:?} {:?}\n", event.fields());
    }
    for storage in lab.cloud.storage_appliances() {
        said += &format!("{storage:?} {:?}", storage.files().unwrap());
    }
    for key in keys {
        for line in key.expose().lines().filter(|line| !line.starts_with("-----")) {
            assert!(!said.contains(line), "a key was told");
        }
    }
    let mut holders = Vec::new();
    let mut folders = vec![lab.directory.path().to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if entry.file_type().unwrap().is_file() {
                let text = String::from_utf8_lossy(&fs::read(entry.path()).unwrap()).into_owned();
                if text.contains("PRIVATE KEY") {
                    holders.push(entry.file_name().into_string().unwrap());
                }
            }
        }
    }
    holders.sort();
    assert_eq!(holders, ["cert_apache.key", "cert_apache.key", "cloud.db"]);
}
