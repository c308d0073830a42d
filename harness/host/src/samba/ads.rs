//! From a DC's address to a bound LDAP connection: `ads_connect_creds` of Samba 4.22.
//!
//! The order is the real one: CLDAP ping, TCP, TLS, verdict, `currentTime`, bind. Until the domain
//! has a KDC the bind differs: a simple bind inside TLS, and outside of it the SASL mechanism
//! `PLAIN`, which stands for a sealed GSS session. What the real program prints when Kerberos
//! refuses the account is printed for the same cause.

use std::net::IpAddr;

use ground::{Secret, Timestamp, Trail};
use ldap_wire::{Authentication, BindResponse, Filter, Scope, SearchRequest};
use trust_verdict::{PeerName, Verdict};

use super::{
    cldap::{self, LDAP_PORT},
    console::Console,
    facts::{TlsFailed, TlsFinished, TlsVerdict},
    ldap::{self, Channel, Ldap, LdapError},
    netlogon::NetlogonAnswer,
    smb_conf::{Settings, Wrapping},
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

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ConnectError {
    /// What `ads_errstr` says.
    pub(super) text: String,
    /// Whether the account was refused, which a join meets before it speaks LDAP.
    pub(super) account_refused: bool,
}

impl ConnectError {
    fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), account_refused: false }
    }
}

/// A DC that answered the ping.
#[derive(Clone, Debug)]
pub(super) struct FoundDc {
    /// Its address.
    pub(super) address: IpAddr,
    /// What it says of itself.
    pub(super) answer: NetlogonAnswer,
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
    /// The present on this host.
    pub(super) now: Timestamp,
    /// Where to record.
    pub(super) trail: &'a Trail,
}

