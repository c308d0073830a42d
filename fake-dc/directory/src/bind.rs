//! Binds: who a session is.

use ldap_wire::{Authentication, BindRequest, BindResponse, LdapResult};

use crate::{
    account::Account,
    config::Flavour,
    diagnostic::LogonError,
    directory::Directory,
    entry_name::EntryName,
    logon::AccountName,
    session::{ForeignPrincipal, Protection, Session},
    state::State,
    store::EntryId,
};

/// How a SASL bind protects what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaslLayer {
    /// Not at all.
    None,
    /// Every message is signed.
    Sign,
    /// Every message is signed and encrypted.
    Seal,
}

/// Why a token of a SASL bind is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenRefusal {
    /// It cannot be read, or proves nothing.
    Invalid,
    /// It is not bound to the TLS connection as the DC demands it (SEC_E_BAD_BINDINGS).
    Bindings,
    /// It asks to sign or seal within TLS.
    LayerInsideTls,
}

/// How a client names the account that it binds as ([MS-ADTS] 5.1.1.1.1).
enum Claim {
    /// This account.
    Account(EntryId),
    /// The name has a form that would be looked up, but no account has it.
    NoSuchUser,
    /// The name has no form that is looked up, such as a bare account name.
    NoName,
}

impl Directory {
    pub(crate) fn bind(&self, session: &mut Session, request: &BindRequest) -> BindResponse {
        // A bind that fails leaves the session anonymous (RFC 4511 §4.2.1).
        session.forget_client();
        let diagnostics = self.domain.diagnostics();
        if !matches!(request.version, 2 | 3) {
            return response(diagnostics.bad_protocol_version());
        }
        match &request.authentication {
            Authentication::Simple(password) => {
                response(self.simple_bind(session, &request.name, password))
            }
            Authentication::Sasl { mechanism, credentials }
                if mechanism == "EXTERNAL" && self.domain.flavour != Flavour::Samba4_22 =>
            {
                response(self.external_bind(session, credentials.as_deref()))
            }
            Authentication::Sasl { mechanism, .. } => self.sasl_bind(mechanism),
            Authentication::Other { .. } => response(diagnostics.unknown_mechanism()),
        }
    }

    /// A client has begun a SASL bind whose tokens somebody else reads: it is nobody until that
    /// has succeeded (RFC 4511 §4.2.1).
    pub fn sasl_begins(&self, session: &mut Session) {
        session.forget_client();
    }

    /// A client has proved by SASL that it is `account`, and `layer` is what protects the
    /// connection from now on.
    pub fn sasl_succeeded(
        &self,
        session: &mut Session,
        account: AccountName<'_>,
        layer: SaslLayer,
    ) -> LdapResult {
        self.protected_by(session, layer, |session| {
            let state = self.read();
            session.bound = self.find_account(&state, account);
        })
    }

    /// The same, of a client of a domain that this one trusts.
    pub fn foreign_sasl_succeeded(
        &self,
        session: &mut Session,
        client: ForeignPrincipal,
        layer: SaslLayer,
    ) -> LdapResult {
        self.protected_by(session, layer, |session| session.foreign = Some(client))
    }

    /// Binds the client, unless the connection must be protected and is not.
    fn protected_by(
        &self,
        session: &mut Session,
        layer: SaslLayer,
        bind: impl FnOnce(&mut Session),
    ) -> LdapResult {
        let diagnostics = self.domain.diagnostics();
        let is_protected = session.protection != Protection::None || layer != SaslLayer::None;
        if self.domain.policy.require_strong_auth && !is_protected {
            return diagnostics.sign_or_seal_required();
        }
        bind(session);
        if !session.is_bound() {
            return diagnostics.bad_token();
        }
        if layer == SaslLayer::Seal && session.protection == Protection::None {
            session.protection = Protection::Sealed;
        }
        LdapResult::success()
    }

    /// The result of a SASL bind whose token is refused.
    pub fn sasl_refused(&self, refusal: TokenRefusal) -> LdapResult {
        let diagnostics = self.domain.diagnostics();
        match refusal {
            TokenRefusal::Invalid => diagnostics.bad_token(),
            TokenRefusal::Bindings => diagnostics.bad_bindings(),
            TokenRefusal::LayerInsideTls => diagnostics.layer_inside_tls(),
        }
    }

