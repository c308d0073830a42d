//! The programs of one host, and what they share while they run.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU16, AtomicU64, Ordering},
    },
};

use fake_dc_kerberos::KeyCache;
use ground::{Clock, Secret, Seed, Timestamp, Trail};
use rand::RngExt as _;

use super::{
    ads::{Context, FoundDc},
    cldap,
    commands::{enctypes, join, leave, lookup, search, service, wbinfo},
    console::Console,
    dns::Resolver,
    secrets::Secrets,
    smb_conf::Settings,
};
use crate::{HostRoot, Network, Output, Programs, Running, SambaCommand, Server, SharedNetwork};

/// The Samba client programs of one host: Samba 4.22's `net` and `wbinfo`, and the service
/// `winbind`.
///
/// Every command starts by reading `smb.conf` from the host's root, as a new process would, and
/// keeps nothing in memory that the next command could see but two counters of random numbers.
#[derive(Debug)]
pub struct Client {
    root: HostRoot,
    network: SharedNetwork,
    clock: Clock,
    seed: Seed,
    dns_id: AtomicU16,
    passwords: AtomicU64,
    logins: AtomicU64,
    /// No program has it: to make a key from a password costs more than the rest of a command.
    keys: Arc<KeyCache>,
}

impl Client {
    /// The programs of the host with this root and network. `clock` is the host's own; `seed`
    /// drives the passwords of its machine account.
    pub fn new(root: HostRoot, network: SharedNetwork, clock: Clock, seed: Seed) -> Self {
        Self {
            root,
            network,
            clock,
            seed,
            dns_id: AtomicU16::new(1),
            passwords: AtomicU64::new(0),
            logins: AtomicU64::new(0),
            keys: Arc::default(),
        }
    }

    async fn execute(&self, command: SambaCommand, debug_level: u8, trail: &Trail) -> Output {
        let mut console = Console::new(debug_level);
        let settings = match Settings::load(&self.root) {
            Ok(settings) => Ok(settings),
            Err(_) if !reads_smb_conf(&command) => Settings::parse("", &self.root),
            Err(error) => Err(error),
        };
        let settings = match settings {
            Ok(settings) => settings,
            Err(_) => {
                console.error("Can't load /etc/samba/smb.conf - run testparm to debug it");
                return console.exit(255);
            }
        };
        let network = self.network.current();
        let run = Run { client: self, settings: &settings, network: &network, trail };
        match command {
            SambaCommand::CacheFlush => {
                super::winbind::flush(&self.root);
                console.exit(0)
            }
            SambaCommand::RestartWinbind => service::restart(&run, console),
            SambaCommand::StartWinbind => service::start(&run, console),
            SambaCommand::StopWinbind => service::stop(&run, console),
            SambaCommand::WinbindIsActive => service::is_active(&run, console),
            SambaCommand::Wbinfo(question) => wbinfo::run(&run, question, console).await,
            SambaCommand::WipeSecrets => match Secrets::wipe(&self.root) {
                Ok(()) => console.exit(0),
                Err(error) => {
                    console.error(&format!("rm: {error}"));
                    console.exit(1)
                }
            },
            net => {
                for warning in &settings.warnings {
                    console.error(warning);
                }
                run.net(net, console).await
            }
        }
    }
}

/// `systemctl`, `tdbtool` and `rm` are no programs of Samba's suite that read it.
fn reads_smb_conf(command: &SambaCommand) -> bool {
    !matches!(
        command,
        SambaCommand::StopWinbind | SambaCommand::WinbindIsActive | SambaCommand::WipeSecrets
    )
}

impl Programs for Client {
    fn run<'a>(&'a self, command: SambaCommand, debug_level: u8, trail: &'a Trail) -> Running<'a> {
        Box::pin(self.execute(command, debug_level, trail))
    }
}

