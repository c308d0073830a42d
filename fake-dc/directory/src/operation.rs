//! Changes of the rootDSE, which are no changes but orders to the DC ([MS-ADTS] 3.1.1.3.3).
//!
//! One of them is known: `renewServerCertificate` ([MS-ADTS] 3.1.1.3.3.22, Windows Server 2008 and
//! later). Samba 4.22 has no such order; an administrator gives it on the DC itself, with
//! `smbcontrol ldap_server reload-certs` (release notes of Samba 4.21).

use ldap_wire::{LdapMessage, LdapResult, ModifyOperation, ModifyRequest, ProtocolOp, ResultCode};

use crate::{
    config::Flavour,
    directory::Directory,
    session::{Reply, Session, Then},
};

impl Directory {
    pub(crate) fn order(&self, session: &Session, id: u32, request: &ModifyRequest) -> Reply {
        let (result, then) = match self.understand(session, request) {
            Ok(then) => (LdapResult::success(), then),
            Err(result) => (result, Then::Continue),
        };
        let message = LdapMessage::new(id, ProtocolOp::ModifyResponse(result));
        Reply { messages: vec![message], then }
    }

    /// The values do not matter, nor whether they are added or replace others.
    fn understand(&self, session: &Session, request: &ModifyRequest) -> Result<Then, LdapResult> {
        let diagnostics = self.domain.diagnostics();
        // By default it is administrators who have the right `Reload-SSL-Certificate`.
        self.require_administrator(session, &self.read())?;
        let is_renewal = |name: &str| name.eq_ignore_ascii_case("renewServerCertificate");
        let known = self.domain.flavour == Flavour::WindowsServer2022
            && !request.changes.is_empty()
            && request.changes.iter().all(|change| is_renewal(&change.modification.name));
        if !known {
            return Err(diagnostics.unknown_order());
        }
        let given = [ModifyOperation::Add, ModifyOperation::Replace];
        if !request.changes.iter().all(|change| given.contains(&change.operation)) {
            const WILL_NOT: u32 = 0x209a;
            return Err(diagnostics.unwilling(WILL_NOT));
        }
        Ok(Then::RenewCertificate)
    }
}

impl crate::diagnostic::Diagnostics {
    /// No attribute of the rootDSE that can be written.
    ///
    /// Samba's text is that of `rootdse_modify` in its module `rootdse`.
    fn unknown_order(self) -> LdapResult {
        match self.flavour {
            Flavour::Samba4_22 => LdapResult::new(
                ResultCode::UNWILLING_TO_PERFORM,
                "rootdse_modify: unknown attribute to change!",
            ),
            Flavour::WindowsServer2022 => LdapResult::new(
                ResultCode::NO_SUCH_ATTRIBUTE,
                "00000057: LdapErr: DSID-0C090D8A, comment: Error in attribute conversion \
                 operation, data 0, v4f7c",
            ),
        }
    }
}
