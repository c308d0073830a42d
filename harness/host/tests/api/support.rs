//! A pool whose Samba programs follow rules, and short ways to call and look at it.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};

use ground::{Actor, Ledger, Seed, Skew, Timestamp, Trail, VirtualClock};
use sim_host::{
    ApiError, AuthConfig, Call, CallResult, Credentials, Host, HostConfig, HostRoot, Output, Pool,
    PoolConfig, Profile, Programs, Quirk, Quirks, Running, SambaCommand, Server, SharedNetwork,
    Wbinfo,
};

pub(crate) const DOMAIN: &str = "corp.example";
pub(crate) const LDAPS_BUNDLE: &str = sim_host::LDAPS_BUNDLE;
pub(crate) const GENERAL_BUNDLE: &str = sim_host::GENERAL_BUNDLE;

pub(crate) const UNTRUSTED: &str =
    "Windows cannot verify the digital signature for this file. A recent hardware";
pub(crate) const TLS_FAILED: &str =
    "tstream_tls_sync_setup: GNUTLS ERROR: A TLS fatal alert has been received.";
pub(crate) const WRONG_PASSWORD: &str =
    "The attempted logon is invalid: bad username or authentication information.";

/// What a DC, or a program, answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Good,
    NoSid,
    /// Exit 255 with this on stderr.
    Fails(&'static str),
}

#[derive(Clone, Debug)]
pub(crate) struct Dc {
    pub(crate) workgroup: Option<&'static str>,
    pub(crate) ldap: Answer,
    pub(crate) ldaps: Answer,
}

impl Dc {
    pub(crate) fn good() -> Self {
        Self { workgroup: Some("CORP"), ldap: Answer::Good, ldaps: Answer::Good }
    }

    pub(crate) fn ldaps(answer: Answer) -> Self {
        Self { ldaps: answer, ..Self::good() }
    }
}

/// The rules of one host's programs.
#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) dcs: Vec<Dc>,
    /// Instead of the list of `dcs`.
    pub(crate) kdc_lines: Option<&'static str>,
    pub(crate) join: Answer,
    pub(crate) leave: Answer,
    pub(crate) restart: Answer,
    pub(crate) ready: Answer,
}

#[derive(Debug)]
pub(crate) struct Script {
    root: HostRoot,
    rules: Mutex<Rules>,
    log: Mutex<Vec<String>>,
    gives_way: AtomicBool,
}

impl Script {
    /// From now on other callers go on while a program runs.
    pub(crate) fn gives_way(&self) {
        self.gives_way.store(true, Ordering::SeqCst);
    }

