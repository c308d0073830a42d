//! Hosts that join a pool over its real service (xapi-flows.md §12.1).

use std::{
    collections::BTreeMap,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
};

use ground::{Actor, Ledger, Secret, Seed, Skew, Timestamp, Trail, VirtualClock};
use sim_host::{
    ApiError, Call, Circumstance, Host, HostConfig, JoinParameters, Network, Pool, PoolConfig,
    Profile, Quirk, Quirks, Rig, SharedNetwork,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
    },
};
use xenapi_wire::{Options, Server, serve};

use crate::world::{ROOT_PASSWORD, ask_xml};

const COORDINATOR: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// Two hosts in a pool that is served, and one that wants to join it.
struct World {
    rig: Arc<Rig>,
    pool: Arc<Pool>,
    server: Server,
    ledger: Ledger,
    directory: tempfile::TempDir,
}

/// What a joiner has: its files with their content, its links with their targets, its database.
#[derive(Debug, PartialEq)]
struct State {
    files: BTreeMap<String, Vec<u8>>,
    database: serde_json::Value,
}

/// How many certificates of hosts a host knows.
fn pool_internal_certificates(host: &Host) -> usize {
    let names = host.root().list("/etc/stunnel/certs-pool").unwrap();
    names.iter().filter(|name| name.ends_with(".pem")).count()
}

impl World {
    async fn new(quirks: Quirks) -> Self {
        let start: Timestamp = "2026-01-04T06:38:29Z".parse().unwrap();
        let time = VirtualClock::starting_at(start);
        let ledger = Ledger::new(time.clock());
        let directory = tempfile::tempdir().unwrap();
        let rig = Rig::new();
        let create = |name: &str, hosts: &[(&str, Ipv4Addr)]| {
            let host = |(name, address): &(&str, Ipv4Addr)| HostConfig {
                name: (*name).to_owned(),
                hostname: None,
                address: (*address).into(),
                root: directory.path().join(name),
                network: SharedNetwork::new(Network::default()),
                clock: time.clock(),
                skew: Skew::default(),
                xapi_conf: None,
                programs: None,
            };
            rig.create_pool(PoolConfig {
                name: name.to_owned(),
                profile: Profile::Landed,
                quirks: quirks.clone(),
                seed: Seed::new(1),
                root_password: Secret::new(ROOT_PASSWORD),
                hosts: hosts.iter().map(host).collect(),
                trail: ledger.trail(Actor::Runner),
            })
            .unwrap()
        };
        let pool =
            create("pool", &[("host1", COORDINATOR), ("host2", Ipv4Addr::new(192, 0, 2, 2))]);
        create("lonely", &[("host9", Ipv4Addr::new(192, 0, 2, 9))]);
        let options = Options::new(ledger.trail(Actor::Runner));
        let server = serve(Arc::clone(&pool), options).await.unwrap();
        let world = Self { rig, pool, server, ledger, directory };
        world.lead_to(world.server.address());
        world
    }

    /// From now on the joiner finds this where it believes the coordinator to be.
    fn lead_to(&self, address: SocketAddr) {
        let translations = [((COORDINATOR, 443).into(), address)].into();
        self.rig.host("host9").unwrap().set_network(Network { translations, ..Network::default() });
    }

    fn trail(&self) -> Trail {
        self.ledger.trail(Actor::Runner)
    }

    async fn join(&self, password: &str) -> Result<(), ApiError> {
        let parameters = JoinParameters {
            master_address: COORDINATOR.to_string(),
            master_username: "root".to_owned(),
            master_password: Secret::new(password),
            force: false,
        };
        let joiner = self.rig.pool_of("host9").unwrap();
        joiner.call(Call::PoolJoin(parameters), &self.trail()).await.map(drop)
    }

    /// The same, which must fail; the number of the step at which it did, and its code.
    async fn fails(&self, password: &str) -> (u64, String) {
        let before = self.ledger.last();
        let error = self.join(password).await.unwrap_err();
        let events = self.ledger.events_after(before);
        let steps = events.iter().filter(|event| event.kind() == "join.step");
        let mut numbers = steps.map(|event| event.fields()["step"].as_u64().unwrap());
        (numbers.next_back().unwrap(), error.code)
    }

    fn state(&self) -> State {
        let root = self.directory.path().join("host9");
        let mut files = BTreeMap::new();
        collect(&root, &root, &mut files);
        // It also says how many records there ever were.
        files.remove("var/lib/xcp/state.json").unwrap();
        let records = self.rig.pool_of("host9").unwrap().database_on_disk().unwrap();
        let mut database = serde_json::to_value(records).unwrap();
        database.as_object_mut().unwrap().remove("created").unwrap();
        State { files, database }
    }

    fn circumstances(&self, circumstances: impl IntoIterator<Item = Circumstance>) {
        let joiner = self.rig.pool_of("host9").unwrap();
        joiner.set_circumstances(circumstances.into_iter().collect(), &self.trail()).unwrap();
    }

