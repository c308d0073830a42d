//! A pool of two hosts in a fake domain, served; and a bare HTTP client.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use fake_dc::Domain;
use ground::{Actor, Ledger, Secret, Seed, Skew, Timestamp, VirtualClock};
use sim_host::{HostConfig, Network, Pool, PoolConfig, Profile, Quirks, SharedNetwork};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use xenapi_wire::{Options, Server, serve};

pub(crate) const ROOT_PASSWORD: &str = "xenroot!7";
pub(crate) const JOIN_PASSWORD: &str = "Passw0rd!Lab1";
pub(crate) const DOMAIN: &str = "corp.example";

pub(crate) struct World {
    pub(crate) pool: Arc<Pool>,
    pub(crate) server: Server,
    pub(crate) ledger: Ledger,
    pub(crate) time: VirtualClock,
    pub(crate) domain: Option<Domain>,
    _directory: tempfile::TempDir,
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl World {
    /// A pool that no domain answers.
    pub(crate) async fn alone(profile: Profile) -> Self {
        Self::with(profile, Quirks::of(profile)).await
    }

    pub(crate) async fn with(profile: Profile, quirks: Quirks) -> Self {
        let time = VirtualClock::starting_at(start());
        let ledger = Ledger::new(time.clock());
        Self::serve(profile, quirks, &time, ledger, Network::default(), None).await
    }

    /// A pool and a domain of two DCs.
    pub(crate) async fn in_domain(profile: Profile) -> Self {
        let time = VirtualClock::starting_at(start());
        let ledger = Ledger::new(time.clock());
        let domain = Domain::builder(DOMAIN)
            .dcs(2)
            .seed(Seed::new(1))
            .clock(time.clock())
            .ledger(ledger.clone())
            .start()
            .await
            .unwrap();
        let mut network = Network::default();
        for dc in domain.dcs() {
            network.nameservers.push(dc.dns());
            network.translations.insert((dc.ip(), 88).into(), dc.kdc());
            network.translations.insert((dc.ip(), 389).into(), dc.ldap());
            network.translations.insert((dc.ip(), 636).into(), dc.ldaps());
        }
        Self::serve(profile, Quirks::of(profile), &time, ledger, network, Some(domain)).await
    }

    async fn serve(
        profile: Profile,
        quirks: Quirks,
        time: &VirtualClock,
        ledger: Ledger,
        network: Network,
        domain: Option<Domain>,
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let trail = ledger.trail(Actor::Runner);
        let host = |name: &str| HostConfig {
            name: name.into(),
            hostname: None,
            address: Ipv4Addr::LOCALHOST.into(),
            root: directory.path().join(name),
            network: SharedNetwork::new(network.clone()),
            clock: time.clock(),
            skew: Skew::default(),
            xapi_conf: None,
            programs: None,
        };
        let pool = Pool::create(PoolConfig {
            name: "pool".into(),
            profile,
            quirks,
            seed: Seed::new(1),
            root_password: Secret::new(ROOT_PASSWORD),
            hosts: vec![host("host1"), host("host2")],
            trail: trail.clone(),
        })
        .unwrap();
        let pool = Arc::new(pool);
        let options = Options::new(trail);
        let server = serve(Arc::clone(&pool), options).await.unwrap();
        Self { pool, server, ledger, time: time.clone(), domain, _directory: directory }
    }

    pub(crate) fn host(&self, number: usize) -> String {
        self.pool.hosts()[number - 1].reference().to_string()
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Reply {
        exchange(self.server.address(), &request("POST", path, body.as_bytes())).await
    }

    /// The value of an XML-RPC answer that succeeded, or the texts of its failure.
    pub(crate) async fn xml(&self, method: &str, params: &[&str]) -> Result<String, Vec<String>> {
        ask_xml(self.server.address(), method, params).await
    }

    /// Logs `root` in over XML-RPC.
    pub(crate) async fn log_in(&self) -> String {
        let value =
            self.xml("session.login_with_password", &["root", ROOT_PASSWORD]).await.unwrap();
        value.strip_prefix("<value>").unwrap().strip_suffix("</value>").unwrap().to_owned()
    }

    /// Nothing in the ledger is a secret.
    pub(crate) fn assert_no_secrets(&self, secrets: &[&str]) {
        for event in self.ledger.events() {
            let text = serde_json::to_string(&event.fields()).unwrap();
            let debug = format!("{event:?}");
            for secret in secrets {
                assert!(!text.contains(secret) && !debug.contains(secret), "{}", event.kind());
            }
        }
    }
}

fn start() -> Timestamp {
    "2026-01-04T06:38:29Z".parse().unwrap()
}

pub(crate) fn error<const N: usize>(texts: [&str; N]) -> Result<String, Vec<String>> {
    Err(texts.map(str::to_owned).to_vec())
}

/// The value of the answer of a server, or the texts of its failure.
pub(crate) async fn ask_xml(
    address: SocketAddr,
    method: &str,
    params: &[&str],
) -> Result<String, Vec<String>> {
    let params: String =
        params.iter().map(|param| format!("<param><value>{param}</value></param>")).collect();
    let body = format!(
        "<?xml version='1.0'?><methodCall><methodName>{method}</methodName>\
             <params>{params}</params></methodCall>"
    );
    let reply = exchange(address, &request("POST", "/RPC2", body.as_bytes())).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    let inner = |prefix: &str| {
        let suffix = "</member></struct></value></param></params></methodResponse>";
        let head = "<?xml version=\"1.0\"?><methodResponse><params><param><value><struct>\
                        <member><name>Status</name><value>";
        let rest = reply.body.strip_prefix(head)?.strip_prefix(prefix)?;
        Some(rest.strip_suffix(suffix)?.to_owned())
    };
    if let Some(value) = inner("Success</value></member><member><name>Value</name>") {
        return Ok(value);
    }
    let failure = inner("Failure</value></member><member><name>ErrorDescription</name>");
    let texts = failure.unwrap_or_else(|| panic!("{}", reply.body));
    let texts = texts.replace("<value><array><data>", "").replace("</data></array></value>", "");
    let texts = texts.split("</value>").filter(|text| !text.is_empty());
    Err(texts.map(|text| text.strip_prefix("<value>").unwrap().to_owned()).collect())
}

pub(crate) fn request(method: &str, path: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: pool\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// Sends bytes, and reads until the server closes.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8]) -> Reply {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // A server that refuses a large body early may close first; what it said still comes.
    let _ = stream.write_all(bytes).await;
    let mut text = Vec::new();
    let _ = stream.read_to_end(&mut text).await;
    parse(&String::from_utf8(text).unwrap())
}

pub(crate) fn parse(text: &str) -> Reply {
    let (headers, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{text:?}"));
    let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
    Reply { status, headers: headers.to_lowercase(), body: body.to_owned() }
}
