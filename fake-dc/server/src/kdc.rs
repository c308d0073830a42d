//! Kerberos over UDP and TCP (RFC 4120, section 7.2): the sockets of the KDC, and the directory's
//! accounts as its principals.

mod trusts;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use fake_dc_directory::{AccountName, Directory, Flavour, LogonAccount, LogonRestriction};
use fake_dc_kerberos::{
    AccountState, Error, Etype, Frame, Kdc, KdcFlavour, KdcPolicy, KeyCache, Keys, Keytab,
    LogonInfo, NameKind, Partner, Principal, PrincipalDb, PrincipalEntry, PrincipalName, Salt,
    Summary, frame, unframe,
};
use ground::{Secret, Seed, Stream as Dice, Trail, Transport};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{Instant, timeout, timeout_at},
};

use crate::{
    dc::Dc,
    domain::Common,
    facts::{Garbage, KdcRequest, Listener},
    gate::Passage,
    limits,
    route::Way,
    stream::Stream,
};

/// What the KDCs of a domain share beside its directory.
#[derive(Debug)]
pub(crate) struct Kerberos {
    keys: KeyCache,
    seed: Seed,
    requests: AtomicU64,
}

impl Kerberos {
    pub(crate) fn new(seed: &Seed) -> Self {
        Self { keys: KeyCache::default(), seed: seed.child("kdc"), requests: AtomicU64::default() }
    }

    /// Numbers that nobody else draws: requests need not wait for each other.
    pub(crate) fn random(&self) -> Dice {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        self.seed.stream(&number.to_string())
    }
}

/// The keys of the KDC's own services.
pub(crate) fn own_keys(dc: &Dc) -> Vec<Arc<Keys>> {
    let own = Principals::of(&dc.domain).own_service(PrincipalName::change_password());
    own.map(|own| own.keys).into_iter().collect()
}

/// The keys of the DC's own account, which open the tickets of its services.
pub(crate) fn machine_keys(dc: &Dc) -> Vec<Arc<Keys>> {
    let domain = &dc.domain;
    let principals = Principals::of(domain);
    let name = format!("{}$", dc.view.name);
    let account = domain.directory.logon_account(AccountName::Account(&name));
    account.map(|account| principals.entry(account).keys).into_iter().collect()
}

/// The keytab of an account, under its own name and those of its services; `None` if there is no
/// such account.
pub(crate) fn keytab(domain: &Common, account: &str) -> Option<Keytab> {
    let principals = Principals::of(domain);
    let account = domain.directory.logon_account(AccountName::Account(account))?;
    let services = account.services.clone();
    let entry = principals.entry(account);
    let services = services.iter().map(|name| PrincipalName {
        kind: NameKind::SERVICE_HOST,
        parts: name.split('/').map(str::to_owned).collect(),
    });
    let mut keytab = Keytab::new();
    for name in [entry.name.clone()].into_iter().chain(services) {
        let principal = Principal { name, realm: domain.name.to_uppercase() };
        keytab.add(&principal, &entry.keys, domain.clock.now());
    }
    Some(keytab)
}

/// The answer to a datagram that came along `way`.
pub(crate) fn answer_datagram(way: &Way, trail: &Trail, datagram: &[u8]) -> Option<Vec<u8>> {
    if way.datagram_passage(Listener::Kdc) == Passage::Swallow {
        return None;
    }
    answer(&way.dc, trail, datagram, Transport::Udp)
}

/// Answers the requests of one connection, in order.
pub(crate) async fn serve_stream(dc: &Dc, trail: &Trail, mut stream: Stream) {
    let mut input = Vec::new();
    let mut deadline = Instant::now() + limits::KDC_IDLE;
    loop {
        match unframe(&input) {
            Ok(Frame::Message { message, consumed }) => {
                let Some(answer) = answer(dc, trail, message, Transport::Tcp) else { return };
                let answer = frame(&answer);
                let sending = stream.write_all(&answer);
                let Ok(Ok(())) = timeout(limits::WRITE, sending).await else { return };
                input.drain(..consumed);
                deadline = Instant::now() + limits::KDC_IDLE;
            }
            Ok(Frame::Incomplete { .. }) => {
                match timeout_at(deadline, stream.read_buf(&mut input)).await {
                    Ok(Ok(size)) if size > 0 => {}
                    _ => return,
                }
            }
            Err(error) => return garbage(trail, &error),
        }
    }
}