    async fn install(&self, host: &str, ca: &str) {
        let certificate = self.identity(ca);
        let call = Call::PoolInstallTrustedCertificate {
            pool: None,
            ca: true,
            certificate,
            purpose: Vec::new(),
        };
        self.rig.pool_of(host).unwrap().call(call, &self.trail()).await.unwrap();
    }

    /// The certificate that a host shows to clients.
    fn identity(&self, host: &str) -> String {
        let text = self.rig.host(host).unwrap().certificate_and_key(None).unwrap();
        let text = String::from_utf8(text).unwrap();
        text[text.find("-----BEGIN CERTIFICATE-----").unwrap()..].to_owned()
    }
}

fn collect(root: &Path, directory: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if path.is_symlink() {
            let target = fs::read_link(&path).unwrap();
            files.insert(name, target.to_str().unwrap().as_bytes().to_vec());
        } else if path.is_dir() {
            collect(root, &path, files);
        } else {
            files.insert(name, fs::read(&path).unwrap());
        }
    }
}

/// Lets the join fail at each step that can, and hands over the joiner before and after.
async fn fail_at_every_step(quirks: Quirks, judge: impl Fn(u64, &State, &State)) {
    let world = World::new(quirks).await;
    world.install("host1", "host1").await;
    world.install("host9", "host9").await;
    let crl = |text: &str| Call::PoolCrlInstall { name: "a.pem".into(), crl: text.into() };
    world.pool.call(crl("of the pool"), &world.trail()).await.unwrap();
    let attempt = async |step: u64, code: &str, password: &str| {
        let before = world.state();
        assert_eq!(world.fails(password).await, (step, code.to_owned()));
        judge(step, &before, &world.state());
    };
    world.circumstances([Circumstance::PoolingUnlicensed]);
    attempt(1, "LICENCE_RESTRICTION", ROOT_PASSWORD).await;
    world.circumstances([]);
    attempt(2, "SESSION_AUTHENTICATION_FAILED", "not it").await;
    world.circumstances([Circumstance::Bonds]);
    attempt(3, "POOL_JOINING_HOST_HAS_BONDS", ROOT_PASSWORD).await;
    world.circumstances([]);
    for (step, call) in [
        (4, "pool.initial_auth"),
        (5, "pool.exchange_certificates_on_join"),
        (8, "pool.exchange_ca_certificates_on_join"),
        (9, "pool.exchange_trusted_certificates_on_join"),
        (10, "pool.exchange_crls_on_join"),
    ] {
        world.pool.set_missing_calls([call]);
        attempt(step, "MESSAGE_METHOD_UNKNOWN", ROOT_PASSWORD).await;
        world.pool.set_missing_calls([""; 0]);
    }
    let joiner = world.rig.pool_of("host9").unwrap();
    joiner.call(crl("of the joiner"), &world.trail()).await.unwrap();
    attempt(10, "CRL_ALREADY_EXISTS", ROOT_PASSWORD).await;
    // The coordinator is not whom its pool takes it for.
    let uuid = world.pool.database_view().hosts[0].uuid;
    let root = world.rig.host("host1").unwrap().root().clone();
    let path = format!("/etc/stunnel/certs-pool/{uuid}.pem");
    root.write(&path, world.identity("host2").as_bytes(), 0o644).unwrap();
    attempt(7, "INTERNAL_ERROR", ROOT_PASSWORD).await;
    root.remove(&path).unwrap();
    attempt(5, "POOL_JOINING_MASTER_CERTIFICATE_NOT_IN_POOL_BUNDLE", ROOT_PASSWORD).await;
    // It was all about the joiner: the pool's secret is told to nobody.
    let secret = root.read_text_if_present("/etc/xensource/ptoken").unwrap().unwrap();
    for event in world.ledger.events() {
        assert!(!serde_json::to_string(&event.fields()).unwrap().contains(&secret));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_joiner_that_takes_back_what_it_got_is_as_before_at_every_step() {
    let quirks = Quirks::of(Profile::Landed).with(Quirk::JoinKeepsExchangedCertificates, false);
    fail_at_every_step(quirks, |step, before, after| {
        assert_eq!(before.database, after.database, "step {step}");
        for (name, content) in &after.files {
            assert_eq!(before.files.get(name), Some(content), "step {step}: {name}");
        }
        assert_eq!(before.files.len(), after.files.len(), "step {step}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_joiner_that_fails_keeps_certificates_and_nothing_else() {
    fail_at_every_step(Quirks::of(Profile::Landed), |step, before, after| {
        let is_store =
            |name: &str| name.starts_with("etc/stunnel/") || name.starts_with("etc/trusted-certs/");
        let changed =
            after.files.iter().filter(|(name, text)| before.files.get(*name) != Some(text));
        let changed: Vec<_> = changed.map(|(name, _)| name.as_str()).collect();
        assert!(changed.iter().all(|name| is_store(name)), "step {step}: {changed:?}");
        assert!(step >= 6 || changed.is_empty(), "step {step}: {changed:?}");
        // Rows come with the files, from step 9 on.
        let rest = |state: &State| {
            let mut rest = state.database.clone();
            rest.as_object_mut().unwrap().remove("certificates").unwrap();
            rest
        };
        assert_eq!(rest(before), rest(after), "step {step}");
        assert!(step >= 9 || before.database == after.database, "step {step}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_answers_instead_of_a_coordinator() {
    let world = World::new(Quirks::of(Profile::Landed)).await;
    // Nothing.
    let closed = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap();
    world.lead_to(closed);
    assert_eq!(world.fails(ROOT_PASSWORD).await, (2, "INTERNAL_ERROR".to_owned()));
    // Something that resets the connection: data are lost unread.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    world.lead_to(listener.local_addr().unwrap());
    let resets = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        stream.peek(&mut [0]).await.unwrap();
    });
    assert_eq!(world.fails(ROOT_PASSWORD).await, (2, "JOINING_HOST_CONNECTION_FAILED".to_owned()));
    resets.await.unwrap();
    // Another service.
    let pem = world.rig.host("host2").unwrap().certificate_and_key(None).unwrap();
    let certificate = CertificateDer::from_pem_slice(&pem).unwrap();
    let key = PrivateKeyDer::from_pem_slice(&pem).unwrap();
    let config = ServerConfig::builder().with_no_client_auth();
    let config = config.with_single_cert(vec![certificate], key).unwrap();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    world.lead_to(listener.local_addr().unwrap());
    let other = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = TlsAcceptor::from(Arc::new(config)).accept(stream).await.unwrap();
        let mut request = [0; 4096];
        let _ = stream.read(&mut request).await.unwrap();
        let answer = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
        stream.write_all(answer).await.unwrap();
        stream.shutdown().await.unwrap();
    });
    assert_eq!(world.fails(ROOT_PASSWORD).await, (2, "JOINING_HOST_SERVICE_FAILED".to_owned()));
    other.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_joins_and_leaves_over_the_wire() {
    let world = World::new(Quirks::of(Profile::Landed)).await;
    let lonely = world.rig.pool_of("host9").unwrap();
    let service = serve(lonely, Options::new(world.trail())).await.unwrap();
    let log_in = async |address| {
        let value = ask_xml(address, "session.login_with_password", &["root", ROOT_PASSWORD]).await;
        value.unwrap().replace("<value>", "").replace("</value>", "")
    };
    let session = log_in(service.address()).await;
    let address = COORDINATOR.to_string();
    let params = [session.as_str(), &address, "root", ROOT_PASSWORD];
    assert_eq!(
        ask_xml(service.address(), "pool.join", &params).await,
        Ok("<value></value>".into())
    );
    // Its service goes on, as that of a member.
    let sent_away = ask_xml(service.address(), "pool.get_all", &[session.as_str()]).await;
    assert_eq!(sent_away.unwrap_err()[0], "SESSION_INVALID");
    let login = ask_xml(service.address(), "session.login_with_password", &["root", ROOT_PASSWORD]);
    assert_eq!(login.await, Err(vec!["HOST_IS_SLAVE".to_owned(), address.clone()]));
    assert_eq!(world.pool.hosts().len(), 3);
    let records = world.pool.database_view();
    let record = records.host_named("host9").unwrap();
    assert!(record.enabled);
    let own = records.certificates.iter().filter(|row| row.host == record.reference);
    assert_eq!(own.count(), 2);
    // All three know each other's certificates.
    for host in world.pool.hosts() {
        assert_eq!(pool_internal_certificates(&host), 3, "{}", host.name());
    }
    let secret = |host: &str| {
        world.rig.host(host).unwrap().root().read_text_if_present("/etc/xensource/ptoken").unwrap()
    };
    assert_eq!(secret("host9"), secret("host1"));
    // A member leaves, and begins anew.
    let session = log_in(world.server.address()).await;
    let params = [session.as_str(), record.reference.as_str()];
    let ejected = ask_xml(world.server.address(), "pool.eject", &params).await;
    assert_eq!(ejected, Ok("<value></value>".into()));
    assert_eq!(world.pool.hosts().len(), 2);
    assert_ne!(secret("host9"), secret("host1"));
    for host in world.pool.hosts() {
        assert_eq!(pool_internal_certificates(&host), 2, "{}", host.name());
    }
    let again = world.rig.pool_of("host9").unwrap();
    assert_eq!(again.hosts().len(), 1);
    assert!(world.pool.database_view().host_named("host9").is_none());
    assert_eq!(again.database_view().hosts[0].uuid, record.uuid);
    log_in(service.address()).await;
}
