//! The directory as a whole: who may come in, and which operation goes where.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use ldap_wire::{
    Control, Filter, LdapMessage, LdapResult, ProtocolOp, ResultCode, Scope, SearchRequest,
    SearchResultEntry, controls,
};
use uuid::Uuid;

use crate::{
    build,
    config::{DcView, DirectoryConfig, Flavour},
    defaults, descriptor,
    dn::Dn,
    domain::Domain,
    entry_name::EntryName,
    error::{DirectoryError, LdifErrors},
    ldif::{LdifCause, LdifError, parse_changes},
    overlay::FileChange,
    rootdse::{SAMBA_CONTROLS, WINDOWS_CONTROLS},
    session::{Protection, Reply, Session, Then},
    sid::Sid,
    state::State,
    store::EntryId,
};

/// One domain, shared by all of its DCs. A clone is the same domain, not a copy of it.
#[derive(Clone, Debug)]
pub struct Directory {
    pub(crate) domain: Domain,
    state: Arc<RwLock<State>>,
}

impl Directory {
    /// Makes the domain that `config` describes.
    ///
    /// # Errors
    /// If a name cannot be one, or the LDIF has mistakes; all mistakes are reported together.
    pub fn build(config: DirectoryConfig) -> Result<Self, DirectoryError> {
        let (domain, state, changes) = build::build(config)?;
        let directory = Self { domain, state: Arc::new(RwLock::new(state)) };
        let errors: Vec<LdifError> =
            changes.into_iter().filter_map(|change| directory.carry_out(change).err()).collect();
        if errors.is_empty() { Ok(directory) } else { Err(LdifErrors(errors).into()) }
    }

    /// Makes the changes that an LDIF text asks for, one after the other, as the administrator would
    /// who needs no connection: nothing of it is in any ledger. `file` names the text in errors.
    ///
    /// # Errors
    /// If the text has mistakes nothing is changed; otherwise every change that is refused.
    pub fn apply_ldif(&self, file: &str, text: &str) -> Result<(), LdifErrors> {
        let carried_out = |change| self.carry_out(FileChange { file: file.to_owned(), change });
        let changes = parse_changes(file, text).map_err(LdifErrors)?;
        let errors: Vec<LdifError> =
            changes.into_iter().filter_map(|change| carried_out(change).err()).collect();
        if errors.is_empty() { Ok(()) } else { Err(LdifErrors(errors)) }
    }

    /// Makes a change that an LDIF text asks for, as the administrator would.
    fn carry_out(&self, FileChange { file, change }: FileChange) -> Result<(), LdifError> {
        let mut session = self.administrator("ldif");
        let request = change.to_request(1);
        let refusal = self.handle(&mut session, request).messages.into_iter().find_map(|message| {
            match message.op {
                ProtocolOp::ModifyResponse(result)
                | ProtocolOp::DelResponse(result)
                | ProtocolOp::ModifyDnResponse(result) => Some(result),
                ProtocolOp::ExtendedResponse(response) => Some(response.result),
                _ => None,
            }
            .filter(|result| !result.is_success())
        });
        let Some(LdapResult { code, diagnostic: text, .. }) = refusal else { return Ok(()) };
        let cause = LdifCause::ChangeRefused { dn: change.dn, code, text };
        Err(LdifError { file, line: change.line, cause })
    }

    /// What matches in the domain, with all user attributes, as the administrator sees it who looks
    /// without a connection: nothing of it is in any ledger.
    #[must_use]
    pub fn objects(&self, filter: Filter) -> Vec<SearchResultEntry> {
        let search = SearchRequest {
            base: self.domain_dn().to_string(),
            scope: Scope::WholeSubtree,
            filter,
            ..SearchRequest::default()
        };
        let request = LdapMessage::new(1, ProtocolOp::SearchRequest(search));
        let reply = self.handle(&mut self.administrator("nobody"), request);
        let entry = |message: LdapMessage| match message.op {
            ProtocolOp::SearchResultEntry(entry) => Some(entry),
            _ => None,
        };
        reply.messages.into_iter().filter_map(entry).collect()
    }