    fn simple_bind(&self, session: &mut Session, name: &str, password: &[u8]) -> LdapResult {
        let diagnostics = self.domain.diagnostics();
        let unauthenticated_bind =
            name.is_empty() || self.domain.flavour == Flavour::WindowsServer2022;
        if password.is_empty() && unauthenticated_bind {
            return LdapResult::success();
        }
        if self.domain.policy.require_strong_auth && session.protection == Protection::None {
            return diagnostics.strong_auth_required();
        }
        let claim = self.claim(&self.read(), name);
        self.log_on(session, claim, password)
    }

    /// A SASL bind with a mechanism of which nobody reads the tokens.
    fn sasl_bind(&self, mechanism: &str) -> BindResponse {
        let diagnostics = self.domain.diagnostics();
        // Whoever serves the directory reads those of Kerberos before it asks here.
        let known = matches!(mechanism, "GSS-SPNEGO" | "GSSAPI" | "NTLM" | "DIGEST-MD5");
        BindResponse {
            result: if known { diagnostics.bad_token() } else { diagnostics.unknown_mechanism() },
            // Samba sends an empty token with failures (captures `sasl-*`).
            server_sasl_credentials: Some(Vec::new()),
        }
    }

    fn claim(&self, state: &State, name: &str) -> Claim {
        let account = |name: &str| match state.store.by_account_name(name) {
            Some(id) => Claim::Account(id),
            None => Claim::NoSuchUser,
        };
        if let Some((domain, user)) = name.split_once('\\')
            && !name.contains('=')
        {
            let ours = domain.eq_ignore_ascii_case(&self.domain.netbios)
                || domain.eq_ignore_ascii_case(&self.domain.dns_name);
            return if ours { account(user) } else { Claim::NoSuchUser };
        }
        if let Ok(EntryName::Dn(_) | EntryName::Guid(_) | EntryName::Sid(_)) =
            EntryName::parse(name)
        {
            return match self.resolve(state, name) {
                Ok(id) => Claim::Account(id),
                Err(_) => Claim::NoSuchUser,
            };
        }
        if let Some(id) = state.store.first("userPrincipalName", name.to_lowercase().as_bytes()) {
            return Claim::Account(id);
        }
        match name.rsplit_once('@') {
            Some((user, realm)) if realm.eq_ignore_ascii_case(&self.domain.dns_name) => {
                account(user)
            }
            Some(_) => Claim::NoSuchUser,
            None => Claim::NoName,
        }
    }

    fn log_on(&self, session: &mut Session, claim: Claim, password: &[u8]) -> LdapResult {
        let diagnostics = self.domain.diagnostics();
        let id = match claim {
            Claim::Account(id) => id,
            Claim::NoSuchUser => return diagnostics.logon(LogonError::NoSuchUser),
            Claim::NoName => return diagnostics.logon(LogonError::LogonFailure),
        };
        let error = {
            let state = self.read();
            match state.store.get(id).filter(|entry| entry.is_a("user")) {
                Some(entry) => Account::new(&self.domain, &state, entry).logon_error(password),
                None => Some(LogonError::LogonFailure),
            }
        };
        match error {
            Some(error) => {
                if error == LogonError::LogonFailure {
                    self.count_wrong_password(id);
                }
                diagnostics.logon(error)
            }
            None => {
                self.forget_wrong_passwords(id);
                session.bound = Some(id);
                LdapResult::success()
            }
        }
    }

    pub(crate) fn count_wrong_password(&self, id: EntryId) {
        let mut state = self.write();
        let Some(entry) = state.store.get(id).filter(|entry| entry.is_a("user")) else { return };
        let (count, locks) = Account::new(&self.domain, &state, entry).after_wrong_password();
        let now = self.domain.now().to_file_time().to_string();
        state.store.update(id, |entry| {
            entry.set("badPwdCount", [count.to_string()]);
            entry.set("badPasswordTime", [now.as_str()]);
            if locks {
                entry.set("lockoutTime", [now]);
            }
        });
    }

    /// A good password ends an elapsed lockout and the count towards the next one.
    pub(crate) fn forget_wrong_passwords(&self, id: EntryId) {
        let differs = {
            let state = self.read();
            state.store.get(id).is_some_and(|entry| {
                entry.number("badPwdCount").unwrap_or(0) != 0
                    || entry.number("lockoutTime").unwrap_or(0) != 0
            })
        };
        if differs {
            self.write().store.update(id, |entry| {
                entry.set("badPwdCount", ["0"]);
                if entry.has("lockoutTime") {
                    entry.set("lockoutTime", ["0"]);
                }
            });
        }
    }
}

fn response(result: LdapResult) -> BindResponse {
    BindResponse { result, server_sasl_credentials: None }
}