    fn answer(&self, command: &SambaCommand) -> (String, Output) {
        let rules = self.rules.lock().unwrap().clone();
        let plain = |line: &str, answer: &Answer| (line.to_owned(), output(answer, ""));
        match command {
            SambaCommand::AdsJoin { netbios_name, server, ou, .. } => {
                let server = server.map_or(String::new(), |server| format!(" -S {server}"));
                let ou = ou.as_ref().map_or(String::new(), |ou| format!(" ou={ou}"));
                plain(&format!("join {netbios_name}{server}{ou}"), &rules.join)
            }
            SambaCommand::AdsLeave { user, .. } => plain(&format!("leave {user}"), &rules.leave),
            SambaCommand::AdsLookup { server } => {
                let text = match rules.dcs[index(*server)].workgroup {
                    Some(name) => format!("Forest:\t\tcorp.example\nPre-Win2k Domain:\t{name}\n"),
                    None => String::new(),
                };
                (format!("basics {server}"), output(&Answer::Good, &text))
            }
            SambaCommand::AdsSid { sid, .. } => (format!("sid {sid}"), output(&Answer::Good, "")),
            SambaCommand::AdsSearch { server, credentials, filter, .. } => {
                assert_eq!(filter, "(|(sAMAccountName=KRBTGT)(name=KRBTGT))");
                let conf = self.root.read_text_if_present(sim_host::smb_conf::PATH).unwrap();
                let probed = match server {
                    Server::Address(address) => Some(*address),
                    Server::Name(_) | Server::Unnamed => None,
                };
                let server = probed.expect("a probe names an address");
                let dc = &rules.dcs[index(server)];
                let (how, answer) = if conf.unwrap().contains("sasl wrapping = ldaps") {
                    ("ldaps", &dc.ldaps)
                } else {
                    ("ldap", &dc.ldap)
                };
                let who = match credentials {
                    Credentials::Machine => "machine",
                    Credentials::User { user, .. } => user,
                };
                let sid = "Got 1 replies\n\nobjectSid: S-1-5-21-1-2-3-502\n";
                (format!("search {server} {how} {who}"), output(answer, sid))
            }
            SambaCommand::CacheFlush => plain("flush", &Answer::Good),
            SambaCommand::LookupKdc { domain } => {
                let lines: String =
                    (0..rules.dcs.len()).map(|n| format!("{}:88\n", address(n))).collect();
                let lines = rules.kdc_lines.map_or(lines, str::to_owned);
                (format!("kdcs {domain}"), output(&Answer::Good, &lines))
            }
            SambaCommand::AdsEnctypesSet { account, types } => {
                plain(&format!("enctypes {account} {types}"), &Answer::Good)
            }
            SambaCommand::RestartWinbind => plain("restart", &rules.restart),
            SambaCommand::StartWinbind => plain("start", &rules.restart),
            SambaCommand::StopWinbind => plain("stop", &Answer::Good),
            SambaCommand::Wbinfo(Wbinfo::NameToSid { name }) => {
                plain(&format!("wbinfo {name}"), &rules.ready)
            }
            SambaCommand::Wbinfo(_) => plain("wbinfo", &Answer::Good),
            SambaCommand::WinbindIsActive => plain("is-active", &Answer::Good),
            SambaCommand::WipeSecrets => plain("wipe", &Answer::Good),
        }
    }
}

impl Programs for Script {
    fn run<'a>(&'a self, command: SambaCommand, _level: u8, _trail: &'a Trail) -> Running<'a> {
        let (line, output) = self.answer(&command);
        self.log.lock().unwrap().push(line);
        let gives_way = self.gives_way.load(Ordering::SeqCst);
        Box::pin(async move {
            if gives_way {
                tokio::task::yield_now().await;
            }
            output
        })
    }
}

fn output(answer: &Answer, stdout: &str) -> Output {
    match answer {
        Answer::Good => Output { exit: 0, stdout: stdout.into(), stderr: String::new() },
        Answer::NoSid => {
            Output { exit: 0, stdout: "Got 0 replies\n".into(), stderr: String::new() }
        }
        Answer::Fails(text) => {
            Output { exit: 255, stdout: format!("said {text}"), stderr: (*text).into() }
        }
    }
}

pub(crate) fn address(dc: usize) -> IpAddr {
    Ipv4Addr::new(10, 0, 0, u8::try_from(dc + 1).unwrap()).into()
}

fn index(address: IpAddr) -> usize {
    (0..).find(|dc| self::address(*dc) == address).unwrap()
}

/// What to build.
pub(crate) struct Plan {
    pub(crate) profile: Profile,
    pub(crate) quirks: Quirks,
    pub(crate) hostnames: Vec<Option<String>>,
    pub(crate) xapi_conf: Option<String>,
}

impl Plan {
    pub(crate) fn new(profile: Profile, hosts: usize) -> Self {
        Self { profile, quirks: Quirks::of(profile), hostnames: vec![None; hosts], xapi_conf: None }
    }

    pub(crate) fn quirk(mut self, quirk: Quirk, on: bool) -> Self {
        self.quirks = self.quirks.with(quirk, on);
        self
    }

    pub(crate) fn hostnames(mut self, names: &[&str]) -> Self {
        self.hostnames = names.iter().map(|name| Some((*name).to_owned())).collect();
        self
    }

    pub(crate) fn conf(mut self, text: &str) -> Self {
        self.xapi_conf = Some(text.to_owned());
        self
    }