fn answer(dc: &Dc, trail: &Trail, request: &[u8], transport: Transport) -> Option<Vec<u8>> {
    let domain = &dc.domain;
    let kerberos = &domain.kerberos;
    let faults = &dc.condition().faults;
    let faults = || faults.server(Listener::Kdc);
    let logon_server = dc.view.name.to_uppercase();
    let mut conduct = Conduct { clock_offset: 0, policy: policy(domain.directory.flavour()) };
    faults().for_each(|fault| fault.kdc(&mut conduct));
    let directory = dc.directory(Listener::Kdc);
    let principals = Faulty {
        principals: Principals {
            directory: &directory,
            keys: &kerberos.keys,
            logon_server: &logon_server,
        },
        change: |found: &mut Found<'_>| faults().for_each(|fault| fault.kdc_finds(found)),
    };
    let clock = dc.clock(Listener::Kdc).offset_by(conduct.clock_offset);
    let kdc =
        Kdc::new(&domain.name, directory.netbios_name(), principals, clock).policy(conduct.policy);
    let mut random = kerberos.random();
    let answer = Summary::of_request(request).and_then(|asked| {
        match faults().find_map(|fault| fault.kdc_refusal(&asked)) {
            Some(code) => kdc.refuse(request, code),
            None => kdc.answer(request, transport, &mut random),
        }
    });
    match answer {
        Ok(mut answer) => {
            let summary = answer.summary;
            trail.record(KdcRequest {
                request: summary.request,
                client: summary.client,
                service: summary.service,
                error: summary.error.map(|code| code.to_string()),
            });
            faults().for_each(|fault| fault.kdc_bytes(&mut answer.bytes));
            Some(answer.bytes)
        }
        Err(error) => {
            garbage(trail, &error);
            None
        }
    }
}

/// What a KDC of that product goes by.
fn policy(flavour: Flavour) -> KdcPolicy {
    /// `kdc default max datagram reply length` of Samba, which Heimdal has as 1400.
    const SAMBA_DATAGRAM_BYTES_MAX: usize = 1_400;
    match flavour {
        Flavour::Samba4_22 => KdcPolicy {
            flavour: KdcFlavour::Samba,
            datagram_answer_bytes_max: SAMBA_DATAGRAM_BYTES_MAX,
            ..KdcPolicy::default()
        },
        _ => KdcPolicy::default(),
    }
}

/// What a KDC goes by, for faults to change.
#[derive(Debug)]
pub(crate) struct Conduct {
    /// By how many seconds its clock differs from the DC's.
    pub(crate) clock_offset: i64,
    pub(crate) policy: KdcPolicy,
}

/// What a KDC finds under a name, for faults to change.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub(crate) asked: &'a PrincipalName,
    pub(crate) entry: Option<PrincipalEntry>,
    keys: &'a KeyCache,
}

impl Found<'_> {
    /// The name of the account, if that is what was asked for.
    pub(crate) fn account(&self) -> Option<&str> {
        let [_] = self.asked.parts.as_slice() else { return None };
        Some(self.entry.as_ref()?.name.parts.first()?)
    }

    /// The class of the service, `ldap`, if a host's was asked for.
    pub(crate) fn service_class(&self) -> Option<&str> {
        is_host_service(&self.asked.to_string())
            .then(|| self.asked.parts.first())?
            .map(|class| &**class)
    }

    /// Whether the KDC's own ticket-granting service was asked for.
    pub(crate) fn is_ticket_granting(&self) -> bool {
        self.asked.parts.first().is_some_and(|class| class.eq_ignore_ascii_case(KRBTGT))
    }

    /// Puts the account into that state.
    pub(crate) fn be(&mut self, state: AccountState) {
        if let Some(entry) = &mut self.entry {
            entry.state = state;
        }
    }

    /// Puts other keys in place of those that are in use everywhere else.
    pub(crate) fn have_other_keys(&mut self) {
        if let Some(entry) = &mut self.entry {
            let password = Secret::new("the password that was before");
            entry.keys = self.keys.keys(&password, entry.keys.salt(), entry.keys.version());
        }
    }
}

/// Whether a name such as `ldap/dc1.corp.example` is that of a host's service, and not of the KDC's
/// own.
pub(crate) fn is_host_service(name: &str) -> bool {
    let own = |class: &str| class.eq_ignore_ascii_case(KRBTGT) || class == "kadmin";
    name.split_once('/').is_some_and(|(class, _)| !own(class))
}

/// Principals as faults let them be found.
struct Faulty<'a, F> {
    principals: Principals<'a>,
    change: F,
}

