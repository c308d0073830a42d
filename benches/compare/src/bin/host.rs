//! xapi's probe, `net ads search`, asked of one fake DC in two ways in turn: as a process of the real
//! Samba, and by the model of Samba in a simulated host, in this process.
//!
//! The DC must have the standard ports at its address and be the machine's name server
//! (`benches/compare/run` sees to both, in a network namespace). Both clients have xapi's smb.conf.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program of the command line")]

use std::{
    error::Error,
    fs,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use clap::Parser;
use ground::{Actor, Clock, Ledger, Secret, Seed, Trail};
use sim_host::{
    Credentials, HostRoot, Network, Programs as _, SambaCommand, SharedNetwork, samba::Client,
};
use tokio::runtime::Runtime;

type Failure = Box<dyn Error + Send + Sync>;

const SMB_CONF: &str = include_str!("../../../../fixtures/samba-client/smb.conf");
const BUNDLE: &str = "/etc/trusted-certs/ca-bundle-ldaps.pem";
const EXTRA: &str = "/etc/samba/smb.extra.conf";
const KRB5_CONF: &str = "[libdefaults]\ndns_lookup_realm = false\ndefault_realm = LAB.EXAMPLE\n";
const USER: &str = "Administrator";
const PASSWORD: &str = "Passw0rd!Lab1";
const FILTER: &str = "(|(sAMAccountName=krbtgt)(name=krbtgt))";
const ATTRIBUTE: &str = "objectSid";

/// Measures both in turn, and prints one JSON object: probes a second, a figure a round.
#[derive(Debug, Parser)]
struct Options {
    /// Address of a DC of lab.example.
    server: IpAddr,
    /// The CA file of the domain.
    ca: PathBuf,
    /// An empty folder.
    folder: PathBuf,
    /// How often each of the two is measured.
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// How long the simulated host probes in a round, in milliseconds. The real one probes once.
    #[arg(long, default_value_t = 300)]
    slice: u64,
}

fn main() -> ExitCode {
    match run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("host: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<(), Failure> {
    let host = SimulatedHost::new(options)?;
    let mut net = RealNet::new(options)?;
    let (mut simulated, mut real) = (Vec::new(), Vec::new());
    // The first round makes what is made once, and does not count.
    for round in 0..=options.rounds {
        let process = net.probe()?;
        let model = host.probes(Duration::from_millis(options.slice))?;
        if round > 0 {
            real.push(process);
            simulated.push(model);
        }
    }
    println!("{}", serde_json::json!({ "simulated": simulated, "net": real }));
    Ok(())
}

/// A simulated host with xapi's smb.conf.
struct SimulatedHost {
    runtime: Runtime,
    client: Client,
    trail: Trail,
    command: SambaCommand,
}

impl SimulatedHost {
    fn new(options: &Options) -> Result<Self, Failure> {
        let folder = options.folder.join("host");
        fs::create_dir_all(&folder)?;
        let root = HostRoot::open(&folder)?;
        root.write("/etc/samba/smb.conf", SMB_CONF.as_bytes(), 0o644)?;
        root.write(EXTRA, b"", 0o644)?;
        root.write("/etc/krb5.conf", KRB5_CONF.as_bytes(), 0o644)?;
        root.write(BUNDLE, &fs::read(&options.ca)?, 0o644)?;
        let nameservers = vec![SocketAddr::new(options.server, 53)];
        let network = SharedNetwork::new(Network { nameservers, ..Network::default() });
        let clock = Clock::system();
        let trail = Ledger::new(clock.clone()).trail(Actor::Host("host1".into()));
        let command = SambaCommand::AdsSearch {
            server: options.server.into(),
            credentials: Credentials::User { user: USER.into(), password: Secret::new(PASSWORD) },
            filter: FILTER.into(),
            attributes: vec![ATTRIBUTE.into()],
        };
        Ok(Self {
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()?,
            client: Client::new(root, network, clock, Seed::new(1)),
            trail,
            command,
        })
    }

    /// Probes for a while; probes a second.
    fn probes(&self, slice: Duration) -> Result<f64, Failure> {
        let began = Instant::now();
        let mut count = 0;
        while began.elapsed() < slice {
            let probe = self.client.run(self.command.clone(), 2, &self.trail);
            let output = self.runtime.block_on(probe);
            if !output.succeeded() || !output.stdout.contains("objectSid: S-1-5-21-") {
                return Err(format!("the model fails: {}", output.stderr).into());
            }
            count += 1;
        }
        Ok(f64::from(count) / began.elapsed().as_secs_f64())
    }
}

/// The real one, with all its files in a folder.
struct RealNet(Command);

impl RealNet {
    fn new(options: &Options) -> Result<Self, Failure> {
        let folder = options.folder.join("net");
        fs::create_dir_all(&folder)?;
        let (smb_conf, krb5_conf) = (folder.join("smb.conf"), folder.join("krb5.conf"));
        fs::write(folder.join("extra.conf"), "")?;
        fs::write(&krb5_conf, KRB5_CONF)?;
        let extra = shown(&folder.join("extra.conf"));
        let mut text = SMB_CONF.replace(BUNDLE, &shown(&options.ca)).replace(EXTRA, &extra);
        for name in ["private dir", "lock directory", "state directory", "cache directory"] {
            let place = folder.join(name.replace(' ', "-"));
            fs::create_dir_all(&place)?;
            text.push_str(&format!("{name} = {}\n", shown(&place)));
        }
        fs::write(&smb_conf, text)?;
        let mut command = Command::new("net");
        command
            .args(["ads", "search", "-s", &shown(&smb_conf), "-d", "2", "--server"])
            .arg(options.server.to_string())
            .args(["-U", &format!("{USER}%{PASSWORD}"), FILTER, ATTRIBUTE])
            .env("KRB5_CONFIG", krb5_conf);
        Ok(Self(command))
    }

    /// One probe; how many there would be in a second.
    fn probe(&mut self) -> Result<f64, Failure> {
        let began = Instant::now();
        let output = self.0.output().map_err(|error| format!("net: {error}"))?;
        let took = began.elapsed();
        let said = String::from_utf8_lossy(&output.stdout);
        if !output.status.success() || !said.contains("objectSid: S-1-5-21-") {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            return Err(format!("net fails: {said}").into());
        }
        Ok(1.0 / took.as_secs_f64())
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