    /// The SID of the account or group with this `sAMAccountName`, in any case.
    #[must_use]
    pub fn sid_of(&self, account: &str) -> Option<Sid> {
        let filter = Filter::Equality {
            attribute: "sAMAccountName".to_owned(),
            value: account.as_bytes().to_vec(),
        };
        let objects = self.objects(filter);
        let sid = objects.first()?.attributes.iter().find(|a| a.name == "objectSid")?;
        Sid::from_bytes(sid.values.first()?).ok()
    }

    /// A session of the administrator, which needs no password.
    fn administrator(&self, dc: &str) -> Session {
        const ADMINISTRATOR: u32 = 500;
        let administrator = self.domain.sid.with_rid(ADMINISTRATOR);
        let mut session =
            self.open_session(&DcView::new(dc, &self.domain.dns_name), Protection::Tls);
        session.bound = self.read().store.by_sid(&administrator);
        session
    }

    /// The same domain as a DC sees it whose clock is wrong by `seconds` (negative: behind): the
    /// times that it gives and stamps, and what has expired, are by that clock.
    #[must_use]
    pub fn with_clock_off_by(&self, seconds: i64) -> Self {
        let clock = self.domain.clock.offset_by(seconds);
        Self { domain: Domain { clock, ..self.domain.clone() }, state: Arc::clone(&self.state) }
    }

    /// Gives one more DC its account and its server object.
    ///
    /// # Errors
    /// If the name cannot be a DC's, or is taken.
    pub fn add_dc(&self, dc: &DcView) -> Result<(), DirectoryError> {
        build::add_dc(&self.domain, &mut self.write(), dc)
    }

    /// A client has connected to `dc`.
    pub fn open_session(&self, dc: &DcView, protection: Protection) -> Session {
        Session::new(dc.clone(), protection)
    }

    /// Answers one request of a connection.
    pub fn handle(&self, session: &mut Session, request: LdapMessage) -> Reply {
        if let Some(refusal) = self.refuse_control(&request) {
            return refusal;
        }
        let LdapMessage { id, op, controls } = request;
        let one = |op| Reply::one(LdapMessage::new(id, op));
        match op {
            ProtocolOp::BindRequest(bind) => {
                one(ProtocolOp::BindResponse(self.bind(session, &bind)))
            }
            ProtocolOp::UnbindRequest => Reply { then: Then::Close, ..Reply::none() },
            ProtocolOp::AbandonRequest(_) => Reply::none(),
            ProtocolOp::SearchRequest(search) => self.search(session, id, &search, &controls),
            ProtocolOp::ExtendedRequest(extended) => self.extended(session, id, &extended),
            op => self.change_or_compare(session, id, op, &controls),
        }
    }

    /// Answers what may look at any entry, or change it.
    fn change_or_compare(
        &self,
        session: &mut Session,
        id: u32,
        op: ProtocolOp,
        controls: &[Control],
    ) -> Reply {
        self.read_lists();
        let one = |op| Reply::one(LdapMessage::new(id, op));
        match op {
            ProtocolOp::CompareRequest(compare) => {
                one(ProtocolOp::CompareResponse(self.compare(session, &compare)))
            }
            ProtocolOp::ModifyRequest(modify) if modify.object.is_empty() => {
                self.order(session, id, &modify)
            }
            ProtocolOp::ModifyRequest(modify) => {
                let permissive = controls.iter().any(|c| c.oid == controls::PERMISSIVE_MODIFY);
                let parts = controls.iter().find(|c| c.oid == controls::SD_FLAGS);
                let parts = parts.and_then(|c| {
                    controls::decode_flags(c.value.as_deref().unwrap_or_default()).ok()
                });
                let parts = descriptor::wanted_parts(parts);
                let done = self.modify(session, &modify, permissive, parts);
                one(ProtocolOp::ModifyResponse(either(done)))
            }
            ProtocolOp::AddRequest(add) => {
                one(ProtocolOp::AddResponse(either(self.add(session, &add))))
            }
            ProtocolOp::DelRequest(entry) => {
                let tree = controls.iter().any(|control| control.oid == controls::TREE_DELETE);
                one(ProtocolOp::DelResponse(either(self.delete(session, &entry, tree))))
            }
            ProtocolOp::ModifyDnRequest(rename) => {
                one(ProtocolOp::ModifyDnResponse(either(self.rename(session, &rename))))
            }
            // What only a server may send. RFC 4511 §4.1.1 asks to disconnect.
            _ => {
                let text = "request has the form of a response";
                let result = LdapResult::new(ResultCode::PROTOCOL_ERROR, text);
                let notice = LdapMessage::notice_of_disconnection(result);
                Reply { messages: vec![notice], then: Then::Close }
            }
        }
    }