impl<F: Fn(&mut Found<'_>)> PrincipalDb for Faulty<'_, F> {
    fn lookup(&self, name: &PrincipalName) -> Option<PrincipalEntry> {
        let entry = self.principals.lookup(name);
        let mut found = Found { asked: name, entry, keys: self.principals.keys };
        (self.change)(&mut found);
        found.entry
    }

    fn lookup_client(&self, name: &PrincipalName) -> Option<PrincipalEntry> {
        let entry = self.principals.lookup_client(name);
        let mut found = Found { asked: name, entry, keys: self.principals.keys };
        (self.change)(&mut found);
        found.entry
    }

    fn partner(&self, realm: &str) -> Option<Partner> {
        self.principals.partner(realm)
    }

    fn partner_of(&self, name: &PrincipalName) -> Option<Partner> {
        self.principals.partner_of(name)
    }

    fn wrong_password(&self, client: &PrincipalEntry) {
        self.principals.wrong_password(client);
    }

    fn right_password(&self, client: &PrincipalEntry) {
        self.principals.right_password(client);
    }
}

fn garbage(trail: &Trail, error: &Error) {
    let reason = error.to_string();
    trail.record(Garbage { listener: Listener::Kdc, layer: "kerberos", reason });
}

/// The accounts of a directory as principals of its realm.
struct Principals<'a> {
    directory: &'a Directory,
    keys: &'a KeyCache,
    /// NetBIOS name of the DC that asks.
    logon_server: &'a str,
}

impl PrincipalDb for Principals<'_> {
    fn lookup(&self, name: &PrincipalName) -> Option<PrincipalEntry> {
        let directory = self.directory;
        match name.parts.as_slice() {
            [account] if name.kind == NameKind::ENTERPRISE && account.contains('@') => {
                let account = directory.logon_account(AccountName::UserPrincipal(account))?;
                Some(self.entry(account))
            }
            [account] => Some(self.entry(directory.logon_account(AccountName::Account(account))?)),
            [service, realm] if service.eq_ignore_ascii_case(KRBTGT) => {
                let ours = realm.eq_ignore_ascii_case(directory.dns_name())
                    || realm.eq_ignore_ascii_case(directory.netbios_name());
                let realm = directory.dns_name().to_uppercase();
                if ours { self.own_service(PrincipalName::ticket_granting(realm)) } else { None }
            }
            _ if name.same(&PrincipalName::change_password()) => {
                self.own_service(PrincipalName::change_password())
            }
            parts => {
                let service = parts.join("/");
                Some(self.entry(directory.logon_account(AccountName::Service(&service))?))
            }
        }
    }

    /// By account name, or by the front of a user principal name in this domain, which may be that
    /// of a service: `host/host1.corp.example`.
    fn lookup_client(&self, name: &PrincipalName) -> Option<PrincipalEntry> {
        if let [_] = name.parts.as_slice() {
            let found = self.lookup(name);
            if found.is_some() || name.kind == NameKind::ENTERPRISE {
                return found;
            }
        }
        let name = format!("{name}@{}", self.directory.dns_name());
        let account = self.directory.logon_account(AccountName::UserPrincipal(&name))?;
        Some(self.entry(account))
    }

    fn partner(&self, realm: &str) -> Option<Partner> {
        trusts::partner(self.directory, self.keys, realm)
    }

    fn partner_of(&self, name: &PrincipalName) -> Option<Partner> {
        trusts::partner_of(self.directory, self.keys, name)
    }

    fn wrong_password(&self, client: &PrincipalEntry) {
        self.directory.wrong_password_tried(&client.name.to_string());
    }

    fn right_password(&self, client: &PrincipalEntry) {
        self.directory.right_password_given(&client.name.to_string());
    }
}

impl<'a> Principals<'a> {
    fn of(domain: &'a Common) -> Self {
        Self { directory: &domain.directory, keys: &domain.kerberos.keys, logon_server: "" }
    }

    fn entry(&self, account: LogonAccount) -> PrincipalEntry {
        // Of `userAccountControl` ([MS-ADTS] 2.2.16).
        const TRUSTED_FOR_DELEGATION: i64 = 0x8_0000;
        const NOT_DELEGATED: i64 = 0x10_0000;
        const DONT_REQUIRE_PREAUTH: i64 = 0x40_0000;
        let salt = self.salt(&account);
        let keys = self.keys.keys(&account.password, &salt, account.key_version);
        let (ticket_etypes, session_etypes) = etypes(&account);
        PrincipalEntry {
            logon: Some(Arc::new(self.logon_info(&account))),
            ticket_etypes,
            session_etypes,
            trusted_for_delegation: account.control & TRUSTED_FOR_DELEGATION != 0,
            may_be_delegated: account.control & NOT_DELEGATED == 0,
            state: match account.restriction {
                None => AccountState::Active,
                Some(LogonRestriction::Disabled) => AccountState::Disabled,
                Some(LogonRestriction::Expired) => AccountState::Expired,
                Some(LogonRestriction::LockedOut) => AccountState::LockedOut,
                Some(LogonRestriction::MustChangePassword) => AccountState::MustChangePassword,
                Some(LogonRestriction::PasswordExpired) => AccountState::PasswordExpired,
            },
            password_expires: account.password_expires,
            requires_preauthentication: account.control & DONT_REQUIRE_PREAUTH == 0,
            is_service: !account.services.is_empty(),
            ..PrincipalEntry::new(PrincipalName::account(account.name), keys)
        }
    }

