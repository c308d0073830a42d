//! Who a real DC is: one netlogon ping over LDAP ([MS-ADTS] 6.3.3), which needs no account.

use std::{io, net::IpAddr};

use fake_dc_directory::netlogon_flag;
use ldap_wire::{Decoded, Filter, LdapMessage, Limits, ProtocolOp, SearchRequest};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};
use uuid::Uuid;

use super::link::Trust;
use crate::{dc::Ports, facts::Listener, limits};

/// A real DC that has said who it is.
///
/// Found with [`RealDc::find`], given to [`Builder::behind`](crate::Builder::behind).
#[derive(Clone, Debug)]
pub struct RealDc {
    address: IpAddr,
    ports: Ports,
    passed: Vec<u16>,
    trust: Trust,
    answer: Answer,
}

/// What of a NETLOGON_SAM_LOGON_RESPONSE_EX is used.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    flags: u32,
    guid: Uuid,
    domain: String,
    dns_name: String,
    netbios_domain: String,
    site: String,
}

impl RealDc {
    /// Asks the DC at `address`, whose ports are the standard ones, who it is. Connections to its
    /// TLS ports will go by `trust`.
    ///
    /// # Errors
    ///
    /// Nobody answers there, or who answers is no DC.
    pub async fn find(address: IpAddr, trust: Trust) -> Result<Self, RealDcError> {
        Self::find_at(address, Ports::STANDARD, PASSED, trust).await
    }

    /// The same for a DC with other ports than a real one has, of which `passed` only pass bytes.
    ///
    /// # Errors
    ///
    /// As [`RealDc::find`].
    pub async fn find_at(
        address: IpAddr,
        ports: Ports,
        passed: &[u16],
        trust: Trust,
    ) -> Result<Self, RealDcError> {
        let port = ports.ldap;
        let asking = timeout(limits::BEHIND_ANSWER, ping(address, port));
        let failed = |source| RealDcError::Unreachable { address, port, source };
        let value = asking
            .await
            .map_err(|_| failed(io::ErrorKind::TimedOut.into()))?
            .map_err(failed)?
            .ok_or(RealDcError::NoDc { address, port })?;
        let answer = Answer::read(&value).ok_or(RealDcError::Unreadable { address, port })?;
        if answer.flags & netlogon_flag::LDAP == 0 {
            return Err(RealDcError::NoDc { address, port });
        }
        Ok(Self { address, ports, passed: passed.to_vec(), trust, answer })
    }

    /// Where it is.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// First label of its name: `dc1`.
    pub fn name(&self) -> &str {
        self.dns_name().split_once('.').map_or(self.dns_name(), |(first, _)| first)
    }

    /// Its DNS name: `dc1.corp.example`.
    pub fn dns_name(&self) -> &str {
        &self.answer.dns_name
    }

    /// DNS name of its domain.
    pub fn domain(&self) -> &str {
        &self.answer.domain
    }

    /// NetBIOS name of its domain.
    pub fn netbios_domain(&self) -> &str {
        &self.answer.netbios_domain
    }

    /// The site that it is in.
    pub fn site(&self) -> &str {
        &self.answer.site
    }

    pub(super) fn trust(&self) -> &Trust {
        &self.trust
    }

    pub(super) fn flags(&self) -> u32 {
        self.answer.flags
    }

    /// The GUID of its domain.
    pub(crate) fn guid(&self) -> Uuid {
        self.answer.guid
    }

    /// The ports that only pass bytes.
    pub(super) fn passed(&self) -> &[u16] {
        &self.passed
    }

    /// Its counterpart of a listener of ours: with `tls`, the one of the two ports of LDAP or of
    /// the global catalogue on which TLS comes first.
    pub(super) fn port(&self, listener: Listener, tls: bool) -> u16 {
        let ports = &self.ports;
        match listener {
            Listener::Dns => ports.dns,
            Listener::Kdc => ports.kdc,
            Listener::Kpasswd => ports.kpasswd,
            Listener::Cldap => ports.ldap,
            Listener::Ldap | Listener::Ldaps if tls => ports.ldaps,
            Listener::Ldap | Listener::Ldaps => ports.ldap,
            Listener::Gc | Listener::Gcs if tls => ports.gcs,
            Listener::Gc | Listener::Gcs => ports.gc,
            // Each has a number of its own.
            Listener::Rpc => 0,
        }
    }
}

/// What a DC has beside the listeners of ours: the endpoint mapper, NetBIOS sessions, and SMB.
const PASSED: &[u16] = &[135, 139, 445];