/// One command.
#[derive(Clone, Copy, Debug)]
pub(super) struct Run<'a> {
    client: &'a Client,
    /// The host's configuration.
    pub(super) settings: &'a Settings,
    /// The host's network.
    pub(super) network: &'a Network,
    /// Where to record.
    pub(super) trail: &'a Trail,
}

impl<'a> Run<'a> {
    async fn net(&self, command: SambaCommand, console: Console) -> Output {
        match command {
            SambaCommand::AdsEnctypesSet { account, types } => {
                enctypes::set(self, &account, types, console).await
            }
            SambaCommand::AdsJoin {
                domain,
                user,
                password,
                netbios_name,
                server,
                ou,
                dns_hostname,
            } => {
                let request = join::Request {
                    domain,
                    user,
                    password,
                    machine: netbios_name.to_uppercase(),
                    server,
                    ou,
                    dns_hostname,
                };
                join::run(self, request, console).await
            }
            SambaCommand::AdsLeave { user, password } => {
                leave::run(self, user, password, console).await
            }
            SambaCommand::AdsLookup { server } => lookup::ads_lookup(self, server, console).await,
            SambaCommand::AdsSearch { server, credentials, filter, attributes } => {
                let wanted = search::Wanted::Found { filter };
                search::run(self, server, credentials, wanted, attributes, console).await
            }
            SambaCommand::AdsSid { server, credentials, sid, attributes } => {
                let wanted = search::Wanted::Account { sid };
                search::run(self, server, credentials, wanted, attributes, console).await
            }
            SambaCommand::LookupKdc { domain } => lookup::kdc(self, &domain, console).await,
            // Answered before `net` starts.
            _ => console.exit(0),
        }
    }

    /// The host's files.
    pub(super) fn root(&self) -> &'a HostRoot {
        &self.client.root
    }

    /// The host's time.
    pub(super) fn now(&self) -> Timestamp {
        self.client.clock.now()
    }

    /// What a connection to a DC needs to know.
    pub(super) fn context(&self) -> Context<'a> {
        Context {
            root: &self.client.root,
            settings: self.settings,
            network: self.network,
            clock: &self.client.clock,
            now: self.client.clock.now(),
            service_realm: None,
            dns_id: &self.client.dns_id,
            seed: self.client.seed.child("login"),
            logins: &self.client.logins,
            keys: &self.client.keys,
            trail: self.trail,
        }
    }

    /// The host's resolver.
    pub(super) fn resolver(&self) -> Resolver<'a> {
        Resolver::new(self.network, &self.client.dns_id, self.trail)
    }

    /// The first DC of a domain, in the order of its SRV records, that answers the ping.
    pub(super) async fn find_dc(&self, domain: &str) -> Option<FoundDc> {
        let service = format!("_ldap._tcp.dc._msdcs.{domain}");
        for address in self.resolver().service(&service).await.iter().map(SocketAddr::ip) {
            if let Some(answer) = cldap::ping(address, self.network, self.trail).await {
                return Some(FoundDc { address, answer });
            }
        }
        None
    }

    /// The address of the DC that `--server` names; without it, of one of the joined domain.
    pub(super) async fn address_of(&self, server: &Server) -> Option<IpAddr> {
        match server {
            Server::Address(address) => Some(*address),
            Server::Name(name) => self.resolver().host(name).await.first().copied(),
            Server::Unnamed => self.find_dc(&self.settings.realm).await.map(|dc| dc.address),
        }
    }

    /// A password for the machine account. Samba draws 120 to 255 characters of any kind; 32
    /// characters of all classes are as good here and easier to read in a capture.
    pub(super) fn new_password(&self) -> Secret {
        const CHARACTERS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
        let count = self.client.passwords.fetch_add(1, Ordering::Relaxed);
        let mut stream = self.client.seed.stream(&format!("machine password {count}"));
        let mut password = String::from("a1.Z");
        for _ in 0..28 {
            let index = stream.random_range(0..CHARACTERS.len());
            password.push(char::from(CHARACTERS[index]));
        }
        Secret::new(password)
    }
}