impl Context<'_> {
    /// Pings the DC that `--server` names.
    pub(super) async fn find(
        &self,
        server: IpAddr,
        console: &mut Console,
    ) -> Result<FoundDc, ConnectError> {
        if let Some(answer) = cldap::ping(server, self.network, self.trail).await {
            return Ok(FoundDc { address: server, answer });
        }
        let workgroup = &self.settings.workgroup;
        console.debug(
            1,
            &format!(
                "ads_find_dc: name resolution for realm '' (domain '{workgroup}') failed: \
                 NT_STATUS_NO_LOGON_SERVERS"
            ),
        );
        Err(ConnectError::new(NO_LOGON_SERVERS))
    }

    /// Connects and binds.
    pub(super) async fn connect(
        &self,
        dc: &FoundDc,
        account: &Account,
        console: &mut Console,
    ) -> Result<Ldap, ConnectError> {
        let ldap = self.open(dc, console).await?;
        if dc.answer.is_closest() {
            console.debug(2, "saf_store: Refusing to store empty domain or servername!");
        }
        self.log_in(ldap, dc, account, console).await
    }

    /// [`Self::connect`] as a part of a join, which knows the domain's name: `saf_store` has
    /// something to store and is silent.
    pub(super) async fn connect_quietly(
        &self,
        dc: &FoundDc,
        account: &Account,
        console: &mut Console,
    ) -> Result<Ldap, ConnectError> {
        let ldap = self.open(dc, console).await?;
        self.log_in(ldap, dc, account, console).await
    }

    async fn log_in(
        &self,
        mut ldap: Ldap,
        dc: &FoundDc,
        account: &Account,
        console: &mut Console,
    ) -> Result<Ldap, ConnectError> {
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
        let response =
            self.bind(&mut ldap, account).await.map_err(|error| lost(&error, console))?;
        if response.result.is_success() {
            return Ok(ldap);
        }
        ldap.unbind().await;
        Err(self.refused(&response, dc, account, console))
    }

    /// The connection, with TLS as smb.conf demands it.
    async fn open(&self, dc: &FoundDc, console: &mut Console) -> Result<Ldap, ConnectError> {
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
        let tcp = match (wrapping, plain) {
            (Wrapping::Ldaps, Channel::Plain(tcp)) => tcp,
            (Wrapping::StartTls, plain) => {
                Ldap::new(plain, dc.address, self.network.patience, trail.clone())
                    .start_tls()
                    .await
                    .map_err(|error| lost(&error, console))?
            }
            (_, plain) => return Ok(Ldap::new(plain, dc.address, self.network.patience, trail)),
        };
        let stream = self.secure(dc, tcp, &trail, console).await?;
        let channel = Channel::Tls(Box::new(stream));
        Ok(Ldap::new(channel, dc.address, self.network.patience, trail))
    }

    /// TLS, and the verdict about what the DC showed.
    async fn secure(
        &self,
        dc: &FoundDc,
        tcp: tokio::net::TcpStream,
        trail: &Trail,
        console: &mut Console,
    ) -> Result<TlsStream, ConnectError> {
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
        let (stream, shown) =
            match tls::handshake(tcp, hello, TLS_HANDSHAKE.waited(self.network.patience)).await {
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
            return Ok(stream);
        }
        stream.give_up().await;
        Err(speak(&verdict, console))
    }

    async fn bind(&self, ldap: &mut Ldap, account: &Account) -> Result<BindResponse, LdapError> {
        let principal = self.settings.principal(&account.name);
        let password = account.password.expose();
        match self.settings.wrapping {
            Wrapping::Ldaps | Wrapping::StartTls => {
                let simple = Authentication::Simple(password.as_bytes().to_vec());
                ldap.bind(&principal, &principal, simple).await
            }
            Wrapping::Plain | Wrapping::Seal | Wrapping::Sign => {
                let sasl = Authentication::Sasl {
                    mechanism: "PLAIN".to_owned(),
                    credentials: Some(format!("\0{principal}\0{password}").into_bytes()),
                };
                ldap.bind("", &principal, sasl).await
            }
        }
    }

    /// The words for an account that the DC refused.
    fn refused(
        &self,
        response: &BindResponse,
        dc: &FoundDc,
        account: &Account,
        console: &mut Console,
    ) -> ConnectError {
        let Some(cause) = kerberos_words(&response.result.diagnostic) else {
            return ConnectError::new(result_text(response.result.code));
        };
        let service = format!("ldap/{}", dc.answer.dns_name);
        self.kinit_failed(account, &service, cause, console);
        console.debug(
            1,
            "gensec_spnego_create_negTokenInit_step: Failed to setup SPNEGO negTokenInit request",
        );
        console.debug(
            1,
            &format!(
                "ads_sasl_spnego_bind: ads_sasl_spnego_gensec_bind() failed for {service} with \
                 user[{}\\{}]: {INVALID_PARAMETER}",
                self.settings.workgroup, account.name
            ),
        );
        ConnectError { text: INVALID_PARAMETER.to_owned(), account_refused: true }
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

/// The URI that Samba hands to libldap; an error if libldap does not take it. libldap splits its
/// argument at blanks and commas, and ends a bracket at the first `]`.
fn ldap_uri(peer: &str, port: u16) -> Result<String, String> {
    let bracketed = peer.contains(':');
    let host = if bracketed { format!("[{peer}]") } else { peer.to_owned() };
    let uri = format!("ldap://{host}:{port}");
    if peer.contains([' ', ',']) || (bracketed && peer.contains(']')) { Err(uri) } else { Ok(uri) }
}

/// The words of the Kerberos library for the reason that AD gives in `data …` of a failed bind
/// (\[MS-ADTS\] 3.1.1.3.1.3, and samba-client transcripts). `None` if it gives none.
fn kerberos_words(diagnostic: &str) -> Option<&'static str> {
    let (_, reason) = diagnostic.rsplit_once("data ")?;
    let reason = reason.split(|c: char| !c.is_ascii_hexdigit()).next()?;
    Some(match reason.to_ascii_lowercase().as_str() {
        "525" => "Client not found in Kerberos database: NT_STATUS_LOGON_FAILURE",
        "533" | "701" | "775" => {
            "Clients credentials have been revoked: NT_STATUS_ACCOUNT_LOCKED_OUT"
        }
        // The words before the status have not been captured for these two.
        "532" | "773" => "Password has expired: NT_STATUS_PASSWORD_EXPIRED",
        _ => "Preauthentication failed: NT_STATUS_LOGON_FAILURE",
    })
}

/// The words for a DC that fell silent after TLS.
fn lost(error: &LdapError, console: &mut Console) -> ConnectError {
    if *error == LdapError::Cut {
        console.debug(
            1,
            "tstream_tls_sync_read: TLS gnutls_record_recv(8) - The TLS connection was \
             non-properly terminated.",
        );
    }
    ConnectError::new("Time limit exceeded")
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

/// Prints the words of a verdict against the DC, without the line that `net ads search` adds.
fn speak(verdict: &Verdict, console: &mut Console) -> ConnectError {
    let words = verdict.words(console.level());
    if let Some((_search, detail)) = words.stderr.split_last() {
        detail.iter().for_each(|line| console.error(line));
    }
    ConnectError::new(words.last)
}

/// A search of the whole domain, as `net ads search` asks it.
pub(super) fn domain_search(
    settings: &Settings,
    filter: Filter,
    attributes: Vec<String>,
) -> SearchRequest {
    SearchRequest {
        base: settings.bind_path(),
        scope: Scope::WholeSubtree,
        filter,
        attributes,
        time_limit: TIME_LIMIT,
        ..SearchRequest::default()
    }
}
