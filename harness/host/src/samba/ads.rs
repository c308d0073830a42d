//! From a DC's address to a bound LDAP connection: `ads_connect_creds` of Samba 4.22.
//!
//! The order is the real one: CLDAP ping, TCP, TLS, verdict, `currentTime`, Kerberos, and a bind
//! with GSS-SPNEGO, bound to TLS where there is TLS and signed or sealed where there is none.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU16, AtomicU64, Ordering},
    },
};

use fake_dc_kerberos::{
    Credential, KeyCache, PrincipalName,
    gss::{ChannelBindings, GssFlags, Initiator, InitiatorConfig, Mechanism, SecurityLayer},
};
use ground::{Clock, Secret, Seed, Stream, Timestamp, Trail};
use ldap_wire::{Authentication, Filter, SearchRequest};
use trust_verdict::{PeerName, Verdict};

use super::{
    cldap::{self, LDAP_PORT},
    connect_error::{ConnectError, lost, speak},
    console::Console,
    dns::Resolver,
    facts::{TlsFailed, TlsFinished, TlsVerdict},
    kerberos::{Kdcs, Kerberos, NoTicket},
    ldap::{self, Channel, Ldap},
    netlogon::NetlogonAnswer,
    smb_conf::{Settings, Wrapping},
    sockets::Tcp,
    timeouts::TLS_HANDSHAKE,
    tls::{self, HandshakeError, TlsStream},
    trust::Trust,
    values::result_text,
};
use crate::{HostRoot, Network};

const LDAPS_PORT: u16 = 636;
/// `ads_current_time` and `ads_search` ask for this limit.
pub(super) const TIME_LIMIT: u32 = 15;
const INVALID_PARAMETER: &str = "An invalid parameter was passed to a service or function.";
const LOGON_FAILURE: &str = "The attempted logon is invalid. This is either due to a bad username \
                             or authentication information.";
const NO_LOGON_SERVERS: &str =
    "No logon servers are currently available to service the logon request.";

/// Who binds.
#[derive(Clone, Debug)]
pub(super) struct Account {
    /// Name, `XS1$` for a machine.
    pub(super) name: String,
    /// Password.
    pub(super) password: Secret,
}

/// A DC that answered the ping.
#[derive(Clone, Debug)]
pub(super) struct FoundDc {
    /// Its address.
    pub(super) address: IpAddr,
    /// What it says of itself.
    pub(super) answer: NetlogonAnswer,
}

impl FoundDc {
    /// The base of searches, `dc=LAB,dc=EXAMPLE`: of the domain that the DC says it serves, whatever
    /// smb.conf says (`ads_fill_cldap_reply` of Samba 4.22).
    pub(super) fn bind_path(&self) -> String {
        let domain = self.answer.domain.to_uppercase();
        let labels = domain.split('.').filter(|label| !label.is_empty());
        labels.map(|label| format!("dc={label}")).collect::<Vec<_>>().join(",")
    }
}

/// A connection, before anybody has logged in.
#[derive(Debug)]
struct Opened {
    ldap: Ldap,
    /// What binds a login to the TLS connection.
    bindings: Option<ChannelBindings>,
}

/// What a connection needs to know.
#[derive(Debug)]
pub(super) struct Context<'a> {
    /// The host's files.
    pub(super) root: &'a HostRoot,
    /// The host's configuration.
    pub(super) settings: &'a Settings,
    /// The host's network.
    pub(super) network: &'a Network,
    /// The host's clock.
    pub(super) clock: &'a Clock,
    /// The present on this host.
    pub(super) now: Timestamp,
    /// The realm of the DC, where it is not that of smb.conf.
    pub(super) service_realm: Option<String>,
    /// Numbers of DNS questions.
    pub(super) dns_id: &'a AtomicU16,
    /// What the numbers of logins are drawn from.
    pub(super) seed: Seed,
    /// Number of logins so far.
    pub(super) logins: &'a AtomicU64,
    /// Keys that were made of passwords already.
    pub(super) keys: &'a Arc<KeyCache>,
    /// Where to record.
    pub(super) trail: &'a Trail,
}

