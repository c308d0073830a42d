//! SASL binds with Kerberos: the acceptor of `fake-dc-kerberos` reads the tokens, the directory
//! says who that is.
//!
//! A bind takes one request or several. What it agrees upon protects the connection behind its
//! last answer (RFC 4513, section 5.2.1.1).

use std::sync::Arc;

use fake_dc_directory::{
    AccountName, ForeignPrincipal, Protection, SaslLayer, Session, Sid, TokenRefusal,
};
use fake_dc_kerberos::{
    Error, LogonInfo, NameKind, PrincipalName,
    gss::{
        Acceptor, AcceptorConfig, ChannelBindings, Mechanism, Opened, SaslAcceptor, SaslStep,
        SecurityLayer,
    },
};
use ground::{Stream, Trail};
use ldap_wire::{Authentication, BindRequest, BindResponse, LdapResult, ResultCode};

use crate::{
    dc::Dc,
    facts::{Listener, SaslRefused},
    kdc,
};

/// The SASL side of one connection.
#[derive(Debug)]
pub(crate) struct Sasl {
    dc: Arc<Dc>,
    listener: Listener,
    under_way: Option<(Mechanism, SaslAcceptor)>,
    /// What a bind has put between LDAP and the stream.
    layer: Option<Box<SecurityLayer>>,
    /// Made when first needed: most connections have no use for it.
    random: Option<Stream>,
}

/// The answer to one step of a bind.
#[derive(Debug)]
pub(crate) struct SaslAnswer {
    pub(crate) response: BindResponse,
    /// What is to protect everything behind this answer: for [`Sasl::put`].
    pub(crate) layer: Option<Box<SecurityLayer>>,
}

impl Sasl {
    /// For one connection to `listener` of `dc`.
    pub(crate) fn new(dc: &Arc<Dc>, listener: Listener) -> Self {
        Self { dc: Arc::clone(dc), listener, under_way: None, layer: None, random: None }
    }

    /// Whether a bind has put a layer between LDAP and the stream.
    pub(crate) fn protects(&self) -> bool {
        self.layer.is_some()
    }

    /// Protects the connection from now on.
    pub(crate) fn put(&mut self, layer: Box<SecurityLayer>) {
        self.layer = Some(layer);
    }

    /// Moves what was received to `input`, out of its protection if there is one.
    ///
    /// # Errors
    ///
    /// It is not what the client has protected. Nothing that follows can be read.
    pub(crate) fn open(
        &mut self,
        received: &mut Vec<u8>,
        input: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let Some(layer) = &mut self.layer else {
            if input.is_empty() {
                std::mem::swap(input, received);
            } else {
                input.append(received);
            }
            return Ok(());
        };
        let mut used = 0;
        while let Opened::Message { message, consumed } = layer.open(&received[used..])? {
            input.extend_from_slice(&message);
            used += consumed;
        }
        received.drain(..used);
        Ok(())
    }

    /// Adds the bytes of messages to `output`, protected if that is agreed.
    pub(crate) fn protect(&mut self, messages: &[u8], output: &mut Vec<u8>) {
        let Some(layer) = &mut self.layer else { return output.extend_from_slice(messages) };
        let random = self.random.get_or_insert_with(|| self.dc.domain.kerberos.random());
        for part in messages.chunks(PROTECTED_BYTES) {
            output.extend(layer.protect(part, random));
        }
    }

    /// Forgets a bind that is under way: the client has gone on with something else.
    pub(crate) fn abandon(&mut self) {
        self.under_way = None;
    }

