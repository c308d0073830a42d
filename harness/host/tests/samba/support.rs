//! What the tests of the Samba model share: a host made of files, captured transcripts, and
//! scripted servers for what no DC would do.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use ground::{Actor, Clock, Ledger, Secret, Seed, Timestamp, Trail, VirtualClock};
use serde::Deserialize;
use sim_host::{
    Credentials, HostRoot, Network, Output, Programs as _, SambaCommand, Server, SharedNetwork,
    Wbinfo, samba::Client,
};
use tokio::{
    net::{TcpListener, TcpStream, UdpSocket},
    task::JoinHandle,
};

/// The DC's address in the transcripts.
pub(crate) const DC: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 10));
/// The day of the captures.
pub(crate) const CAPTURED_AT: &str = "2026-11-22T00:00:00Z";

/// A host with files, a network and programs.
pub(crate) struct Host {
    _directory: tempfile::TempDir,
    pub(crate) root: HostRoot,
    pub(crate) network: SharedNetwork,
    pub(crate) client: Client,
    pub(crate) trail: Trail,
}

impl Host {
    /// A host with the captured smb.conf.
    pub(crate) fn new() -> Self {
        let time = VirtualClock::starting_at(CAPTURED_AT.parse::<Timestamp>().unwrap());
        let ledger = Ledger::new(time.clock());
        Self::within(time.clock(), &ledger)
    }

    /// A host of a world with that clock and ledger.
    pub(crate) fn within(clock: Clock, ledger: &Ledger) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = HostRoot::open(directory.path()).unwrap();
        let network = SharedNetwork::default();
        let client = Client::new(root.clone(), network.clone(), clock, Seed::new(1));
        let trail = ledger.trail(Actor::Host("host1".into()));
        let host = Self { _directory: directory, root, network, client, trail };
        host.smb_conf(SMB_CONF);
        host
    }

    pub(crate) fn smb_conf(&self, text: &str) {
        self.root.write("/etc/samba/smb.conf", text.as_bytes(), 0o644).unwrap();
    }

    /// Sets one line of the captured smb.conf.
    pub(crate) fn set(&self, name: &str, value: &str) {
        let text = String::from_utf8(self.root.read("/etc/samba/smb.conf").unwrap()).unwrap();
        let kept = text.lines().filter(|line| !line.starts_with(&format!("{name} =")));
        let lines: Vec<_> =
            kept.map(str::to_owned).chain([format!("{name} = {value}\n")]).collect();
        self.smb_conf(&lines.join("\n"));
    }

    pub(crate) fn trust(&self, pem: &str) {
        self.root.write("/etc/trusted-certs/ca-bundle-ldaps.pem", pem.as_bytes(), 0o644).unwrap();
    }

    /// Leads packets for the DC of the transcripts to real sockets.
    pub(crate) fn route(&self, port: u16, to: SocketAddr) {
        let mut network = self.network.current();
        network.translations.insert(SocketAddr::new(DC, port), to);
        self.network.set(network);
    }

    pub(crate) fn name_server(&self, address: SocketAddr) {
        let network = Network { nameservers: vec![address], ..self.network.current() };
        self.network.set(network);
    }

    pub(crate) async fn run(&self, command: SambaCommand) -> Output {
        self.run_at(2, command).await
    }

    pub(crate) async fn run_at(&self, debug_level: u8, command: SambaCommand) -> Output {
        self.client.run(command, debug_level, &self.trail).await
    }

    /// Everything that was recorded, one line each: kind and fields.
    pub(crate) fn facts(&self) -> Vec<String> {
        let events = self.trail.ledger().events();
        let text = |event: &ground::Event| {
            format!("{} {}", event.kind(), serde_json::Value::Object(event.fields()))
        };
        events.iter().map(text).collect()
    }
}

pub(crate) const SMB_CONF: &str = include_str!("../../../../fixtures/samba-client/smb.conf");

