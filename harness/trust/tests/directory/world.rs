//! A CA with its servers and clients, a PKI directory, and what happens when a client connects.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use fake_dc_pki::{Chain, ChainPlan, DcIdentity, Pki, RevocationReason};
use ground::{Actor, Clock, Ledger, Seed, Timestamp, VirtualClock};
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};
use trust_models::directory::{
    CertData, Client, ClientPolicy, ClientTrust, ConnectError, Connection, DataKind, PkiDirectory,
    ServeError, Served, Server,
};

pub(crate) const HOST: &str = "host1.lab.example";

pub(crate) fn now() -> Timestamp {
    "2026-01-04T06:38:29Z".parse().unwrap()
}

/// The CA of a seed: those of two seeds have other names and other keys.
///
/// ```text
/// root ──▶ intermediate ──▶ leaf
/// ```
pub(crate) fn ca(seed: u64) -> Pki {
    Pki::new(&Seed::new(seed), now(), &format!("ca{seed}.example")).unwrap()
}

pub(crate) fn plan(pki: &Pki, name: &str) -> ChainPlan {
    pki.plan(&DcIdentity::new(name, "lab.example", [127, 0, 0, 1].into())).unwrap()
}

pub(crate) fn chain(pki: &Pki, name: &str) -> Chain {
    plan(pki, name).issue().unwrap()
}

/// A chain and the list of its issuer, on which it stands.
pub(crate) fn revoked(pki: &Pki, name: &str) -> (Chain, String) {
    let mut plan = plan(pki, name);
    let (leaf, issuer) = (plan.leaf_id(), plan.intermediate_id());
    plan.crl_of(issuer).revoking(leaf, now().plus_days(-1), RevocationReason::KeyCompromise);
    let chain = plan.issue().unwrap();
    let list = crl_of(&chain);
    (chain, list)
}

/// The list of the CA that issued the leaf: the intermediate's.
pub(crate) fn crl_of(chain: &Chain) -> String {
    chain.crls.iter().find(|crl| crl.ca.ends_with("Issuing CA")).unwrap().to_pem()
}

/// A PKI directory with a CA in it, a clock and a ledger.
pub(crate) struct Lab {
    pub(crate) folder: TempDir,
    pub(crate) hands: VirtualClock,
    pub(crate) ledger: Ledger,
}

impl Lab {
    pub(crate) fn new(pki: &Pki) -> Self {
        let hands = VirtualClock::starting_at(now());
        let lab = Self {
            folder: tempfile::tempdir().unwrap(),
            ledger: Ledger::new(hands.clock()),
            hands,
        };
        lab.put(DataKind::CaCertificate, pki.root_pem());
        lab
    }

    pub(crate) fn directory(&self) -> PkiDirectory {
        PkiDirectory::at(self.folder.path())
    }

    pub(crate) fn put(&self, kind: DataKind, text: &str) {
        let path = self.directory().path(kind);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Gives the client a certificate with its key.
    pub(crate) fn equip(&self, chain: &Chain) {
        self.put(DataKind::ClientCertificate, &chain.to_pem());
        self.put(DataKind::ClientKey, &chain.key.to_pem());
    }

    pub(crate) fn trusted(&self) -> String {
        fs::read_to_string(self.directory().path(DataKind::TrustedServers)).unwrap_or_default()
    }

    pub(crate) fn clock(&self) -> Clock {
        self.hands.clock()
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(self.directory().load().unwrap())
    }

    pub(crate) fn client_with(&self, data: CertData) -> Client {
        let trail = self.ledger.trail(Actor::Host("client".to_owned()));
        Client::new(data, self.clock(), trail).unwrap()
    }

    pub(crate) fn server(&self, chain: &Chain) -> Server {
        let trail = self.ledger.trail(Actor::Host("server".to_owned()));
        let certificates = chain.certificates.clone();
        Server::new(certificates, chain.key.to_der(), self.clock(), trail).unwrap()
    }

    /// Connects, and sees to it that a refusal leaves every file as it was.
    pub(crate) async fn connect(
        &self,
        client: &Client,
        server: &Server,
    ) -> Result<Connection<TcpStream>, ConnectError> {
        self.meet(client, server, HOST).await.0
    }

    pub(crate) async fn meet(
        &self,
        client: &Client,
        server: &Server,
        host: &str,
    ) -> (Result<Connection<TcpStream>, ConnectError>, Result<Served, ServeError>) {
        let before = files(self.folder.path());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (connected, served) = tokio::join!(client.connect(host, address), async {
            server.accept(listener.accept().await.unwrap().0).await
        });
        if connected.is_err() {
            assert_eq!(files(self.folder.path()), before, "a refusal has changed a file");
        }
        (connected, served)
    }

    /// The id of the reason for which there is no connection.
    pub(crate) async fn refusal(&self, client: &Client, server: &Server) -> String {
        self.connect(client, server).await.map(|_| ()).unwrap_err().id()
    }
}

/// What a server judges clients by: the CA, and a list.
pub(crate) fn trust(pki: &Pki, crl: Option<&str>) -> ClientTrust {
    let mut data = CertData::new();
    data.add(DataKind::CaCertificate, pki.root_pem()).unwrap();
    if let Some(crl) = crl {
        data.add(DataKind::CaRevocationList, crl).unwrap();
    }
    ClientTrust::new(&data).unwrap()
}

pub(crate) fn required(pki: &Pki, crl: Option<&str>) -> ClientPolicy {
    ClientPolicy::Required(trust(pki, crl))
}

/// All files of a folder with their contents.
pub(crate) fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), fs::read(path).unwrap());
        }
    }
    found
}
