//! The laboratory of the captures: `dc1.lab.example` at 192.0.2.10, and the host XS1.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use fake_dc::{DcSpec, Domain, Ports};
use fake_dc_directory::Flavour;
use ground::{Actor, Clock, Secret, Seed, Timestamp, Trail, VirtualClock};
use sim_host::{
    Credentials, HostRoot, Network, Output, Patience, Programs as _, SambaCommand, SharedNetwork,
    real::{self, Namespace, Unfinished},
    samba,
};
use tempfile::TempDir;

/// When most of the captures were made. Tickets and passwords of the directory are good then.
const CAPTURED_AT: &str = "2026-11-21T23:13:36Z";
const DC: [u8; 4] = [192, 0, 2, 10];
const PATIENCE: Duration = Duration::from_secs(28);
const SMB_CONF: &str = include_str!("../../../../fixtures/samba-client/smb.conf");
/// Of the client that the words were captured from.
const KRB5_CONF: &str = "[libdefaults]\ndns_lookup_realm = false\ndefault_realm = LAB.EXAMPLE\n";

/// The host XS1, in the namespace of the calling test.
pub(crate) struct Host {
    client: real::Client,
    model: samba::Client,
    root: HostRoot,
    trail: Trail,
    _folder: TempDir,
}

/// The domain as it was captured, at its address.
pub(crate) async fn domain(time: &VirtualClock) -> Domain {
    ip(&["address", "add", "192.0.2.10/24", "dev", "lo"]);
    let mut builder = Domain::builder("lab.example")
        .flavour(Flavour::Samba4_22)
        .clock(time.clock())
        .dc(DcSpec::new("dc1").address(DC.into()))
        .ports(Ports::STANDARD);
    for file in captured("samba-ad/ldif") {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        builder = builder.ldif(name, fs::read_to_string(file).unwrap());
    }
    builder.start().await.unwrap()
}

/// The captured second.
pub(crate) fn captured_time() -> VirtualClock {
    VirtualClock::starting_at(CAPTURED_AT.parse::<Timestamp>().unwrap())
}

impl Host {
    pub(crate) fn of(domain: &Domain, clock: Clock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = HostRoot::open(folder.path()).unwrap();
        root.write("/etc/krb5.conf", KRB5_CONF.as_bytes(), 0o644).unwrap();
        root.write("/etc/hosts", b"127.0.0.1 localhost\n192.0.2.20 xs1\n", 0o644).unwrap();
        root.write("/etc/hostname", b"xs1\n", 0o644).unwrap();
        root.write("/etc/trusted-certs/ca-bundle-ldaps.pem", domain.ca_pem().as_bytes(), 0o644)
            .unwrap();
        let network = SharedNetwork::new(Network {
            nameservers: domain.name_servers(),
            patience: Patience(2),
            ..Network::default()
        });
        let namespace = Arc::new(Namespace::with_shared_network(&root, "xs1").unwrap());
        let model =
            || samba::Client::new(root.clone(), network.clone(), clock.clone(), Seed::new(1));
        let (client, model) = (model(), model());
        let client = real::Client::new(root.clone(), network, clock, namespace, client, PATIENCE);
        let trail = domain.ledger().trail(Actor::Host("XS1".into()));
        let host = Self { client, model, root, trail, _folder: folder };
        host.configure(&[]);
        host
    }

    /// Writes the smb.conf of the captures with these lines instead of those of the same parameter.
    pub(crate) fn configure(&self, changes: &[String]) {
        let parameter = |line: &str| line.split('=').next().unwrap_or_default().trim().to_owned();
        let mut text = String::new();
        for line in SMB_CONF.lines() {
            let change = changes.iter().find(|change| parameter(change) == parameter(line));
            text += &format!("{}\n", change.map_or(line, String::as_str));
        }
        self.root.write("/etc/samba/smb.extra.conf", b"", 0o644).unwrap();
        self.root.write("/etc/samba/smb.conf", text.as_bytes(), 0o644).unwrap();
    }

    /// Gives the host a machine account and the secrets of it.
    pub(crate) async fn join(&self) {
        self.done(SambaCommand::AdsJoin {
            domain: "lab.example".to_owned(),
            user: "Administrator".to_owned(),
            password: Secret::new(PASSWORD),
            netbios_name: "XS1".to_owned(),
            server: None,
            ou: None,
            dns_hostname: None,
        })
        .await;
    }

    /// Takes the machine account and its secrets away.
    pub(crate) async fn leave(&self) {
        let (user, password) = ("Administrator".to_owned(), Secret::new(PASSWORD));
        self.done(SambaCommand::AdsLeave { user, password }).await;
    }

    /// What the real program says of a command of xapi.
    pub(crate) async fn real(&self, command: SambaCommand) -> Result<Output, Unfinished> {
        self.client.finish(command, 2, &self.trail).await
    }

    /// What the model says.
    pub(crate) async fn model(&self, command: SambaCommand) -> Output {
        self.model.run(command, 2, &self.trail).await
    }

    async fn done(&self, command: SambaCommand) {
        let output = self.real(command).await.unwrap();
        assert_eq!(output.exit, 0, "{output:?}");
    }

    /// What the real `net` says.
    pub(crate) async fn net(
        &self,
        arguments: &[&str],
        credentials: Option<&Credentials>,
    ) -> Output {
        self.client.net(arguments, credentials).await.unwrap()
    }
}

const PASSWORD: &str = "Passw0rd!Lab1";

/// The captured files of a folder, in the order of their names.
pub(crate) fn captured(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures").join(folder);
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

pub(crate) fn ip(arguments: &[&str]) {
    let status = Command::new("ip").args(arguments).status().unwrap();
    assert!(status.success(), "ip {arguments:?}");
}