impl Context<'_> {
    /// Pings the DC that `--server` names, if there is such a host.
    pub(super) async fn find(
        &self,
        server: IpAddr,
        console: &mut Console,
    ) -> Result<FoundDc, ConnectError> {
        match cldap::ping(server, self.network, self.trail).await {
            Some(answer) => Ok(FoundDc { address: server, answer }),
            None => Err(self.no_dc("", console)),
        }
    }

    /// The words for a realm without a DC; it is empty where a server is named.
    pub(super) fn no_dc(&self, realm: &str, console: &mut Console) -> ConnectError {
        let workgroup = &self.settings.workgroup;
        console.debug(
            1,
            &format!(
                "ads_find_dc: name resolution for realm '{realm}' (domain '{workgroup}') failed: \
                 NT_STATUS_NO_LOGON_SERVERS"
            ),
        );
        ConnectError::new(NO_LOGON_SERVERS)
    }

    /// Connects and binds.
    pub(super) async fn connect(
        &self,
        dc: &FoundDc,
        account: &Account,
        console: &mut Console,
    ) -> Result<Ldap, ConnectError> {
        let opened = self.open(dc, console).await?;
        if dc.answer.is_closest() {
            console.debug(2, "saf_store: Refusing to store empty domain or servername!");
        }
        self.log_in(opened, dc, account, console).await
    }

    /// [`Self::connect`] as a part of a join, which knows the domain's name: `saf_store` has
    /// something to store and is silent.
    pub(super) async fn connect_quietly(
        &self,
        dc: &FoundDc,
        account: &Account,
        console: &mut Console,
    ) -> Result<Ldap, ConnectError> {
        let opened = self.open(dc, console).await?;
        self.log_in(opened, dc, account, console).await
    }

    async fn log_in(
        &self,
        opened: Opened,
        dc: &FoundDc,
        account: &Account,
        console: &mut Console,
    ) -> Result<Ldap, ConnectError> {
        let mut ldap = opened.ldap;
        let time = SearchRequest {
            filter: Filter::Present("objectclass".to_owned()),
            attributes: vec!["currentTime".to_owned()],
            time_limit: TIME_LIMIT,
            ..SearchRequest::default()
        };
        let found = ldap.search(time).await.map_err(|error| lost(&error, console))?;
        if !found.result.is_success() {
            ldap.unbind().await;
            return Err(ConnectError::new(result_text(found.result.code)));
        }
        if !found.entries.iter().any(|entry| !entry.values("currentTime").is_empty()) {
            ldap.unbind().await;
            return Err(ConnectError::new("No results returned"));
        }
        let service = format!("ldap/{}", dc.answer.dns_name);
        let mut random = self.random();
        let (ticket, clock) = match self.ticket(account, &dc.answer.dns_name, &mut random).await {
            Ok(found) => found,
            Err(reason) => {
                ldap.unbind().await;
                return Err(self.no_ticket(&reason, &service, account, console));
            }
        };
        let wants = InitiatorConfig {
            mechanism: Mechanism::GssSpnego,
            flags: flags(self.settings.wrapping),
            bindings: opened.bindings,
        };
        let initiator = Initiator::new(ticket, wants, &clock, &mut random);
        let sasl = Authentication::Sasl {
            mechanism: "GSS-SPNEGO".to_owned(),
            credentials: Some(initiator.initial().to_vec()),
        };
        let principal = self.settings.principal(&account.name);
        let response =
            ldap.bind("", &principal, sasl).await.map_err(|error| lost(&error, console))?;
        if !response.result.is_success() {
            ldap.unbind().await;
            let text = result_text(response.result.code);
            self.bind_failed(&service, account, &text, console);
            return Err(ConnectError::new(text));
        }
        let Ok(context) = initiator.finish(response.server_sasl_credentials.as_deref()) else {
            // The DC did not prove that it is the one that the ticket is for.
            ldap.unbind().await;
            self.bind_failed(&service, account, INVALID_PARAMETER, console);
            return Err(ConnectError::new(INVALID_PARAMETER));
        };
        match self.settings.wrapping {
            Wrapping::Sign => ldap.protect(SecurityLayer::new(context, false), random),
            Wrapping::Seal => ldap.protect(SecurityLayer::new(context, true), random),
            Wrapping::Plain | Wrapping::Ldaps | Wrapping::StartTls => {}
        }
        Ok(ldap)
    }

    /// A ticket for the LDAP service of the DC of that name, and the clock to use it with.
    async fn ticket(
        &self,
        account: &Account,
        dc: &str,
        random: &mut Stream,
    ) -> Result<(Credential, Clock), NoTicket> {
        if dc.parse::<IpAddr>().is_ok() {
            return Err(NoTicket::NoName);
        }
        self.ticket_for("ldap", dc, account, random).await
    }

    /// A ticket for a service of the host of that name, and the clock to use it with.
    pub(super) async fn ticket_for(
        &self,
        service: &str,
        dc: &str,
        account: &Account,
        random: &mut Stream,
    ) -> Result<(Credential, Clock), NoTicket> {
        let home = self.kerberos(&self.settings.realm);
        let (granting, clock) = home.kinit(account, random).await?;
        let service = PrincipalName::service(service, dc);
        let ticket = match &self.service_realm {
            Some(realm) if *realm != home.realm => {
                let bridge = PrincipalName::ticket_granting(realm.as_str());
                let granting = home.ticket(&granting, bridge, &clock, random).await?;
                self.kerberos(realm).ticket(&granting, service, &clock, random).await?
            }
            _ => home.ticket(&granting, service, &clock, random).await?,
        };
        Ok((ticket, clock))
    }

    /// Tickets of that realm.
    pub(super) fn kerberos(&self, realm: &str) -> Kerberos<'_> {
        Kerberos {
            network: self.network,
            resolver: Resolver::new(self.network, self.dns_id, self.trail).of_libc(),
            clock: self.clock,
            trail: self.trail,
            realm: realm.to_owned(),
            kdcs: Kdcs::default(),
            keys: self.keys,
        }
    }

    /// Numbers for one login.
    pub(super) fn random(&self) -> Stream {
        let number = self.logins.fetch_add(1, Ordering::Relaxed);
        self.seed.stream(&number.to_string())
    }

    /// The connection, with TLS as smb.conf demands it.
    async fn open(&self, dc: &FoundDc, console: &mut Console) -> Result<Opened, ConnectError> {
        let operations_error = || ConnectError::new("Operations error");
        let peer = &dc.answer.dns_name;
        let wrapping = self.settings.wrapping;
        let port = if wrapping == Wrapping::Ldaps { LDAPS_PORT } else { LDAP_PORT };
        let (tcp, trail) = ldap::connect(dc.address, port, self.network, self.trail)
            .await
            .map_err(|()| operations_error())?;
        if let Err(uri) = ldap_uri(peer, port) {
            console.debug(
                2,
                &format!(
                    "Could not initialize connection for LDAP server '{uri}': Bad parameter to an \
                     ldap routine"
                ),
            );
            return Err(operations_error());
        }
        let plain = Channel::Plain(tcp);
        let (tcp, heard) = match (wrapping, plain) {
            (Wrapping::Ldaps, Channel::Plain(tcp)) => (tcp, Vec::new()),
            (Wrapping::StartTls, plain) => {
                Ldap::new(plain, dc.address, self.network.patience, trail.clone())
                    .start_tls()
                    .await
                    .map_err(|error| lost(&error, console))?
            }
            (_, plain) => {
                let ldap = Ldap::new(plain, dc.address, self.network.patience, trail);
                return Ok(Opened { ldap, bindings: None });
            }
        };
        let (stream, bindings) = self.secure(dc, (tcp, &heard), &trail, console).await?;
        let channel = Channel::Tls(Box::new(stream));
        let ldap = Ldap::new(channel, dc.address, self.network.patience, trail);
        Ok(Opened { ldap, bindings })
    }

    /// TLS, and the verdict about what the DC showed.
    async fn secure(
        &self,
        dc: &FoundDc,
        (tcp, heard): (Tcp, &[u8]),
        trail: &Trail,
        console: &mut Console,
    ) -> Result<(TlsStream, Option<ChannelBindings>), ConnectError> {
        let peer = PeerName::new(&dc.answer.dns_name);
        let trust = match Trust::load(self.settings, self.root, &peer, self.now) {
            Ok(trust) => trust,
            Err(refusal) => {
                trail.record(about(dc, &refusal));
                tls::give_up_before_tls(tcp).await;
                return Err(speak(&refusal, console));
            }
        };
        let hello = trust.hello(&peer, self.now);
        let sni = hello.sni.clone();
        let limit = TLS_HANDSHAKE.waited(self.network.patience);
        let (stream, shown) = match tls::handshake(tcp, heard, hello, limit).await {
            Ok(done) => done,
            Err(error) => {
                let refusal = trust.handshake_failure(&error, &peer, self.now);
                let failure = refusal.gnutls.map(|error| error.to_string());
                trail.record(TlsFailed {
                    failure: failure.unwrap_or_default(),
                    cause: error.to_string(),
                    real_seconds: (error == HandshakeError::Silent)
                        .then_some(TLS_HANDSHAKE.real_seconds()),
                });
                trail.record(about(dc, &refusal));
                return Err(speak(&refusal, console));
            }
        };
        let verdict = trust.judge(&peer, &shown, self.now);
        let fact = about(dc, &verdict);
        trail.record(TlsFinished {
            version: format!("{:?}", shown.version),
            suite: shown.suite,
            sni,
            certificates: fact.certificates.clone(),
        });
        trail.record(fact);
        if verdict.is_accept() {
            let leaf = shown.certificates.first();
            let bindings = leaf.and_then(|leaf| ChannelBindings::tls_server_end_point(leaf).ok());
            return Ok((stream, bindings));
        }
        stream.give_up().await;
        Err(speak(&verdict, console))
    }

    /// The words for an account that gets no ticket.
    fn no_ticket(
        &self,
        reason: &NoTicket,
        service: &str,
        account: &Account,
        console: &mut Console,
    ) -> ConnectError {
        const STEP: &str = "gensec_spnego_create_negTokenInit_step";
        let (text, account_refused) = match reason {
            NoTicket::NoName => {
                console.debug(1, &format!("{STEP}: Failed to setup SPNEGO negTokenInit request"));
                (INVALID_PARAMETER, false)
            }
            NoTicket::Login(cause) => {
                self.kinit_failed(account, service, &cause.words(), console);
                console.debug(1, &format!("{STEP}: Failed to setup SPNEGO negTokenInit request"));
                (INVALID_PARAMETER, true)
            }
            NoTicket::Service(cause) => {
                let realm = &self.settings.realm;
                let refusal = cause.refusal_of_service(&format!("{service}@{realm}"));
                let (status, text) = match &refusal {
                    // To Samba this is a target that does not exist.
                    None => ("NT_STATUS_INVALID_PARAMETER", INVALID_PARAMETER),
                    Some(_) => ("NT_STATUS_LOGON_FAILURE", LOGON_FAILURE),
                };
                if let Some(line) = refusal {
                    console.debug(1, &line);
                }
                console.debug(
                    1,
                    &format!(
                        "{STEP}: gse_krb5: creating NEG_TOKEN_INIT for {service} failed \
                         (next[(null)]): {status}"
                    ),
                );
                (text, false)
            }
        };
        self.bind_failed(service, account, text, console);
        ConnectError { text: text.to_owned(), account_refused }
    }

    fn bind_failed(&self, service: &str, account: &Account, text: &str, console: &mut Console) {
        console.debug(
            1,
            &format!(
                "ads_sasl_spnego_bind: ads_sasl_spnego_gensec_bind() failed for {service} with \
                 user[{}\\{}]: {text}",
                self.settings.workgroup, account.name
            ),
        );
    }

    fn kinit_failed(&self, account: &Account, service: &str, cause: &str, console: &mut Console) {
        let principal = self.settings.principal(&account.name);
        console.debug(
            1,
            &format!(
                "gensec_gse_client_prepare_ccache: Kinit for {principal} to access {service} \
                 failed: {cause}"
            ),
        );
    }
}

