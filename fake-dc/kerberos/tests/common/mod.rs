//! A realm of a few accounts, shared by the tests.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test file uses its part")]

use std::{cell::RefCell, collections::BTreeMap, sync::LazyLock, time::Duration};

use fake_dc_kerberos::{
    AsExchange, AsOutcome, ClientSecret, Credential, Error, Kdc, KeyCache, NameKind, Principal,
    PrincipalDb, PrincipalEntry, PrincipalName, Salt, TgsExchange, gss::AcceptorConfig,
};
use ground::{Clock, Secret, Seed, Stream, Timestamp, Transport, VirtualClock};

pub(crate) const REALM: &str = "CORP.EXAMPLE";
pub(crate) const PASSWORD: &str = "Passw0rd!Lab1";
pub(crate) const START: i64 = 1_780_000_000;

/// Accounts by every name that they have, in small letters.
#[derive(Default)]
pub(crate) struct Accounts {
    by_name: BTreeMap<String, PrincipalEntry>,
    pub(crate) wrong_passwords: RefCell<Vec<String>>,
}

impl Accounts {
    pub(crate) fn change(&mut self, name: &str, change: impl Fn(&mut PrincipalEntry)) {
        let name = self.by_name[name].name.clone();
        self.by_name.values_mut().filter(|entry| entry.name == name).for_each(change);
    }
}

impl PrincipalDb for Accounts {
    fn lookup(&self, name: &PrincipalName) -> Option<PrincipalEntry> {
        let mut text = name.to_string().to_lowercase();
        if name.kind == NameKind::ENTERPRISE {
            text = text.strip_suffix("@corp.example")?.to_owned();
        }
        self.by_name.get(&text).cloned()
    }

    fn wrong_password(&self, client: &PrincipalEntry) {
        self.wrong_passwords.borrow_mut().push(client.name.to_string());
    }
}

/// Made once for all tests of a file.
static KEYS: LazyLock<KeyCache> = LazyLock::new(KeyCache::default);

pub(crate) fn accounts() -> Accounts {
    let password = Secret::new(PASSWORD);
    let entry = |name: PrincipalName, salt: &str, is_service| PrincipalEntry {
        is_service,
        ..PrincipalEntry::new(name, KEYS.keys(&password, salt, 2))
    };
    let krbtgt = entry(PrincipalName::ticket_granting(REALM), "CORP.EXAMPLEkrbtgt", true);
    let change = PrincipalEntry { name: PrincipalName::change_password(), ..krbtgt.clone() };
    let dc1 = entry(PrincipalName::account("DC1$"), &Salt::of_computer(REALM, "DC1$"), true);
    let alice = entry(PrincipalName::account("Alice"), &Salt::of_user(REALM, "Alice"), false);
    let by_name = [
        ("krbtgt/corp.example", &krbtgt),
        ("krbtgt/corp", &krbtgt),
        ("kadmin/changepw", &change),
        ("dc1$", &dc1),
        ("ldap/dc1.corp.example", &dc1),
        ("host/dc1.corp.example", &dc1),
        ("cifs/dc1.corp.example", &dc1),
        ("alice", &alice),
    ];
    Accounts {
        by_name: by_name.map(|(name, entry)| (name.to_owned(), entry.clone())).into(),
        wrong_passwords: RefCell::default(),
    }
}

/// A realm, its time, and a client in it.
pub(crate) struct Lab {
    pub(crate) time: VirtualClock,
    pub(crate) kdc: Kdc<Accounts>,
    pub(crate) random: Stream,
}

impl Lab {
    pub(crate) fn new() -> Self {
        Self::with(accounts())
    }

    pub(crate) fn with(accounts: Accounts) -> Self {
        let time = VirtualClock::starting_at(Timestamp::from_unix(START));
        let kdc = Kdc::new("corp.example", "CORP", accounts, time.clock());
        Self { time, kdc, random: Seed::new(7).stream("kerberos") }
    }

    pub(crate) fn clock(&self) -> Clock {
        self.time.clock()
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.time.advance(Duration::from_secs(seconds));
    }

    /// Asks the KDC over TCP.
    pub(crate) fn ask(&mut self, request: &[u8]) -> Vec<u8> {
        self.kdc.answer(request, Transport::Tcp, &mut self.random).unwrap().bytes
    }

    pub(crate) fn run(&mut self, mut exchange: AsExchange) -> Result<Credential, Error> {
        loop {
            let answer = self.ask(exchange.request());
            if let AsOutcome::Ticket(ticket) = exchange.answer(&answer, &mut self.random)? {
                return Ok(*ticket);
            }
        }
    }

    pub(crate) fn log_on(
        &mut self,
        name: PrincipalName,
        password: &str,
    ) -> Result<Credential, Error> {
        let client = Principal { name, realm: REALM.to_owned() };
        let secret = ClientSecret::Password(Secret::new(password));
        let clock = self.clock();
        let exchange = AsExchange::new(client, secret, clock, &mut self.random);
        self.run(exchange)
    }

    pub(crate) fn alice(&mut self) -> Credential {
        self.log_on(PrincipalName::account("alice"), PASSWORD).unwrap()
    }

    pub(crate) fn ticket(
        &mut self,
        granting: &Credential,
        service: PrincipalName,
    ) -> Result<Credential, Error> {
        let clock = self.clock();
        let exchange = TgsExchange::new(granting, service, &clock, &mut self.random);
        let answer = self.ask(exchange.request());
        exchange.answer(&answer)
    }
}

/// The service that every client of a DC asks for.
pub(crate) fn ldap() -> PrincipalName {
    PrincipalName::service("ldap", "dc1.corp.example")
}

impl Lab {
    /// Alice's ticket for the DC.
    pub(crate) fn ldap_ticket(&mut self) -> Credential {
        let granting = self.alice();
        self.ticket(&granting, ldap()).unwrap()
    }

    /// The DC's side of a connection.
    pub(crate) fn acceptor(&self) -> AcceptorConfig {
        let keys = accounts().lookup(&ldap()).unwrap().keys;
        AcceptorConfig::new(ldap(), REALM, vec![keys], self.clock())
    }
}