fn named(server: &str) -> Server {
    server.parse().map_or_else(|_| Server::Name(server.to_owned()), Server::Address)
}

/// `net ads search` for krbtgt as xapi asks, with the credentials of the transcripts.
pub(crate) fn probe() -> SambaCommand {
    probe_at(DC)
}

pub(crate) fn probe_at(server: IpAddr) -> SambaCommand {
    SambaCommand::AdsSearch {
        server: server.into(),
        credentials: administrator(),
        filter: "(|(sAMAccountName=krbtgt)(name=krbtgt))".into(),
        attributes: vec!["objectSid".into()],
    }
}

pub(crate) fn administrator() -> Credentials {
    Credentials::User { user: "Administrator".into(), password: Secret::new("Passw0rd!Lab1") }
}

/// A captured scenario by the name of its file.
macro_rules! transcript {
    ($name:literal) => {
        $crate::support::Transcript::parse(include_str!(concat!(
            "../../../../fixtures/samba-client/",
            $name,
            ".json"
        )))
    };
}
pub(crate) use transcript;

/// A captured scenario.
#[derive(Debug, Deserialize)]
pub(crate) struct Transcript {
    pub(crate) steps: Vec<Step>,
}

/// One command of a transcript.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Step {
    pub(crate) argv: Vec<String>,
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) exit: serde_json::Value,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Transcript {
    pub(crate) fn parse(text: &str) -> Self {
        serde_json::from_str(text).unwrap()
    }

    /// The steps that the model can run, each with its command.
    pub(crate) fn commands(&self) -> Vec<(Step, SambaCommand)> {
        self.steps.iter().filter_map(|step| Some((step.clone(), step.command()?))).collect()
    }
}

impl Step {
    /// The command, if the model has it.
    pub(crate) fn command(&self) -> Option<SambaCommand> {
        let words: Vec<&str> = self.argv.iter().map(String::as_str).collect();
        let option = |name: &str| {
            words.iter().position(|word| *word == name).map(|at| words[at + 1].to_owned())
        };
        let secret = || Secret::new(self.env["PASSWD"].clone());
        Some(match words[..] {
            ["net", "lookup", "kdc", domain, ..] => {
                SambaCommand::LookupKdc { domain: domain.to_owned() }
            }
            ["net", "ads", "lookup", ..] => {
                SambaCommand::AdsLookup { server: option("-S")?.parse().ok()? }
            }
            ["net", "ads", "search", ..] => {
                let filter = words.iter().position(|word| word.starts_with('('))?;
                let credentials = match self.env.get("USER") {
                    Some(user) => Credentials::User { user: user.clone(), password: secret() },
                    None => Credentials::Machine,
                };
                SambaCommand::AdsSearch {
                    server: named(&option("--server")?),
                    credentials,
                    filter: words[filter].to_owned(),
                    attributes: words[filter + 1..].iter().map(|&word| word.to_owned()).collect(),
                }
            }
            ["net", "ads", "sid", sid, ..] => {
                let machine = words.iter().position(|word| *word == "--machine-pass")?;
                SambaCommand::AdsSid {
                    server: named(&option("--server")?),
                    credentials: Credentials::Machine,
                    sid: sid.to_owned(),
                    attributes: words[machine + 1..].iter().map(|&word| word.to_owned()).collect(),
                }
            }
            ["net", "ads", "join", domain, ..] => SambaCommand::AdsJoin {
                domain: domain.to_owned(),
                user: option("-U")?,
                password: secret(),
                netbios_name: option("-n")?,
                server: option("-S").map(|server| server.parse().unwrap()),
                ou: None,
                dns_hostname: None,
            },
            ["net", "ads", "leave", ..] => {
                SambaCommand::AdsLeave { user: option("-U")?, password: secret() }
            }
            ["wbinfo", "-n", name] => {
                SambaCommand::Wbinfo(Wbinfo::NameToSid { name: name.to_owned() })
            }
            _ => return None,
        })
    }
}