    /// Answers a bind with a mechanism of Kerberos; `None` for all others.
    ///
    /// `certificate` is the one that the DC has shown on this connection, if it is TLS.
    pub(crate) fn answer(
        &mut self,
        session: &mut Session,
        request: &BindRequest,
        certificate: Option<&[u8]>,
        trail: &Trail,
    ) -> Option<SaslAnswer> {
        let under_way = self.under_way.take();
        let Authentication::Sasl { mechanism, credentials } = &request.authentication else {
            return None;
        };
        let mechanism = Mechanism::from_name(mechanism)?;
        let mut acceptor = match under_way {
            Some((begun, acceptor)) if begun == mechanism => acceptor,
            _ => {
                self.dc.directory(self.listener).sasl_begins(session);
                let inside_tls = session.protection() == Protection::Tls;
                SaslAcceptor::new(mechanism, self.acceptor(certificate), inside_tls)
            }
        };
        let directory = self.dc.directory(self.listener);
        let random = self.random.get_or_insert_with(|| self.dc.domain.kerberos.random());
        Some(match acceptor.step(credentials.as_deref(), random) {
            Ok(SaslStep::Continue(token)) => {
                self.under_way = Some((mechanism, acceptor));
                let result = LdapResult::new(ResultCode::SASL_BIND_IN_PROGRESS, "");
                SaslAnswer::new(result, Some(token))
            }
            Ok(SaslStep::Done { token, client, logon, layer }) => {
                let protection = match &layer {
                    None => SaslLayer::None,
                    Some(layer) if layer.seals() => SaslLayer::Seal,
                    Some(_) => SaslLayer::Sign,
                };
                let account = client.name.to_string();
                // Of a ticket whose client asked by that name, and not for the canonical one.
                let account = match client.name.kind {
                    NameKind::ENTERPRISE => AccountName::UserPrincipal(&account),
                    _ => AccountName::Account(&account),
                };
                let is_own = client.realm.eq_ignore_ascii_case(directory.dns_name());
                let result = match logon.and_then(|logon| foreign(&logon)) {
                    _ if is_own => directory.sasl_succeeded(session, account, protection),
                    Some(client) => directory.foreign_sasl_succeeded(session, client, protection),
                    None => directory.sasl_refused(TokenRefusal::Invalid),
                };
                let layer = if result.is_success() { layer } else { None };
                SaslAnswer { layer, ..SaslAnswer::new(result, token) }
            }
            Err(error) => {
                trail.record(SaslRefused { reason: error.to_string() });
                let refusal = match error {
                    Error::ChannelBindings { .. } => TokenRefusal::Bindings,
                    Error::LayerInsideTls => TokenRefusal::LayerInsideTls,
                    _ => TokenRefusal::Invalid,
                };
                // Samba sends an empty token where it has none (captures `sasl-*`).
                let token = acceptor.error_token(&error).unwrap_or_default();
                SaslAnswer::new(directory.sasl_refused(refusal), Some(token))
            }
        })
    }

    fn acceptor(&self, certificate: Option<&[u8]>) -> Acceptor {
        let domain = &self.dc.domain;
        let config = AcceptorConfig::new(
            PrincipalName::service("ldap", &self.dc.view.dns_name),
            &domain.name.to_uppercase(),
            kdc::machine_keys(&self.dc),
            self.dc.clock(self.listener),
        );
        Acceptor::new(AcceptorConfig {
            // Bytes that are no certificate have nothing that could be bound to.
            bindings: certificate
                .and_then(|certificate| ChannelBindings::tls_server_end_point(certificate).ok()),
            binding_policy: domain.channel_binding,
            ..config
        })
    }
}

/// A client of another domain, as its PAC tells of it.
fn foreign(logon: &LogonInfo) -> Option<ForeignPrincipal> {
    let domain = Sid::from_bytes(&logon.domain_sid).ok()?;
    let own = logon.groups.iter().map(|&rid| domain.with_rid(rid));
    let extra = logon.extra_sids.iter().filter_map(|sid| Sid::from_bytes(sid).ok());
    Some(ForeignPrincipal {
        netbios_domain: logon.netbios_domain.clone(),
        account: logon.account.clone(),
        sid: domain.with_rid(logon.rid),
        groups: own.chain(extra).collect(),
    })
}

/// Bytes that are protected at once: less than any client's buffer.
const PROTECTED_BYTES: usize = 32_768;

impl SaslAnswer {
    fn new(result: LdapResult, token: Option<Vec<u8>>) -> Self {
        let response = BindResponse { result, server_sasl_credentials: token };
        Self { response, layer: None }
    }
}