    pub(crate) fn build(self) -> Rig {
        let directory = tempfile::tempdir().unwrap();
        let start = "2026-01-04T06:38:29Z".parse::<Timestamp>().unwrap();
        let time = VirtualClock::starting_at(start);
        let ledger = Ledger::new(time.clock());
        let trail = ledger.trail(Actor::Runner);
        let mut scripts = Vec::new();
        let mut hosts = Vec::new();
        for (number, hostname) in self.hostnames.into_iter().enumerate() {
            let name = format!("host{}", number + 1);
            let root = directory.path().join(&name);
            let script = Arc::new(Script {
                root: HostRoot::open(&root).unwrap(),
                rules: Mutex::new(Rules {
                    dcs: vec![Dc::good()],
                    kdc_lines: None,
                    join: Answer::Good,
                    leave: Answer::Good,
                    restart: Answer::Good,
                    ready: Answer::Good,
                }),
                log: Mutex::default(),
                gives_way: AtomicBool::default(),
            });
            scripts.push(Arc::clone(&script));
            hosts.push(HostConfig {
                name,
                hostname,
                address: Ipv4Addr::LOCALHOST.into(),
                root,
                network: SharedNetwork::default(),
                clock: time.clock(),
                skew: Skew::default(),
                xapi_conf: self.xapi_conf.clone(),
                programs: Some(script),
            });
        }
        let pool = Pool::create(PoolConfig {
            name: "pool".into(),
            profile: self.profile,
            quirks: self.quirks,
            seed: Seed::new(1),
            root_password: ground::Secret::new("xenroot"),
            hosts,
            trail: trail.clone(),
        })
        .unwrap();
        Rig { pool, ledger, trail, time, scripts, _directory: directory }
    }
}

pub(crate) struct Rig {
    pub(crate) pool: Pool,
    pub(crate) ledger: Ledger,
    pub(crate) trail: Trail,
    pub(crate) time: VirtualClock,
    pub(crate) scripts: Vec<Arc<Script>>,
    _directory: tempfile::TempDir,
}

impl Rig {
    pub(crate) fn landed(hosts: usize) -> Self {
        Plan::new(Profile::Landed, hosts).build()
    }

    pub(crate) fn design(hosts: usize) -> Self {
        Plan::new(Profile::DesignV1, hosts).build()
    }

    pub(crate) fn host(&self, number: usize) -> Arc<Host> {
        self.pool.host(&format!("host{number}")).unwrap()
    }

    pub(crate) fn reference(&self, number: usize) -> String {
        self.host(number).reference().to_string()
    }

    pub(crate) async fn call(&self, call: Call) -> Result<(), ApiError> {
        self.pool.call(call, &self.trail).await.map(|result| assert_eq!(result, CallResult::Void))
    }

    pub(crate) async fn install(&self, pem: &str, purpose: &[&str]) -> Result<(), ApiError> {
        self.call(install(true, pem, purpose)).await
    }

    pub(crate) async fn enable(&self, config: &[(&str, &str)]) -> Result<(), ApiError> {
        let config = [("user", "Administrator"), ("pass", PASSWORD)]
            .into_iter()
            .chain(config.iter().copied())
            .collect();
        self.enable_with(config, "AD").await
    }

    pub(crate) async fn enable_with(
        &self,
        config: AuthConfig,
        auth_type: &str,
    ) -> Result<(), ApiError> {
        self.call(Call::PoolEnableExternalAuth {
            pool: None,
            config,
            service_name: DOMAIN.into(),
            auth_type: auth_type.into(),
        })
        .await
    }

    pub(crate) async fn disable(&self, config: &[(&str, &str)]) -> Result<(), ApiError> {
        let config = config.iter().copied().collect();
        self.call(Call::PoolDisableExternalAuth { pool: None, config }).await
    }

    pub(crate) async fn set_ldaps(&self, ldaps: bool) -> Result<(), ApiError> {
        self.call(Call::PoolExternalAuthSetLdaps { pool: None, ldaps, force: None }).await
    }

