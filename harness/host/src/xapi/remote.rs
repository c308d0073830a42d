//! The way from a host to the coordinator of another pool: real TCP and TLS, through the host's
//! own network.

use std::net::{IpAddr, SocketAddr};

use xenapi_client::{CallError, Client, Trust};

use crate::{ApiError, hosts_file, xapi::on_host::OnHost};

/// Where every host serves its API.
pub(in crate::xapi) const API_PORT: u16 = 443;

impl OnHost<'_> {
    /// A client of what serves at this address, or at the one that `/etc/hosts` has for this name.
    pub(in crate::xapi) fn client_of(&self, peer: &str, trust: Trust) -> Result<Client, ApiError> {
        let text = self.host.root().read_text_if_present(hosts_file::PATH)?.unwrap_or_default();
        let address = peer.parse().ok().or_else(|| address_in(&text, peer));
        let unknown = || ApiError::internal(format!("{peer}: name or service not known"));
        let believed = SocketAddr::new(address.ok_or_else(unknown)?, API_PORT);
        let really = self.host.network().route(believed);
        Ok(Client::new(really).named(peer).tls(trust))
    }
}

/// The first address that a hosts file has for a name.
fn address_in(text: &str, name: &str) -> Option<IpAddr> {
    text.lines().find_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_ascii_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|word| word.eq_ignore_ascii_case(name)).then_some(address)
    })
}

/// What a call at another pool ends with here: what that pool says, or that nobody says anything.
pub(in crate::xapi) fn from_there(error: CallError) -> ApiError {
    match error {
        CallError::Api(error) => error,
        CallError::Client(error) => ApiError::internal(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_hosts_file() {
        let text = "127.0.0.1 localhost\n# 10.0.0.1 host9\n10.0.0.9\tHost9 host9.example # nine\n";
        assert_eq!(address_in(text, "host9"), Some([10, 0, 0, 9].into()));
        assert_eq!(address_in(text, "HOST9.example"), Some([10, 0, 0, 9].into()));
        assert_eq!(address_in(text, "nine"), None);
    }
}
