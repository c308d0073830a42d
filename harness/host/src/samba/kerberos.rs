//! Tickets: what the Kerberos library inside Samba (Heimdal) does before `net` binds.
//!
//! It finds KDCs by DNS, once for each transport, asks over UDP and, when told so, over TCP, and
//! takes the first that answers. Order and words as in the transcripts of Samba 4.22.11.

use std::{io, net::SocketAddr, sync::Arc};

use fake_dc_kerberos::{
    AsExchange, AsOutcome, ClientSecret, Credential, Error, ErrorCode, Frame, KeyCache, Principal,
    PrincipalName, TgsExchange, TicketFlags, frame, refusal_code, unframe,
};
use ground::{Clock, Secret, Stream, Trail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::OnceCell,
    time::timeout,
};

use super::{
    ads::Account,
    dns::Resolver,
    facts::{KdcAnswered, KdcAsked},
    ldap,
    nt_status::NtStatus,
    sockets,
    timeouts::{KDC_ANSWER, Limit},
};
use crate::Network;

const MESSAGE_MAX: usize = 65_535;

/// Gets tickets for one account.
#[derive(Debug)]
pub(super) struct Kerberos<'a> {
    pub(super) network: &'a Network,
    pub(super) resolver: Resolver<'a>,
    pub(super) clock: &'a Clock,
    pub(super) trail: &'a Trail,
    pub(super) realm: String,
    pub(super) kdcs: Kdcs,
    /// Keys that were made already.
    pub(super) keys: &'a Arc<KeyCache>,
}

/// Where the KDCs of the realm are, as far as that was looked up.
#[derive(Debug, Default)]
pub(super) struct Kdcs {
    udp: OnceCell<Vec<SocketAddr>>,
    tcp: OnceCell<Vec<SocketAddr>>,
}

/// Why there is no ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoTicket {
    /// Nobody was asked: there is no Kerberos with an address.
    NoName,
    /// Not even the first: the account could not prove itself.
    Login(Cause),
    /// The account has its first ticket, and gets none for the service.
    Service(Cause),
}

/// What stands in the way of a ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// No KDC of the realm answered.
    NoKdc,
    /// A KDC refused.
    Refused(ErrorCode),
    /// An answer that cannot be read or believed.
    Unbelievable,
}

impl From<Error> for Cause {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused { code } => Self::Refused(code),
            _ => Self::Unbelievable,
        }
    }
}

impl Cause {
    /// Heimdal's words when a login fails, and the status that Samba makes of them
    /// (`krb5_to_nt_status`).
    ///
    /// From the transcripts of Samba 4.22.11 and from 4.22.6 beside a fake DC.
    pub(super) fn words(&self) -> String {
        let text = match self {
            Self::NoKdc => "Cannot contact any KDC for requested realm",
            // ASN1_BAD_FORMAT of Heimdal, for which its library has no text at hand.
            Self::Unbelievable => "Unknown error 1859794433",
            Self::Refused(code) => error_text(*code),
        };
        format!("{text}: NT_STATUS_{}", self.status().name)
    }

    /// The status that Samba makes of it.
    pub(super) fn status(&self) -> NtStatus {
        match self {
            Self::NoKdc => NtStatus::NO_LOGON_SERVERS,
            Self::Unbelievable => NtStatus::UNSUCCESSFUL,
            Self::Refused(code) => match *code {
                ErrorCode::KDC_ERR_C_PRINCIPAL_UNKNOWN
                | ErrorCode::KDC_ERR_PREAUTH_FAILED
                | ErrorCode::KDC_ERR_ETYPE_NOSUPP => NtStatus::LOGON_FAILURE,
                ErrorCode::KDC_ERR_CLIENT_REVOKED => NtStatus::ACCOUNT_LOCKED_OUT,
                ErrorCode::KDC_ERR_KEY_EXPIRED => NtStatus::PASSWORD_EXPIRED,
                ErrorCode::KRB_AP_ERR_SKEW => NtStatus::TIME_DIFFERENCE_AT_DC,
                _ => NtStatus::UNSUCCESSFUL,
            },
        }
    }