    /// What a PAC says of an account.
    fn logon_info(&self, account: &LogonAccount) -> LogonInfo {
        /// Asserted by a KDC that has seen the password ([MS-SFU] 3.2.5.1.2).
        const AUTHENTICATION_AUTHORITY_ASSERTED_IDENTITY: [u8; 12] =
            [1, 1, 0, 0, 0, 0, 0, 18, 1, 0, 0, 0];
        let domain = self.directory.domain_sid();
        LogonInfo {
            account: account.name.clone(),
            user_principal_name: account.user_principal_name.clone(),
            full_name: account.full_name.clone(),
            logon_server: self.logon_server.to_owned(),
            netbios_domain: self.directory.netbios_name().to_owned(),
            dns_domain: self.directory.dns_name().to_owned(),
            domain_sid: domain.as_bytes().to_vec(),
            rid: account.sid.rid_in(domain).unwrap_or_default(),
            primary_group: account.primary_group,
            groups: account.groups.iter().filter_map(|group| group.rid_in(domain)).collect(),
            extra_sids: vec![AUTHENTICATION_AUTHORITY_ASSERTED_IDENTITY.to_vec()],
            control: u32::try_from(account.control).unwrap_or_default(),
            password_set: account.password_set,
            password_expires: account
                .password_expires
                .map_or(i64::MAX, |expires| expires.to_file_time()),
        }
    }

    /// A service of the KDC itself: it has the keys of the account `krbtgt`, which is disabled so
    /// that nobody logs on with it.
    fn own_service(&self, name: PrincipalName) -> Option<PrincipalEntry> {
        let account = self.directory.logon_account(AccountName::Account(KRBTGT))?;
        let state = AccountState::Active;
        let ticket_etypes = Etype::AES.to_vec();
        let entry = self.entry(account);
        Some(PrincipalEntry { name, state, is_service: true, ticket_etypes, ..entry })
    }

    /// A user's salt has the front of the user principal name where there is one
    /// (`smb_krb5_salt_principal` of Samba 4.22). Really it is that of the time when the password
    /// was set; here it follows a renamed account.
    fn salt(&self, account: &LogonAccount) -> String {
        let realm = self.directory.dns_name();
        if account.is_computer {
            return Salt::of_computer(realm, &account.name);
        }
        let principal = account.user_principal_name.as_deref();
        let front = principal.map(|name| name.split_once('@').map_or(name, |(front, _)| front));
        Salt::of_user(realm, front.unwrap_or(&account.name))
    }
}

/// The encryption types of tickets for an account, and of the keys in them ([MS-KILE] 2.2.7,
/// 3.3.5.7).
///
/// An account that says nothing has what the domain assumes (`DefaultDomainSupportedEncTypes` of
/// Windows Server 2022, `kdc default domain supported enctypes` of Samba 4.22): tickets of RC4,
/// keys of AES. A DC always has AES.
fn etypes(account: &LogonAccount) -> (Vec<Etype>, Vec<Etype>) {
    const SERVER_TRUST_ACCOUNT: i64 = 0x2000;
    /// Keys are of AES where tickets are not.
    const AES256_SESSION: i64 = 0x20;
    const ASSUMED: i64 = 0x4 | AES256_SESSION;
    const OF_DC: i64 = 0x1c;
    let is_dc = account.control & SERVER_TRUST_ACCOUNT != 0;
    let assumed = if is_dc { OF_DC } else { ASSUMED };
    let supported = account.supported_etypes.filter(|&bits| bits & 0x3c != 0).unwrap_or(assumed);
    let bit = |etype| match etype {
        Etype::Rc4 => 0x4,
        Etype::Aes128 => 0x8,
        Etype::Aes256 => 0x10,
    };
    let session = if supported & AES256_SESSION != 0 { supported | 0x18 } else { supported };
    let of = |bits| Etype::ALL.into_iter().filter(|&etype| bits & bit(etype) != 0).collect();
    (of(supported), of(session))
}

const KRBTGT: &str = "krbtgt";
