//! The CLDAP netlogon ping: one datagram that asks a DC who it is.
//!
//! Samba 4.22 asks with the filter `(&(NtVer=\06\00\00\00))`, an `and` of one item, and trusts the
//! unauthenticated answer: the DNS name in it is the name that the certificate must bear.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use ground::Trail;
use ldap_wire::{Decoded, Filter, LdapMessage, Limits, ProtocolOp, SearchRequest, decode};
use tokio::time::timeout;

use super::{
    facts::{CldapAnswered, CldapAsked},
    netlogon::NetlogonAnswer,
    sockets,
    timeouts::CLDAP_PING,
};
use crate::Network;

/// Standard port of LDAP and CLDAP.
pub(super) const LDAP_PORT: u16 = 389;
/// Versions asked for: NETLOGON_NT_VERSION_5 and _5EX (\[MS-ADTS\] 6.3.1.1).
const NT_VERSION: u32 = 0x06;
const MESSAGE_ID: u32 = 1;
const DATAGRAM_MAX: usize = 65_535;

/// Pings a DC. `None` if it gives no usable answer; the trail says why.
pub(super) async fn ping(dc: IpAddr, network: &Network, trail: &Trail) -> Option<NetlogonAnswer> {
    let trail = trail.begin(CldapAsked { dc });
    let to = network.route(SocketAddr::new(dc, LDAP_PORT));
    let answer = match timeout(CLDAP_PING.waited(network.patience), ask(to, network, &trail)).await
    {
        Ok(answer) => answer,
        Err(_) => Err(Failure::new("no answer")),
    };
    let mut fact =
        CldapAnswered { dc, outcome: "answered", dns_name: None, cause: None, real_seconds: None };
    let answer = match answer {
        Ok(answer) => {
            fact.dns_name = Some(answer.dns_name.clone());
            Some(answer)
        }
        Err(failure) => {
            fact.outcome = failure.outcome;
            fact.cause = failure.cause;
            fact.real_seconds =
                (failure.outcome == "no answer").then_some(CLDAP_PING.real_seconds());
            None
        }
    };
    trail.record(fact);
    answer
}

#[derive(Debug)]
struct Failure {
    outcome: &'static str,
    cause: Option<String>,
}

impl Failure {
    fn new(outcome: &'static str) -> Self {
        Self { outcome, cause: None }
    }

    fn malformed(cause: impl ToString) -> Self {
        Self { outcome: "malformed", cause: Some(cause.to_string()) }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Self::new("refused"),
            _ => Self { outcome: "unreachable", cause: Some(error.kind().to_string()) },
        }
    }
}

async fn ask(to: SocketAddr, network: &Network, trail: &Trail) -> Result<NetlogonAnswer, Failure> {
    let mut socket = sockets::udp(to, network, trail).await?;
    socket.send(&question().encode()).await?;
    read(&socket.recv(DATAGRAM_MAX).await?)
}

fn question() -> LdapMessage {
    let version = Filter::Equality {
        attribute: "NtVer".to_owned(),
        value: NT_VERSION.to_le_bytes().to_vec(),
    };
    let search = SearchRequest {
        filter: Filter::And(vec![version]),
        attributes: vec!["NetLogon".to_owned()],
        ..SearchRequest::default()
    };
    LdapMessage::new(MESSAGE_ID, ProtocolOp::SearchRequest(search))
}

/// The netlogon value in a datagram: an entry and a result, one PDU after the other.
fn read(datagram: &[u8]) -> Result<NetlogonAnswer, Failure> {
    let mut rest = datagram;
    while !rest.is_empty() {
        let decoded = decode(rest, &Limits::default()).map_err(Failure::malformed)?;
        let Decoded::Message { message, consumed } = decoded else {
            return Err(Failure::malformed("the datagram ends within a message"));
        };
        if let ProtocolOp::SearchResultEntry(entry) = message.op
            && let Some(value) = entry.values("netlogon").first()
        {
            // The real program says so at debug level 1; its words have not been captured.
            return match NetlogonAnswer::parse(value).map_err(Failure::malformed)? {
                answer if answer.serves_ldap() => Ok(answer),
                _ => Err(Failure::new("no LDAP server")),
            };
        }
        rest = &rest[consumed..];
    }
    Err(Failure::new("no netlogon"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect()
    }

    /// Case `ntver-only` of the captured pings.
    const ANSWER: &str = "3074020101646f0400306b306904086e65746c6f676f6e315d045b17000000fd130000\
        ef6baf4c145e6645b82e179f54b7f096036c6162076578616d706c6500c01803646331c018034c4142000344\
        433100001744656661756c742d46697273742d536974652d4e616d6500c03805000000ffffffff300c020101\
        65070a010004000400";

    #[test]
    fn the_question_is_the_captured_one() {
        // Case `ntver-only`, with our message number and the attribute as Samba writes it.
        let captured = "3033020101632e04000a01000a0100020100020100010100a00fa30d04054e7456657204\
            0406000000300a04084e65744c6f676f6e";
        assert_eq!(question().encode(), hex(captured));
    }

    #[test]
    fn the_captured_answer() {
        assert_eq!(read(&hex(ANSWER)).unwrap().dns_name, "dc1.lab.example");
        // The same without the flag DS_LDAP.
        let denied = ANSWER.replacen("fd130000", "f5130000", 1);
        assert_eq!(read(&hex(&denied)).unwrap_err().outcome, "no LDAP server");
    }

    #[test]
    fn an_answer_without_entry() {
        let failure = read(&hex("300c02010165070a010004000400")).unwrap_err();
        assert_eq!(failure.outcome, "no netlogon");
        assert_eq!(read(b"").unwrap_err().outcome, "no netlogon");
        assert_eq!(read(b"GET / HTTP/1.1").unwrap_err().outcome, "malformed");
    }

    proptest! {
        #[test]
        fn any_datagram_is_read_or_refused(
            bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0..118_usize, byte: u8,
        ) {
            let _ = read(&bytes);
            let mut changed = hex(ANSWER);
            changed[at] = byte;
            let _ = read(&changed);
        }
    }
}