    /// Samba's line when a KDC refuses a ticket for `service`; `None` where it prints none, as for
    /// a service that the KDC does not know.
    pub(super) fn refusal_of_service(&self, service: &str) -> Option<String> {
        /// `ERROR_TABLE_BASE_krb5` as Samba prints it: unsigned.
        const TABLE: i64 = 2_529_638_912;
        let (text, number) = match self {
            Self::Refused(ErrorCode::KDC_ERR_S_PRINCIPAL_UNKNOWN) => return None,
            Self::Refused(code) => {
                let text = format!("{} ({service})", error_text(*code));
                (text, TABLE + i64::from(code.0))
            }
            Self::NoKdc => ("unable to reach any KDC in realm".to_owned(), TABLE + 156),
            Self::Unbelievable => ("ASN.1 parse failure".to_owned(), TABLE),
        };
        Some(format!(
            "gse_get_client_auth_token: gss_init_sec_context failed with [ Miscellaneous failure \
             (see text): {text}]({number})"
        ))
    }
}

/// Heimdal's text of an error code (`krb5_err.et`).
fn error_text(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::KDC_ERR_C_PRINCIPAL_UNKNOWN => "Client not found in Kerberos database",
        ErrorCode::KDC_ERR_S_PRINCIPAL_UNKNOWN => "Server not found in Kerberos database",
        ErrorCode::KDC_ERR_PRINCIPAL_NOT_UNIQUE => {
            "Principal has multiple entries in Kerberos database"
        }
        ErrorCode::KDC_ERR_POLICY => "KDC policy rejects request",
        ErrorCode::KDC_ERR_BADOPTION => "KDC can't fulfill requested option",
        ErrorCode::KDC_ERR_ETYPE_NOSUPP => "KDC has no support for encryption type",
        ErrorCode::KDC_ERR_PADATA_TYPE_NOSUPP => "KDC has no support for padata type",
        ErrorCode::KDC_ERR_CLIENT_REVOKED => "Clients credentials have been revoked",
        ErrorCode::KDC_ERR_KEY_EXPIRED => "Password has expired",
        ErrorCode::KDC_ERR_PREAUTH_FAILED => "Preauthentication failed",
        ErrorCode::KRB_AP_ERR_SKEW => "Clock skew too great",
        ErrorCode::KRB_AP_ERR_MODIFIED => "Message stream modified",
        ErrorCode::KDC_ERR_WRONG_REALM => "Wrong realm",
        _ => "Generic error (see e-text)",
    }
}