/// What the bind asks for: protection where TLS gives none.
fn flags(wrapping: Wrapping) -> GssFlags {
    match wrapping {
        Wrapping::Ldaps | Wrapping::Plain | Wrapping::StartTls => GssFlags::MUTUAL,
        Wrapping::Sign => GssFlags::MUTUAL.with(GssFlags::INTEGRITY),
        Wrapping::Seal => GssFlags::MUTUAL.with(GssFlags::INTEGRITY).with(GssFlags::CONFIDENTIAL),
    }
}

/// The URI that Samba hands to libldap; an error if libldap does not take it. libldap splits its
/// argument at blanks and commas, and ends a bracket at the first `]`.
fn ldap_uri(peer: &str, port: u16) -> Result<String, String> {
    let bracketed = peer.contains(':');
    let host = if bracketed { format!("[{peer}]") } else { peer.to_owned() };
    let uri = format!("ldap://{host}:{port}");
    if peer.contains([' ', ',']) || (bracketed && peer.contains(']')) { Err(uri) } else { Ok(uri) }
}

/// The fact of a verdict.
fn about(dc: &FoundDc, verdict: &Verdict) -> TlsVerdict {
    TlsVerdict {
        dc: dc.address,
        peer_name: dc.answer.dns_name.clone(),
        mode: verdict.mode.to_string(),
        class: verdict.class.name().to_owned(),
        status: verdict.status.to_string(),
        nt_status: verdict.ntstatus.to_string(),
        reasons: verdict.reasons.iter().map(ToString::to_string).collect(),
        certificates: verdict.chain.iter().map(|link| link.fingerprint.to_string()).collect(),
    }
}