    /// DNS name of the domain.
    pub fn dns_name(&self) -> &str {
        &self.domain.dns_name
    }

    /// DNS name of the forest: that of the domain at its root.
    pub fn forest_name(&self) -> &str {
        &self.domain.forest
    }

    /// NetBIOS name of the domain.
    pub fn netbios_name(&self) -> &str {
        &self.domain.netbios
    }

    /// Whose answers it gives.
    pub fn flavour(&self) -> Flavour {
        self.domain.flavour
    }

    /// DN of the domain's head.
    pub fn domain_dn(&self) -> &Dn {
        &self.domain.dn
    }

    /// SID of the domain.
    pub fn domain_sid(&self) -> &Sid {
        &self.domain.sid
    }

    /// GUID of the domain, which names it in DNS and in netlogon answers.
    pub fn domain_guid(&self) -> Uuid {
        self.domain.guid
    }

    /// GUID of a DC's settings object, by which the other DCs find it in DNS; `None` if the
    /// directory has no such DC.
    pub fn settings_guid(&self, dc: &DcView) -> Option<Uuid> {
        let state = self.read();
        let settings = defaults::server_dn(&self.domain, dc).child("CN", "NTDS Settings");
        state.store.find(&settings).and_then(|id| state.store.get(id)?.guid())
    }