    pub(crate) async fn force_ldaps(&self, ldaps: bool) -> Result<(), ApiError> {
        self.call(Call::PoolExternalAuthSetLdaps { pool: None, ldaps, force: Some(true) }).await
    }

    pub(crate) async fn restart(&self, number: usize) {
        self.pool.restart(&format!("host{number}"), &self.trail).await.unwrap();
        self.let_go_by(0).await;
    }

    /// So much time goes by, and what falls due meanwhile is done.
    pub(crate) async fn let_go_by(&self, seconds: i64) {
        let clock = self.time.clock();
        let until = clock.now().plus_seconds(seconds);
        while let Some(due) = self.pool.next_due().filter(|due| due.at <= until.max(clock.now())) {
            self.time.move_to(due.at);
            if !self.pool.pass_over(&due, &self.trail) {
                self.pool.perform(due, &self.trail).await;
            }
        }
        self.time.move_to(until);
    }

    /// Changes the rules of one host.
    pub(crate) fn rules(&self, number: usize, change: impl FnOnce(&mut Rules)) {
        change(&mut self.scripts[number - 1].rules.lock().unwrap());
    }

    /// Changes the DCs that every host sees.
    pub(crate) fn dcs(&self, dcs: &[Dc]) {
        for number in 1..=self.scripts.len() {
            self.rules(number, |rules| rules.dcs = dcs.to_vec());
        }
    }

    /// The commands of one host since the last look.
    pub(crate) fn log(&self, number: usize) -> Vec<String> {
        std::mem::take(&mut self.scripts[number - 1].log.lock().unwrap())
    }

    /// Names of the certificates in a directory, without the links to them.
    pub(crate) fn certificate_files(&self, number: usize, directory: &str) -> Vec<String> {
        let mut names = self.host(number).root().list(directory).unwrap();
        names.retain(|name| name.ends_with(".pem"));
        names
    }

    pub(crate) fn text(&self, number: usize, path: &str) -> Option<String> {
        self.host(number).root().read_text_if_present(path).unwrap()
    }

    /// A key of `external_auth_configuration` on one host.
    pub(crate) fn key(&self, number: usize, key: &str) -> Option<String> {
        self.record(number).external_auth_configuration.get(key).cloned()
    }

    pub(crate) fn record(&self, number: usize) -> sim_host::HostRecord {
        self.pool.database_view().host(self.host(number).reference()).unwrap().clone()
    }

    /// `seal`, `ldaps` or nothing, as smb.conf says.
    pub(crate) fn wrapping(&self, number: usize) -> Option<String> {
        self.line(number, "client ldap sasl wrapping")
    }

    pub(crate) fn line(&self, number: usize, key: &str) -> Option<String> {
        let text = self.text(number, sim_host::smb_conf::PATH)?;
        text.lines().find_map(|line| Some(line.strip_prefix(key)?.strip_prefix(" = ")?.to_owned()))
    }

    pub(crate) fn kinds(&self) -> Vec<&'static str> {
        self.ledger.events().iter().map(|event| event.kind()).collect()
    }
}

pub(crate) const PASSWORD: &str = "Passw0rd!Lab1";

pub(crate) fn install(ca: bool, pem: &str, purpose: &[&str]) -> Call {
    Call::PoolInstallTrustedCertificate {
        pool: None,
        ca,
        certificate: pem.to_owned(),
        purpose: purpose.iter().map(|word| (*word).to_owned()).collect(),
    }
}

/// The root of a made domain: valid at the start of the rig's clock.
pub(crate) fn authority(domain: &str) -> String {
    let now = "2026-01-04T06:38:29Z".parse::<Timestamp>().unwrap();
    fake_dc_pki::Pki::new(&Seed::new(1), now, domain).unwrap().root_pem().to_owned()
}

pub(crate) fn error<const N: usize>(code: &str, params: [&str; N]) -> Result<(), ApiError> {
    Err(ApiError::new(code, params))
}
