//! Tickets: what the Kerberos library inside Samba (Heimdal) does before `net` binds.
//!
//! It finds KDCs by DNS, asks over UDP and, when told so, over TCP, and takes the first that
//! answers. Order and words as in the transcripts of Samba 4.22.11.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use fake_dc_kerberos::{
    AsExchange, AsOutcome, ClientSecret, Credential, Error, ErrorCode, Frame, Principal,
    PrincipalName, TgsExchange, frame, unframe,
};
use ground::{Clock, Stream, Trail};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::timeout,
};

use super::{
    ads::Account,
    dns::Resolver,
    facts::{KdcAnswered, KdcAsked},
    ldap, sockets,
    timeouts::{KDC_ANSWER, Limit},
};
use crate::Network;

/// Standard port of a KDC.
pub(super) const KERBEROS_PORT: u16 = 88;
const MESSAGE_MAX: usize = 65_535;

/// Gets tickets for one account.
#[derive(Debug)]
pub(super) struct Kerberos<'a> {
    pub(super) network: &'a Network,
    pub(super) resolver: Resolver<'a>,
    pub(super) clock: &'a Clock,
    pub(super) trail: &'a Trail,
    pub(super) realm: String,
}

/// Why there is no ticket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NoTicket {
    /// No KDC of the realm answered.
    NoKdc,
    /// A KDC refused.
    Refused(ErrorCode),
    /// An answer that proves nothing.
    Unbelievable(String),
}

impl From<Error> for NoTicket {
    fn from(error: Error) -> Self {
        match error {
            Error::Refused { code } => Self::Refused(code),
            other => Self::Unbelievable(other.to_string()),
        }
    }
}

impl NoTicket {
    /// The words of Heimdal, and the status that Samba makes of them.
    ///
    /// From the transcripts, but for expiry, skew and encryption types, whose words were seen with
    /// Samba 4.22.6 beside a fake DC.
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::NoKdc => "Cannot contact any KDC for requested realm: NT_STATUS_NO_LOGON_SERVERS",
            Self::Refused(code) => match *code {
                ErrorCode::KDC_ERR_C_PRINCIPAL_UNKNOWN => {
                    "Client not found in Kerberos database: NT_STATUS_LOGON_FAILURE"
                }
                ErrorCode::KDC_ERR_CLIENT_REVOKED => {
                    "Clients credentials have been revoked: NT_STATUS_ACCOUNT_LOCKED_OUT"
                }
                ErrorCode::KDC_ERR_KEY_EXPIRED => {
                    "Password has expired: NT_STATUS_PASSWORD_EXPIRED"
                }
                ErrorCode::KRB_AP_ERR_SKEW => {
                    "Clock skew too great: NT_STATUS_TIME_DIFFERENCE_AT_DC"
                }
                ErrorCode::KDC_ERR_ETYPE_NOSUPP => {
                    "KDC has no support for encryption type: NT_STATUS_LOGON_FAILURE"
                }
                _ => "Preauthentication failed: NT_STATUS_LOGON_FAILURE",
            },
            Self::Unbelievable(_) => "Preauthentication failed: NT_STATUS_LOGON_FAILURE",
        }
    }
}

impl Kerberos<'_> {
    /// The first ticket, which proves that the account has its password.
    pub(super) async fn kinit(
        &self,
        account: &Account,
        random: &mut Stream,
    ) -> Result<Credential, NoTicket> {
        let client = Principal {
            name: PrincipalName::account(account.name.as_str()),
            realm: self.realm.clone(),
        };
        let secret = ClientSecret::Password(account.password.clone());
        let kdcs = self.kdcs("udp").await;
        let mut exchange = AsExchange::new(client, secret, self.clock.clone(), random);
        let service = PrincipalName::ticket_granting(self.realm.as_str()).to_string();
        let mut over_tcp = false;
        loop {
            let answer = self.ask(&kdcs, "AS-REQ", &service, exchange.request(), over_tcp).await?;
            match exchange.answer(&answer, random)? {
                AsOutcome::Ticket(ticket) => return Ok(*ticket),
                AsOutcome::SendAgain => {}
                AsOutcome::SendOverTcp if over_tcp => {
                    return Err(NoTicket::Unbelievable("too big for TCP".to_owned()));
                }
                AsOutcome::SendOverTcp => {
                    // Its answer is not needed; it is asked all the same.
                    let _ = self.kdcs("tcp").await;
                    over_tcp = true;
                }
            }
        }
    }

    /// A ticket for a service.
    pub(super) async fn ticket(
        &self,
        granting: &Credential,
        service: PrincipalName,
        random: &mut Stream,
    ) -> Result<Credential, NoTicket> {
        let kdcs = self.kdcs("tcp").await;
        let name = service.to_string();
        let exchange = TgsExchange::new(granting, service, self.clock, random);
        let answer = self.ask(&kdcs, "TGS-REQ", &name, exchange.request(), true).await?;
        Ok(exchange.answer(&answer)?)
    }

    async fn kdcs(&self, transport: &str) -> Vec<IpAddr> {
        self.resolver.service(&format!("_kerberos._{transport}.{}", self.realm)).await
    }

    /// The answer of the first KDC that gives one.
    async fn ask(
        &self,
        kdcs: &[IpAddr],
        request: &'static str,
        service: &str,
        bytes: &[u8],
        over_tcp: bool,
    ) -> Result<Vec<u8>, NoTicket> {
        for &kdc in kdcs {
            let transport = if over_tcp { "tcp" } else { "udp" };
            let service = service.to_owned();
            let trail = self.trail.begin(KdcAsked { kdc, request, service, transport });
            let asked = timeout(KDC_ANSWER.waited(self.network.patience), async {
                if over_tcp {
                    over_stream(kdc, self.network, bytes, &trail).await
                } else {
                    over_datagram(kdc, self.network, bytes, &trail).await
                }
            });
            let answer = asked.await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()));
            let (outcome, real_seconds) = described(&answer, KDC_ANSWER);
            trail.record(KdcAnswered { kdc, outcome, real_seconds });
            if let Ok(answer) = answer {
                return Ok(answer);
            }
        }
        Err(NoTicket::NoKdc)
    }
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
    kdc: IpAddr,
    network: &Network,
    request: &[u8],
    trail: &Trail,
) -> io::Result<Vec<u8>> {
    let to = network.route(SocketAddr::new(kdc, KERBEROS_PORT));
    let socket = sockets::udp(to, trail).await?;
    socket.send(request).await?;
    let mut answer = vec![0; MESSAGE_MAX];
    let length = socket.recv(&mut answer).await?;
    answer.truncate(length);
    Ok(answer)
}

async fn over_stream(
    kdc: IpAddr,
    network: &Network,
    request: &[u8],
    trail: &Trail,
) -> io::Result<Vec<u8>> {
    let (mut stream, _) = ldap::connect(kdc, KERBEROS_PORT, network, trail)
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