    /// The name by which people call who is bound: `CORP\alice`; `None` if nobody is.
    pub fn bound_name(&self, session: &Session) -> Option<String> {
        if let Some(foreign) = &session.foreign {
            return Some(foreign.name());
        }
        let state = self.read();
        let account = state.store.get(session.bound?)?.text("sAMAccountName")?;
        Some(format!("{}\\{account}", self.domain.netbios))
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        // A panic while writing would be a broken invariant of ours; readers do not add to it.
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, State> {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        state.other_domains.take();
        state
    }

    /// Finds the entry that a request names, in any of AD's forms.
    pub(crate) fn resolve(&self, state: &State, name: &str) -> Result<EntryId, LdapResult> {
        self.resolve_read(state, name, EntryName::parse(name).ok().as_ref())
    }

    /// The same of a name that has been read; `None` if it is none.
    pub(crate) fn resolve_read(
        &self,
        state: &State,
        name: &str,
        read: Option<&EntryName>,
    ) -> Result<EntryId, LdapResult> {
        let diagnostics = self.domain.diagnostics();
        if name.starts_with('<') && name.contains(">;") && self.domain.flavour == Flavour::Samba4_22
        {
            return Err(diagnostics.mixed_name());
        }
        let found = match read.ok_or_else(|| diagnostics.bad_dn(name))? {
            EntryName::Dn(dn) => {
                return state.store.find(dn).ok_or_else(|| self.not_here(state, dn));
            }
            EntryName::Guid(guid) => state.store.by_guid(guid),
            EntryName::Sid(sid) => state.store.by_sid(sid),
            EntryName::WellKnown { guid, container } => well_known(state, guid, container),
        };
        found.ok_or_else(|| diagnostics.no_such_name(name))
    }

    /// The result for a DN that names nothing here.
    pub(crate) fn not_here(&self, state: &State, dn: &Dn) -> LdapResult {
        let diagnostics = self.domain.diagnostics();
        if dn.is_empty() {
            return diagnostics.empty_base();
        }
        if self.domain.naming_context_of(dn).is_none()
            && let Some(dns_name) = dn.dns_name()
        {
            return diagnostics.elsewhere(dn, &dns_name);
        }
        // Heads of domains lie within one another; the lowest above the name has it.
        let own = self.domain.naming_context_of(dn).map_or(0, Dn::depth);
        let elsewhere = self
            .other_domains(state)
            .iter()
            .filter(|(head, _)| dn.is_at_or_below(head) && head.depth() > own)
            .max_by_key(|(head, _)| head.depth());
        if let Some((_, dns_name)) = elsewhere {
            return diagnostics.elsewhere(dn, dns_name);
        }
        let mut above = dn.parent();
        while let Some(parent) = above {
            if state.store.find(&parent).is_some() {
                return diagnostics.no_such_object(&parent);
            }
            above = parent.parent();
        }
        diagnostics.no_such_object(&Dn::default())
    }

    /// Refuses a request with a critical control that is not known.
    fn refuse_control(&self, request: &LdapMessage) -> Option<Reply> {
        if matches!(request.op, ProtocolOp::UnbindRequest | ProtocolOp::AbandonRequest(_)) {
            return None;
        }
        let samba = self.domain.flavour == Flavour::Samba4_22;
        let known = if samba { &SAMBA_CONTROLS[..] } else { &WINDOWS_CONTROLS[..] };
        let mut critical = request.controls.iter().filter(|control| control.critical);
        let unknown = critical.find(|control| !known.contains(&control.oid.as_str()))?;
        if samba && SAMBA_UNREGISTERED.contains(&unknown.oid.as_str()) {
            let result = self.domain.diagnostics().unregistered_control(&unknown.oid);
            let message = LdapMessage::new(request.id, response_to(&request.op, result));
            return Some(Reply::one(message));
        }
        Some(self.unknown_control(request.id, &request.op))
    }

    /// The answer to a request with a critical control that is not known, or cannot be read.
    ///
    /// Samba 4.22 answers even a search with an extended response (capture
    /// `control-unknown-critical`), so that clients wait for ever.
    pub(crate) fn unknown_control(&self, id: u32, request: &ProtocolOp) -> Reply {
        let result = self.domain.diagnostics().unknown_control();
        let op = match self.domain.flavour {
            Flavour::WindowsServer2022 => response_to(request, result),
            Flavour::Samba4_22 => extended_response(result),
        };
        Reply::one(LdapMessage::new(id, op))
    }
}

/// Controls that Samba 4.22 can read and that no part of it serves.
const SAMBA_UNREGISTERED: [&str; 2] = ["1.2.840.113556.1.4.619", "1.2.840.113556.1.4.2065"];

fn either(result: Result<(), LdapResult>) -> LdapResult {
    result.err().unwrap_or_default()
}

fn extended_response(result: LdapResult) -> ProtocolOp {
    ProtocolOp::ExtendedResponse(ldap_wire::ExtendedResponse { result, name: None, value: None })
}

fn response_to(request: &ProtocolOp, result: LdapResult) -> ProtocolOp {
    match request {
        ProtocolOp::BindRequest(_) => ProtocolOp::BindResponse(ldap_wire::BindResponse {
            result,
            server_sasl_credentials: None,
        }),
        ProtocolOp::SearchRequest(_) => ProtocolOp::SearchResultDone(result),
        ProtocolOp::ModifyRequest(_) => ProtocolOp::ModifyResponse(result),
        ProtocolOp::AddRequest(_) => ProtocolOp::AddResponse(result),
        ProtocolOp::DelRequest(_) => ProtocolOp::DelResponse(result),
        ProtocolOp::ModifyDnRequest(_) => ProtocolOp::ModifyDnResponse(result),
        ProtocolOp::CompareRequest(_) => ProtocolOp::CompareResponse(result),
        _ => extended_response(result),
    }
}

/// What the container lists under that identifier ([MS-ADTS] 6.1.1.4).
fn well_known(state: &State, guid: &str, container: &Dn) -> Option<EntryId> {
    let container = state.store.get(state.store.find(container)?)?;
    ["wellKnownObjects", "otherWellKnownObjects"].iter().find_map(|attribute| {
        container.values(attribute).iter().find_map(|value| {
            let mut parts = std::str::from_utf8(value).ok()?.splitn(4, ':').skip(2);
            let same = parts.next()?.eq_ignore_ascii_case(guid);
            let dn = Dn::parse(parts.next()?).ok()?;
            if same { state.store.find(&dn) } else { None }
        })
    })
}