impl Kerberos<'_> {
    /// The first ticket, which proves that the account has its password, and the clock that goes
    /// with it: Heimdal believes a KDC that says that the clocks differ.
    pub(super) async fn kinit(
        &self,
        account: &Account,
        random: &mut Stream,
    ) -> Result<(Credential, Clock), NoTicket> {
        let name = PrincipalName::account(account.name.as_str());
        self.kinit_as(name, account.password.clone(), random).await
    }

    /// [`Self::kinit`] for a name of any kind.
    pub(super) async fn kinit_as(
        &self,
        name: PrincipalName,
        password: Secret,
        random: &mut Stream,
    ) -> Result<(Credential, Clock), NoTicket> {
        let service = PrincipalName::ticket_granting(self.realm.as_str());
        self.first_ticket(name, service, password, random).await
    }

    /// Whether the KDC takes the password of an account whose password has expired: for the service
    /// that changes passwords it is good enough.
    pub(super) async fn proves_itself(
        &self,
        name: PrincipalName,
        password: Secret,
        random: &mut Stream,
    ) -> Result<(), NoTicket> {
        let service = PrincipalName::change_password();
        self.first_ticket(name, service, password, random).await.map(drop)
    }

    async fn first_ticket(
        &self,
        name: PrincipalName,
        service: PrincipalName,
        password: Secret,
        random: &mut Stream,
    ) -> Result<(Credential, Clock), NoTicket> {
        let client = Principal { name, realm: self.realm.clone() };
        let secret = ClientSecret::PasswordWithKeys(password, Arc::clone(self.keys));
        let asked = service.to_string();
        let clock = self.clock.clone();
        let mut exchange =
            AsExchange::for_service(client, service, secret, clock, random).believing_clock();
        let mut way = Way::Any;
        loop {
            let answer = self.ask(way, "AS-REQ", &asked, exchange.request()).await;
            let answer = answer.map_err(NoTicket::Login)?;
            let outcome = exchange.answer(&answer, random);
            match outcome.map_err(|error| NoTicket::Login(error.into()))? {
                AsOutcome::Ticket(ticket) => return Ok((*ticket, exchange.clock().clone())),
                AsOutcome::SendAgain => {}
                AsOutcome::SendOverTcp if way == Way::Tcp => {
                    return Err(NoTicket::Login(Cause::Unbelievable));
                }
                AsOutcome::SendOverTcp => way = Way::Tcp,
            }
        }
    }

    /// A ticket for a service. With a service that is trusted for delegation, the client also gets a
    /// ticket to hand over, and does without where there is none (Heimdal, `do_delegation`).
    pub(super) async fn ticket(
        &self,
        granting: &Credential,
        service: PrincipalName,
        clock: &Clock,
        random: &mut Stream,
    ) -> Result<Credential, NoTicket> {
        let name = service.to_string();
        let exchange = TgsExchange::new(granting, service, clock, random);
        let answer = self.ask(Way::Tcp, "TGS-REQ", &name, exchange.request()).await;
        let answer = answer.map_err(NoTicket::Service)?;
        let ticket = exchange.answer(&answer).map_err(|error| NoTicket::Service(error.into()))?;
        if ticket.flags.has(TicketFlags::OK_AS_DELEGATE)
            && granting.flags.has(TicketFlags::FORWARDABLE)
        {
            let exchange = TgsExchange::forwarded(granting, clock, random);
            let service = granting.service.name.to_string();
            let _ = self.ask(Way::Tcp, "TGS-REQ", &service, exchange.request()).await;
        }
        Ok(ticket)
    }

    /// The answer of the first KDC that gives one.
    async fn ask(
        &self,
        way: Way,
        request: &'static str,
        service: &str,
        bytes: &[u8],
    ) -> Result<Vec<u8>, Cause> {
        let transports: &[&'static str] = if way == Way::Tcp { &["tcp"] } else { &["udp", "tcp"] };
        for &transport in transports {
            for &kdc in self.kdcs(transport).await {
                if let Some(answer) = self.ask_one(kdc, transport, request, service, bytes).await {
                    return Ok(answer);
                }
            }
        }
        Err(Cause::NoKdc)
    }

    async fn kdcs(&self, transport: &str) -> &[SocketAddr] {
        let known = if transport == "tcp" { &self.kdcs.tcp } else { &self.kdcs.udp };
        let find =
            async || self.resolver.service(&format!("_kerberos._{transport}.{}", self.realm)).await;
        known.get_or_init(find).await
    }

    /// The answer of one KDC; `None` if it gives none, or says that it cannot serve.
    async fn ask_one(
        &self,
        kdc: SocketAddr,
        transport: &'static str,
        request: &'static str,
        service: &str,
        bytes: &[u8],
    ) -> Option<Vec<u8>> {
        let (address, service) = (kdc.ip(), service.to_owned());
        let trail = self.trail.begin(KdcAsked { kdc: address, request, service, transport });
        let asked = timeout(KDC_ANSWER.waited(self.network.patience), async {
            match transport {
                "tcp" => over_stream(kdc, self.network, bytes, &trail).await,
                _ => over_datagram(kdc, self.network, bytes, &trail).await,
            }
        });
        let answer = asked.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
        let (outcome, real_seconds) = described(&answer, KDC_ANSWER);
        trail.record(KdcAnswered { kdc: address, outcome, real_seconds });
        let answer = answer.ok()?;
        (refusal_code(&answer) != Some(ErrorCode::KDC_ERR_SVC_UNAVAILABLE)).then_some(answer)
    }
}

/// How a KDC is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// Over UDP, and over TCP if no KDC answers.
    Any,
    /// Over TCP.
    Tcp,
}

fn described(answer: &io::Result<Vec<u8>>, limit: Limit) -> (&'static str, Option<u64>) {
    match answer {
        Ok(_) => ("answered", None),
        Err(error) => match error.kind() {
            io::ErrorKind::ConnectionRefused => ("refused", None),
            io::ErrorKind::TimedOut => ("no answer", Some(limit.real_seconds())),
            io::ErrorKind::InvalidData => ("malformed", None),
            _ => ("unreachable", None),
        },
    }
}

async fn over_datagram(
    kdc: SocketAddr,
    network: &Network,
    request: &[u8],
    trail: &Trail,
) -> io::Result<Vec<u8>> {
    let mut socket = sockets::udp(network.route(kdc), network, trail).await?;
    socket.send(request).await?;
    socket.recv(MESSAGE_MAX).await
}

async fn over_stream(
    kdc: SocketAddr,
    network: &Network,
    request: &[u8],
    trail: &Trail,
) -> io::Result<Vec<u8>> {
    let (mut stream, _) = ldap::connect(kdc.ip(), kdc.port(), network, trail)
        .await
        .map_err(|()| io::Error::from(io::ErrorKind::ConnectionRefused))?;
    stream.write_all(&frame(request)).await?;
    let mut received = Vec::new();
    loop {
        match unframe(&received) {
            Ok(Frame::Message { message, .. }) => return Ok(message.to_vec()),
            Ok(Frame::Incomplete { .. }) => {}
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        }
        if stream.read_buf(&mut received).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}
