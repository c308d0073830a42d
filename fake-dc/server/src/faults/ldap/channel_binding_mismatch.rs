use fake_dc_directory::{Protection, Reply, TokenRefusal};
use ldap_wire::{Authentication, ProtocolOp};

use crate::{
    exchange::Asked,
    faults::{FaultInfo, ServerFault, refuse},
};

/// SASL binds inside TLS are refused as their channel bindings are not those of the DC's own
/// certificate: `LdapEnforceChannelBinding` is 2, the default of new domains since Windows Server
/// 2025, and TLS ends before the DC. Simple binds carry none and succeed.
#[derive(Debug)]
pub(crate) struct ChannelBindingMismatch;

impl ServerFault for ChannelBindingMismatch {
    fn info(&self) -> FaultInfo {
        FaultInfo::new(
            "ldap.channel-binding-mismatch",
            "a SASL bind inside TLS is refused with 49, 80090346: its channel bindings are wrong",
            "a load balancer or an inspecting firewall ends TLS with a certificate of its own, and \
             the DC demands channel bindings; or the client sends none",
            "client ⇄ DC   TLS with the certificate of whoever stands in the middle\n\
             client → DC   bind GSS-SPNEGO, tls-server-end-point of that certificate\n\
             DC → client   49 invalidCredentials, 80090346: … data 80090346",
        )
    }

    fn on_request(&self, asked: &Asked<'_>) -> Option<Reply> {
        let ProtocolOp::BindRequest(bind) = &asked.message.op else { return None };
        let is_simple = matches!(bind.authentication, Authentication::Simple(_));
        if asked.protection != Protection::Tls || is_simple {
            return None;
        }
        let directory = &asked.dc.domain.directory;
        refuse(asked.message, directory.sasl_refused(TokenRefusal::Bindings))
    }
}
