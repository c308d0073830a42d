//! Clients that show a certificate: which account it stands for, and SASL EXTERNAL.
//!
//! Of AD, as [MS-ADTS] 5.1.1.2 has it. On LDAPS a client is bound once the handshake is over, and an
//! EXTERNAL bind is refused; after StartTLS it stays who it was until it binds with EXTERNAL. A Samba
//! AD DC (4.22) knows no EXTERNAL on its ports, and makes nothing of certificates.
//!
//! A certificate stands for an account by the name in it (`userPrincipalName`, or the DNS name of a
//! computer) or since the account says so (`altSecurityIdentities`, [MS-ADA1] 2.61, with the forms
//! of [MS-PKCA] 3.1.5.2.1). That weak forms are refused since 2025 (KB5014754) is left out, and so
//! is the form with a hash of the key.

use ldap_wire::LdapResult;

use crate::{
    account::Account, config::Flavour, diagnostic::LogonError, directory::Directory,
    entry_name::EntryName, logon::AccountName, session::Session, state::State, store::EntryId,
};

/// What a certificate says that could stand for an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CertificateNames {
    /// Its `userPrincipalName`.
    pub user_principal_name: Option<String>,
    /// Its DNS names.
    pub dns_names: Vec<String>,
    /// Values of `altSecurityIdentities` that would mean it: `X509:<I>…<S>…`.
    pub mappings: Vec<String>,
}

/// The good certificate of a client, on its connection.
#[derive(Clone, Debug)]
pub(crate) struct ShownCertificate {
    names: CertificateNames,
    /// Whether the connection came to LDAPS.
    bound_at_once: bool,
}

impl Directory {
    /// A client has shown a good certificate as TLS began, by coming to LDAPS or by StartTLS. Returns
    /// the name of the account that it stands for, if there is one that may log on.
    pub fn certificate_shown(
        &self,
        session: &mut Session,
        names: CertificateNames,
        came_to_ldaps: bool,
    ) -> Option<String> {
        if self.domain.flavour == Flavour::Samba4_22 {
            return None;
        }
        let state = self.read();
        let id = self.mapped(&state, &names);
        if came_to_ldaps {
            session.bound = id;
        }
        let certificate = ShownCertificate { names, bound_at_once: came_to_ldaps };
        session.certificate = Some(Box::new(certificate));
        Some(state.store.get(id?)?.text("sAMAccountName")?.to_owned())
    }

    /// Answers a bind with EXTERNAL.
    pub(crate) fn external_bind(
        &self,
        session: &mut Session,
        authorization: Option<&[u8]>,
    ) -> LdapResult {
        let diagnostics = self.domain.diagnostics();
        let Some(shown) = &session.certificate else { return diagnostics.no_certificate() };
        if shown.bound_at_once {
            // As clients report it (go-ldap, issue 354).
            return diagnostics.unknown_mechanism();
        }
        let state = self.read();
        let Some(id) = self.mapped(&state, &shown.names) else {
            return diagnostics.no_certificate();
        };
        // Only `dn:`, and nobody else than the certificate's account ([MS-ADTS] 5.1.1.1.2).
        let authorization = authorization.unwrap_or_default();
        if !authorization.is_empty() && !self.is_claim_of(&state, authorization, id) {
            return diagnostics.bad_token();
        }
        session.bound = Some(id);
        LdapResult::success()
    }

    fn is_claim_of(&self, state: &State, authorization: &[u8], id: EntryId) -> bool {
        let name = std::str::from_utf8(authorization).ok().and_then(|it| it.strip_prefix("dn:"));
        name.is_some_and(|name| {
            matches!(EntryName::parse(name), Ok(EntryName::Dn(_)))
                && self.resolve(state, name) == Ok(id)
        })
    }

    fn mapped(&self, state: &State, names: &CertificateNames) -> Option<EntryId> {
        let by_name = names
            .user_principal_name
            .as_deref()
            .and_then(|name| self.find_account(state, AccountName::UserPrincipal(name)))
            .or_else(|| self.computer(state, names));
        let id = by_name.or_else(|| said_by_account(state, names))?;
        let entry = state.store.get(id).filter(|entry| entry.is_a("user"))?;
        let restriction = Account::new(&self.domain, state, entry).restriction_of_any_password();
        let is_barred = matches!(
            restriction,
            // A password is of no matter here.
            Some(
                LogonError::AccountDisabled
                    | LogonError::AccountExpired
                    | LogonError::AccountLockedOut
            )
        );
        (!is_barred).then_some(id)
    }

    /// The computer with one of these DNS names, which must be its own.
    fn computer(&self, state: &State, names: &CertificateNames) -> Option<EntryId> {
        names.dns_names.iter().find_map(|name| {
            let (label, domain) = name.split_once('.')?;
            if !domain.eq_ignore_ascii_case(&self.domain.dns_name) {
                return None;
            }
            let id = state.store.by_account_name(&format!("{label}$"))?;
            let own = state.store.get(id)?.text("dNSHostName")?;
            own.eq_ignore_ascii_case(name).then_some(id)
        })
    }
}

/// The account that says of itself that the certificate stands for it. Two that say so are none.
fn said_by_account(state: &State, names: &CertificateNames) -> Option<EntryId> {
    let mut said = state.store.of_class("user").filter(|entry| {
        entry.values("altSecurityIdentities").iter().any(|value| {
            let value = String::from_utf8_lossy(value);
            names.mappings.iter().any(|mapping| mapping.eq_ignore_ascii_case(&value))
        })
    });
    let (one, another) = (said.next()?, said.next());
    match another {
        None => state.store.find(&one.dn),
        Some(_) => None,
    }
}
