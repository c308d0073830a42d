use std::sync::Arc;

use rustls::NamedGroup;

use crate::{
    faults::{FaultInfo, ServerFault},
    tls::TlsPolicy,
};

/// P-256 and no other group: a list of curves that was cut down. A client that offers P-384 alone,
/// such as xapi's, finds none in common.
#[derive(Debug)]
pub(crate) struct NoCommonGroup;

impl ServerFault for NoCommonGroup {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "handshake.no-common-group",
            "the server has no group but P-256",
            "the list of elliptic curves was cut down by a policy for Schannel",
            "client → DC   ClientHello with the group secp384r1 alone\n\
             DC → client   alert, fatal: handshake_failure\n\
             DC → client   end of the connection",
        )
    }

    fn tls_policy(&self, policy: &mut TlsPolicy) {
        Arc::make_mut(&mut policy.provider)
            .kx_groups
            .retain(|group| group.name() == NamedGroup::secp256r1);
    }
}