/// Compares an output with a captured one. Interface lines are not part of the contract.
#[track_caller]
pub(crate) fn assert_same(output: &Output, step: &Step) {
    let expected: String = step
        .stderr
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("added interface"))
        .collect();
    assert_eq!(output.stdout, step.stdout, "stdout of {:?}", step.argv);
    assert_eq!(output.stderr, expected, "stderr of {:?}", step.argv);
    assert_eq!(i64::from(output.exit), step.exit.as_i64().unwrap(), "exit of {:?}", step.argv);
}

/// A name server or DC that answers every datagram in the same way.
pub(crate) struct Datagrams {
    pub(crate) address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Datagrams {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers CLDAP pings with captured bytes: dc1.lab.example.
pub(crate) async fn cldap() -> Datagrams {
    cldap_named(b"\x03dc1\xc0\x18").await
}

/// Answers CLDAP pings as a DC with that (encoded) DNS name.
pub(crate) async fn cldap_named(name: &[u8]) -> Datagrams {
    answer_pings(UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap(), name)
}

fn answer_pings(socket: UdpSocket, name: &[u8]) -> Datagrams {
    let head = b"\x17\x00\x00\x00\xfd\x13\x00\x00\xef\x6b\xaf\x4c\x14\x5e\x66\x45\xb8\x2e\x17\x9f\
        \x54\xb7\xf0\x96\x03lab\x07example\x00\xc0\x18";
    let tail = b"\x03LAB\x00\x03DC1\x00\x00\x17Default-First-Site-Name\x00\
        \x17Default-First-Site-Name\x00\x05\x00\x00\x00\xff\xff\xff\xff";
    let value = [&head[..], name, tail].concat();
    let der = |tag: u8, content: &[u8]| {
        [&[tag, 0x82], &u16::try_from(content.len()).unwrap().to_be_bytes()[..], content].concat()
    };
    let attribute = [der(4, b"netlogon"), der(0x31, &der(4, &value))].concat();
    let entry = [der(4, b""), der(0x30, &der(0x30, &attribute))].concat();
    let answer = der(0x30, &[&[2, 1, 1][..], &der(0x64, &entry)].concat());
    let address = socket.local_addr().unwrap();
    let task = tokio::spawn(async move {
        let mut buffer = vec![0; 2_000];
        while let Ok((_, peer)) = socket.recv_from(&mut buffer).await {
            socket.send_to(&answer, peer).await.unwrap();
        }
    });
    Datagrams { address, task }
}

/// Accepts one connection and lets `behave` deal with it. The task returns what `behave` returns.
pub(crate) async fn server<T, F>(
    behave: impl FnOnce(TcpStream) -> F + Send + 'static,
) -> (SocketAddr, JoinHandle<T>)
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    (address.local_addr().unwrap(), serve(address, behave))
}

/// A DC that answers pings as [`cldap`] does, and on whose TCP port of the same number `behave`
/// deals with one connection.
pub(crate) async fn scripted_dc<T, F>(
    behave: impl FnOnce(TcpStream) -> F + Send + 'static,
) -> (Datagrams, JoinHandle<T>)
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    loop {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        // Another test may have the number for UDP.
        if let Ok(socket) = UdpSocket::bind(listener.local_addr().unwrap()).await {
            let datagrams = answer_pings(socket, b"\x03dc1\xc0\x18");
            return (datagrams, serve(listener, behave));
        }
    }
}

fn serve<T, F>(
    listener: TcpListener,
    behave: impl FnOnce(TcpStream) -> F + Send + 'static,
) -> JoinHandle<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    tokio::spawn(async move { behave(listener.accept().await.unwrap().0).await })
}

/// An address on which nothing listens.
pub(crate) async fn dead_address() -> SocketAddr {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap().local_addr().unwrap()
}