/// Sends a netlogon ping over TCP. `None` if the answer has no value for it.
async fn ping(address: IpAddr, port: u16) -> io::Result<Option<Vec<u8>>> {
    /// NETLOGON_NT_VERSION_5EX and its predecessor, as Samba asks.
    const NT_VERSION: u32 = 0x6;
    let version = Filter::Equality {
        attribute: "NtVer".to_owned(),
        value: NT_VERSION.to_le_bytes().to_vec(),
    };
    let search = SearchRequest {
        filter: Filter::And(vec![version]),
        attributes: vec!["NetLogon".to_owned()],
        ..SearchRequest::default()
    };
    let request = LdapMessage::new(1, ProtocolOp::SearchRequest(search));
    let mut stream = TcpStream::connect((address, port)).await?;
    stream.write_all(&request.encode()).await?;
    let mut input = Vec::new();
    loop {
        match ldap_wire::decode(&input, &Limits::DEFAULT) {
            Ok(Decoded::Message { message, consumed }) => {
                input.drain(..consumed);
                let ProtocolOp::SearchResultEntry(entry) = message.op else { return Ok(None) };
                if let Some(value) = entry.values("netlogon").first() {
                    return Ok(Some(value.clone()));
                }
            }
            Ok(Decoded::Incomplete { .. }) => {
                if stream.read_buf(&mut input).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        }
    }
}

impl Answer {
    /// Reads a NETLOGON_SAM_LOGON_RESPONSE_EX ([MS-ADTS] 6.3.1.9).
    fn read(bytes: &[u8]) -> Option<Self> {
        /// LOGON_SAM_LOGON_RESPONSE_EX, and the same from a DC that is paused.
        const CODES: [u16; 2] = [0x17, 0x18];
        let mut reader = Reader { bytes, at: 0 };
        let code = u16::from_le_bytes(reader.take()?);
        let _sbz: [u8; 2] = reader.take()?;
        if !CODES.contains(&code) {
            return None;
        }
        let flags = u32::from_le_bytes(reader.take()?);
        let guid = Uuid::from_bytes_le(reader.take()?);
        let _forest = reader.name()?;
        let (domain, dns_name) = (reader.name()?, reader.name()?);
        let netbios_domain = reader.name()?;
        let _netbios_name = reader.name()?;
        let _user = reader.name()?;
        let site = reader.name()?;
        let is_whole = dns_name.contains('.') && !domain.is_empty() && !netbios_domain.is_empty();
        is_whole.then(|| Self {
            flags,
            guid,
            domain: domain.to_ascii_lowercase(),
            dns_name: dns_name.to_ascii_lowercase(),
            netbios_domain,
            site,
        })
    }
}

/// Reads numbers, and names with the compression of DNS (RFC 1035 §4.1.4).
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn take<const SIZE: usize>(&mut self) -> Option<[u8; SIZE]> {
        let taken = self.bytes.get(self.at..self.at + SIZE)?.try_into().ok()?;
        self.at += SIZE;
        Some(taken)
    }

    fn name(&mut self) -> Option<String> {
        /// The two bits of a length that say that it is an offset.
        const POINTER: u8 = 0xc0;
        let mut labels: Vec<String> = Vec::new();
        let mut at = self.at;
        let mut end = None;
        loop {
            let length = *self.bytes.get(at)?;
            if length & POINTER == POINTER {
                let low = *self.bytes.get(at + 1)?;
                end.get_or_insert(at + 2);
                let to = usize::from(length & !POINTER) << 8 | usize::from(low);
                // Backwards only, so that it ends.
                at = Some(to).filter(|&to| to < at)?;
                continue;
            }
            let label = self.bytes.get(at + 1..at + 1 + usize::from(length))?;
            at += 1 + label.len();
            if length == 0 {
                break;
            }
            labels.push(String::from_utf8(label.to_vec()).ok()?);
        }
        self.at = end.unwrap_or(at);
        Some(labels.join("."))
    }
}

/// Failed to find a real DC.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RealDcError {
    /// It answers LDAP, and no netlogon ping.
    #[error("what answers at {address}, port {port}, is no domain controller that serves LDAP")]
    NoDc {
        /// The address.
        address: IpAddr,
        /// The port of LDAP.
        port: u16,
    },
    /// There is no TLS with it, or its certificate is none that is believed.
    #[error("LDAPS at {address}, port {port}: {source}")]
    NotBelieved {
        /// The address.
        address: IpAddr,
        /// The port of LDAPS.
        port: u16,
        /// What the system or the TLS library says.
        source: io::Error,
    },
    /// It answers netlogon pings with something that they are not answered with.
    #[error("the netlogon answer of {address}, port {port}, cannot be read")]
    Unreadable {
        /// The address.
        address: IpAddr,
        /// The port of LDAP.
        port: u16,
    },
    /// Nobody answers.
    #[error("no domain controller answers at {address}, port {port}: {source}")]
    Unreachable {
        /// The address.
        address: IpAddr,
        /// The port of LDAP.
        port: u16,
        /// What the system says.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What Samba 4.22 answers for `dc1.lab.example` (`fixtures/samba-ad/wire/cldap.json`).
    const CAPTURED: &str = "17000000fd130000ef6baf4c145e6645b82e179f54b7f096036c6162076578616d706c6500c01803\
        646331c018034c4142000344433100001744656661756c742d46697273742d536974652d4e616d65\
        00c03805000000ffffffff300c";

    fn bytes(hex: &str) -> Vec<u8> {
        let digits = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(digits).collect()
    }

    #[test]
    fn a_captured_answer_says_who_the_dc_is() {
        let answer = Answer::read(&bytes(CAPTURED)).unwrap();
        assert_eq!(answer.domain, "lab.example");
        assert_eq!(answer.dns_name, "dc1.lab.example");
        assert_eq!(answer.netbios_domain, "LAB");
        assert_eq!(answer.site, "Default-First-Site-Name");
        assert_ne!(answer.flags & netlogon_flag::LDAP, 0);
    }

    #[test]
    fn a_pointer_to_itself_ends() {
        let mut looping = bytes(CAPTURED);
        looping[24..26].copy_from_slice(&[0xc0, 24]);
        assert_eq!(Answer::read(&looping), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Answer::read(&[&[0x17, 0, 0, 0], bytes.as_slice()].concat());
        }
    }
}
