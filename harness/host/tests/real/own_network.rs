//! Hosts with a network of their own: what is in their files, what time it is for them, and a way
//! to the DC that is theirs alone.

use std::{os::fd::OwnedFd, sync::Arc, time::Duration};

use fake_dc::{Domain, Ports, RouteSpec, SocketSource, facts::Connection};
use ground::{Actor, Ledger, Secret, Seed, Timestamp, Trail, VirtualClock};
use sim_host::{
    Credentials, HostRoot, Network, Output, Patience, SambaCommand, SharedNetwork,
    real::{self, Namespace},
    samba,
};
use tempfile::TempDir;

use crate::namespace::in_namespace;

struct Host {
    client: real::Client,
    trail: Trail,
    root: HostRoot,
    _folder: TempDir,
}

impl Host {
    /// A host whose way to every DC of `domain` begins in a network of its own.
    fn new(name: &str, domain: &Domain, time: &VirtualClock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = HostRoot::open(folder.path()).unwrap();
        root.write("/etc/samba/smb.conf", SMB_CONF.as_bytes(), 0o644).unwrap();
        let namespace = Arc::new(Namespace::with_own_network(&root, name).unwrap());
        let there = Arc::clone(&namespace);
        let sockets =
            SocketSource::elsewhere(move |transport| there.socket(transport).map(OwnedFd::from));
        for dc in domain.dcs() {
            let spec = RouteSpec::new(name, dc.name());
            let spec = spec.ports(Ports::STANDARD).elsewhere(sockets.clone());
            domain.open_route(&spec).unwrap();
        }
        let network = SharedNetwork::new(Network {
            nameservers: domain.dcs().map(|dc| (dc.ip(), 53).into()).collect(),
            patience: Patience(4),
            ..Network::default()
        });
        let seed = Seed::new(1).child(name);
        let model = samba::Client::new(root.clone(), network.clone(), time.clock(), seed);
        let patience = Duration::from_secs(28);
        let client =
            real::Client::new(root.clone(), network, time.clock(), namespace, model, patience);
        let trail = domain.ledger().trail(Actor::Host(name.to_owned()));
        Self { client, trail, root, _folder: folder }
    }

    async fn run(&self, command: SambaCommand) -> Output {
        self.client.finish(command, 2, &self.trail).await.unwrap()
    }

    /// What the probe of xapi says with the machine account.
    async fn probe(&self, domain: &Domain) -> Output {
        self.run(SambaCommand::AdsSearch {
            server: std::net::IpAddr::from(domain.dc("dc1").unwrap().ip()).into(),
            credentials: Credentials::Machine,
            filter: "(|(sAMAccountName=KRBTGT)(name=KRBTGT))".to_owned(),
            attributes: vec!["objectSid".to_owned()],
        })
        .await
    }
}

const SMB_CONF: &str = include_str!("../../../../fixtures/samba-client/smb.conf");

#[test]
fn every_host_has_its_files_its_time_and_its_way() {
    in_namespace("own_network::every_host_has_its_files_its_time_and_its_way", || {
        tokio::runtime::Runtime::new().unwrap().block_on(story());
    });
}

async fn story() {
    let time = VirtualClock::starting_at("2031-05-01T12:00:00Z".parse::<Timestamp>().unwrap());
    let ledger = Ledger::new(time.clock());
    let domain = Domain::builder("lab.example")
        .seed(Seed::new(1))
        .clock(time.clock())
        .ledger(ledger.clone())
        .start()
        .await
        .unwrap();
    let (one, two) = (Host::new("host1", &domain, &time), Host::new("host2", &domain, &time));
    for (host, name) in [(&one, "XS1"), (&two, "XS2")] {
        host.root
            .write("/etc/trusted-certs/ca-bundle-ldaps.pem", domain.ca_pem().as_bytes(), 0o644)
            .unwrap();
        let smb_conf = SMB_CONF.replace("XS1", name);
        host.root.write("/etc/samba/smb.conf", smb_conf.as_bytes(), 0o644).unwrap();
        let joined = host
            .run(SambaCommand::AdsJoin {
                domain: "lab.example".to_owned(),
                user: "Administrator".to_owned(),
                password: Secret::new("Passw0rd!Lab1"),
                netbios_name: name.to_owned(),
                server: None,
                ou: None,
                dns_hostname: None,
            })
            .await;
        assert_eq!(joined.exit, 0, "{joined:?}");
        let found = host.run(SambaCommand::LookupKdc { domain: "lab.example".to_owned() }).await;
        assert_eq!(found.stdout, "127.0.0.10:88\n", "{}", found.stderr);
        let probed = host.probe(&domain).await;
        assert_eq!(probed.exit, 0, "{}", probed.stderr);
        assert!(probed.stdout.contains("objectSid: S-1-5-21-"), "{}", probed.stdout);
    }

    // What is wrong on the way of one host is not met by the other.
    for (fault, words) in
        [("net.refuse@ldaps", REFUSED), ("net.reset-at-byte:100@ldaps", "GNUTLS ERROR")]
    {
        domain.set_route_faults("host1", "dc1", [fault]).unwrap();
        let probed = one.probe(&domain).await;
        assert!(probed.exit == 255 && probed.stderr.contains(words), "{}", probed.stderr);
        assert_eq!(two.probe(&domain).await.exit, 0);
    }
    domain.clear_route_faults("host1", "dc1").unwrap();
    assert_eq!(one.probe(&domain).await.exit, 0);
    let came_along = |host: &str| {
        let events = ledger.events();
        let routes = events.iter().filter_map(|event| event.fact::<Connection>());
        routes.filter(|found| found.route.as_deref() == Some(host)).count()
    };
    assert!(came_along("host1") > 0 && came_along("host2") > 0);

    // Time is the world's: a year later the certificate is over, and tickets are good.
    time.advance(Duration::from_secs(500 * 86_400));
    let probed = one.probe(&domain).await;
    assert!(probed.stderr.contains("(invalid expired )"), "{}", probed.stderr);
    domain.renew_certificate("dc1").unwrap();
    let probed = one.probe(&domain).await;
    assert_eq!(probed.exit, 0, "{}", probed.stderr);
    domain.stop().await;
}

const REFUSED: &str = "ads_connect_creds: Operations error";
