//! Searches and comparisons.

pub(crate) mod options;
mod order;
mod references;
pub(crate) mod selection;

use std::{cell::LazyCell, collections::VecDeque};

use ldap_wire::{
    CompareRequest, Control, LdapMessage, LdapResult, ProtocolOp, ResultCode, Scope, SearchRequest,
    SearchResultEntry,
    controls::{self, PagedResults, SortKey},
};

use self::{
    options::{Options, Refusal},
    selection::{Selection, dn_text},
};
use crate::{
    build,
    computed::Reader,
    config::Flavour,
    descriptor,
    directory::Directory,
    entry::Entry,
    entry_name::EntryName,
    filter::Matcher,
    page::PagedSearch,
    schema::{self, Syntax},
    session::{Reply, Session},
    state::State,
    store::EntryId,
};

impl Directory {
    pub(crate) fn search(
        &self,
        session: &mut Session,
        id: u32,
        request: &SearchRequest,
        controls: &[Control],
    ) -> Reply {
        // An entry and the result, most often.
        let messages = Vec::with_capacity(2);
        let mut answer = Answer { id, messages, controls: Vec::new() };
        let result = match Options::read(self.domain.diagnostics(), controls) {
            Ok(options) => self.find(session, request, &options, &mut answer),
            Err(Refusal::Unknown) => {
                return self.unknown_control(id, &ProtocolOp::SearchRequest(request.clone()));
            }
            Err(Refusal::With(result)) => Err(result),
        };
        Reply { messages: answer.end(result.err().unwrap_or_default()), ..Reply::none() }
    }

    pub(crate) fn compare(&self, session: &Session, request: &CompareRequest) -> LdapResult {
        let compare = || {
            self.require_reader(session)?;
            let state = self.read();
            let id = self.resolve(&state, &request.entry)?;
            let filter = ldap_wire::Filter::equality(&*request.attribute, &*request.value);
            let matcher = Matcher::compile(&filter, &self.domain, &state);
            let entry = state.store.get(id);
            let holds = entry.is_some_and(|entry| matcher.matches(&state, id, entry));
            Ok(if holds { ResultCode::COMPARE_TRUE } else { ResultCode::COMPARE_FALSE })
        };
        match compare() {
            Ok(code) => LdapResult::new(code, ""),
            Err(result) => result,
        }
    }

    fn find(
        &self,
        session: &mut Session,
        request: &SearchRequest,
        options: &Options,
        answer: &mut Answer,
    ) -> Result<(), LdapResult> {
        let diagnostics = self.domain.diagnostics();
        if request.base.is_empty() && request.scope == Scope::BaseObject {
            return self.search_root_dse(session, request, options, answer);
        }
        let name = session.read_base(&request.base);
        if self.domain.flavour == Flavour::Samba4_22 {
            // It reads the name before it looks who asks.
            let strict = name.as_ref().filter(|_| EntryName::is_strict(&request.base));
            strict.ok_or_else(|| diagnostics.bad_dn(&request.base))?;
        }
        let who = self.require_reader(session)?;
        let question = Question { request, options, name };
        if self.concerns_schema(&question) {
            build::add_schema(&self.domain, &mut self.write());
        }
        if self.concerns_lists(session, &question) {
            self.read_lists();
        }
        let state = self.read();
        let selection = Selection::new(&self.domain, request)?;
        let base = request.scope == Scope::BaseObject && options.scope_attribute.is_none();
        let reader = Reader {
            domain: &self.domain,
            state: &state,
            administrator: LazyCell::new(Box::new(|| {
                who.is_some_and(|who| self.is_administrator(&state, who))
            })),
            base,
            descriptor_parts: descriptor::wanted_parts(options.sd_flags),
        };
        if options.extended_dn.is_some_and(|form| form > 1) {
            return Err(diagnostics.bad_dn_form());
        }
        if !base && self.domain.flavour == Flavour::Samba4_22 && selection.names_a_token() {
            return Err(diagnostics.token_of_many());
        }
        let wanted = match &options.page {
            Some(page) => self.page(session, &state, &question, page, answer)?,
            None => {
                let found = self.found(session, &state, &question, answer)?;
                found.limited(self.size_limit(request))
            }
        };
        for &entry_id in &wanted.entries {
            let Some(entry) = state.store.get(entry_id) else { continue };
            answer.push(ProtocolOp::SearchResultEntry(SearchResultEntry {
                dn: dn_text(options, entry),
                attributes: selection.of_entry(&reader, entry_id, entry, options),
            }));
        }
        for reference in wanted.references {
            answer.push(ProtocolOp::SearchResultReference(vec![reference]));
        }
        if wanted.cut { Err(LdapResult::new(ResultCode::SIZE_LIMIT_EXCEEDED, "")) } else { Ok(()) }
    }

    /// Whether entries of the schema may be in the answer, or their identifiers.
    fn concerns_schema(&self, Question { options, name, .. }: &Question<'_>) -> bool {
        let below = match name {
            Some(EntryName::Dn(base)) => base.is_at_or_below(self.domain.schema()),
            _ => false,
        };
        let everywhere = options.extended_dn.is_some() || options.phantom_root;
        (below || everywhere) && !self.read().schema_made
    }

    /// Whether the search may come by the configuration, where revocation lists are published.
    fn concerns_lists(&self, session: &Session, asked: &Question<'_>) -> bool {
        let Question { options, name, .. } = asked;
        let is_elsewhere = match name {
            Some(EntryName::Dn(base)) => {
                let context = self.domain.naming_context_of(base);
                context.is_some_and(|context| context != self.domain.configuration())
            }
            _ => false,
        };
        let leads_there = options.phantom_root || options.scope_attribute.is_some();
        session.global_catalog || leads_there || !is_elsewhere
    }

    /// The next page, or the first.
    fn page(
        &self,
        session: &mut Session,
        state: &State,
        question: &Question<'_>,
        page: &PagedResults,
        answer: &mut Answer,
    ) -> Result<Found, LdapResult> {
        let options = question.options;
        let samba = self.domain.flavour == Flavour::Samba4_22;
        if samba && page.size == 0 && page.cookie.is_empty() {
            return Err(self.domain.diagnostics().page_of_nothing());
        }
        if samba && options.view.is_some() {
            return Err(self.domain.diagnostics().page_of_a_view());
        }
        let (number, mut search) = if page.cookie.is_empty() {
            let found = self.found(session, state, question, answer)?;
            let total = found.entries.len();
            let rest = VecDeque::from(found.entries);
            let search = PagedSearch { total, rest, references: found.references };
            (session.pages.next_number(), search)
        } else {
            answer
                .controls
                .extend(options.sort.as_ref().filter(|_| !samba).map(|_| SortKey::sorted()));
            if samba && options.scope_attribute.is_some() {
                order::scoped(answer, ResultCode::SUCCESS);
            }
            let kept = session.pages.take(&page.cookie);
            kept.ok_or_else(|| self.domain.diagnostics().bad_cookie())?
        };
        // Size zero gives the search up (capture `paged-abandon`).
        if page.size == 0 {
            return Ok(Found::default());
        }
        let size = page.size.min(self.domain.policy.max_page_size);
        let size = usize::try_from(size).unwrap_or(usize::MAX);
        let entries: Vec<EntryId> = search.rest.drain(..size.min(search.rest.len())).collect();
        // Samba 4.22 notices the end when it looks for an entry too many.
        let ended = if samba { entries.len() < size } else { search.rest.is_empty() };
        if ended {
            answer.controls.push(PagedResults::default().to_control(false));
            return Ok(Found { entries, references: search.references, cut: false });
        }
        // Samba tells how many entries there are; Windows gives no estimate.
        let estimate = if samba { u32::try_from(search.total).unwrap_or(u32::MAX) } else { 0 };
        let cookie = session.pages.keep(number, search);
        answer.controls.push(PagedResults { size: estimate, cookie }.to_control(false));
        Ok(Found { entries, ..Found::default() })
    }

    /// Everything that the request finds.
    fn found(
        &self,
        session: &Session,
        state: &State,
        &Question { request, options, ref name }: &Question<'_>,
        answer: &mut Answer,
    ) -> Result<Found, LdapResult> {
        let diagnostics = self.domain.diagnostics();
        // A global catalogue is one tree without seams.
        let seamless = options.phantom_root || session.global_catalog;
        let base = match (request.base.is_empty(), seamless) {
            (true, true) => None,
            _ => Some(self.resolve_read(state, &request.base, name.as_ref())?),
        };
        let base = base.and_then(|id| Some((id, state.store.get(id)?)));
        if options.notification {
            return Err(diagnostics.no_notification());
        }
        if options.dirsync {
            return Err(diagnostics.no_dirsync());
        }
        let matcher = Matcher::compile(&request.filter, &self.domain, state);
        let context = base.and_then(|(_, base)| self.domain.naming_context_of(&base.dn));
        let here = |entry: &Entry| {
            seamless || base.is_none() || self.domain.naming_context_of(&entry.dn) == context
        };
        let is_child = |entry: &Entry, of: &Entry| {
            entry.dn.depth() == of.dn.depth() + 1 && entry.dn.is_at_or_below(&of.dn)
        };
        let in_scope = |id: EntryId, entry: &Entry| match (request.scope, base) {
            (Scope::BaseObject, Some((base_id, _))) => id == base_id,
            (Scope::SingleLevel, Some((_, base))) => is_child(entry, base),
            (Scope::WholeSubtree, Some((_, base))) => entry.dn.is_at_or_below(&base.dn),
            (Scope::WholeSubtree, None) => true,
            // Each naming context is asked for the children of its head.
            (Scope::SingleLevel, None) => {
                let head = self.domain.naming_context_of(&entry.dn);
                head.is_some_and(|head| entry.dn.depth() == head.depth() + 1)
            }
            (Scope::BaseObject, None) => false,
        };
        let visible = |entry: &Entry| options.show_deleted || !is_deleted(entry);
        let wanted = |&(id, entry): &(EntryId, &Entry)| {
            in_scope(id, entry)
                && matcher.matches(state, id, entry)
                && here(entry)
                && visible(entry)
        };
        let get = |id: EntryId| state.store.get(id).map(|entry| (id, entry));
        let mut entries: Vec<(EntryId, &Entry)> = if let Some(attribute) = &options.scope_attribute
        {
            let matches = |&(id, entry): &(EntryId, &Entry)| matcher.matches(state, id, entry);
            let scoped = self.scoped(state, request.scope, base, attribute, answer);
            scoped.into_iter().filter_map(get).filter(matches).collect()
        } else if request.scope == Scope::BaseObject {
            base.into_iter().filter(wanted).collect()
        } else {
            match matcher.candidates(&state.store) {
                Some(ids) => ids.iter().copied().filter_map(get).filter(wanted).collect(),
                None => state.store.iter().filter(wanted).collect(),
            }
        };
        if let Some(failed) = matcher.failure() {
            return Err(diagnostics.filter_failed(failed, request.scope));
        }
        if self.domain.flavour == Flavour::Samba4_22 {
            // Its index lists entries by their GUIDs.
            entries.sort_by_cached_key(|(_, entry)| entry.values("objectGUID").first().cloned());
        }
        order::sort(diagnostics, options, &mut entries, answer)?;
        order::view(diagnostics, options, &mut entries, answer)?;
        let references = match base {
            Some((_, base)) if !options.domain_scope && !seamless => {
                self.references(state, session, &base.dn, request.scope)
            }
            _ => Vec::new(),
        };
        let entries = entries.into_iter().map(|(id, _)| id).collect();
        Ok(Found { entries, references, cut: false })
    }

    /// The entries that an attribute of the base names ([MS-ADTS] 3.1.1.3.4.1.18).
    fn scoped(
        &self,
        state: &State,
        scope: Scope,
        base: Option<(EntryId, &Entry)>,
        attribute: &str,
        answer: &mut Answer,
    ) -> Vec<EntryId> {
        let Some((_, base)) = base.filter(|_| scope == Scope::BaseObject) else {
            order::scoped(answer, ResultCode::UNWILLING_TO_PERFORM);
            return Vec::new();
        };
        let known = schema::attribute(attribute);
        if known.is_some_and(|attribute| attribute.syntax != Syntax::Dn) {
            order::scoped(answer, ResultCode::INVALID_ATTRIBUTE_SYNTAX);
            return Vec::new();
        }
        order::scoped(answer, ResultCode::SUCCESS);
        let find = |dn: Vec<u8>| state.store.find_key(&Syntax::Dn.normalise(&dn)?);
        let names = crate::computed::linked(state, base, schema::spelling(attribute));
        names.into_iter().filter_map(find).collect()
    }

    /// How many entries an unpaged search may return. Samba 4.22 ignores both limits.
    fn size_limit(&self, request: &SearchRequest) -> Option<usize> {
        if self.domain.flavour == Flavour::Samba4_22 {
            return None;
        }
        let asked = Some(request.size_limit).filter(|&limit| limit != 0);
        let most = self.domain.policy.max_page_size;
        usize::try_from(asked.map_or(most, |asked| asked.min(most))).ok()
    }
}

fn is_deleted(entry: &Entry) -> bool {
    entry.text("isDeleted") == Some("TRUE")
}

/// A search whose controls and base have been read.
struct Question<'a> {
    request: &'a SearchRequest,
    options: &'a Options,
    /// The base; `None` if that is no name.
    name: Option<EntryName>,
}

/// Messages of one answer.
pub(crate) struct Answer {
    id: u32,
    messages: Vec<LdapMessage>,
    /// Controls of the last message.
    pub(crate) controls: Vec<Control>,
}

impl Answer {
    pub(crate) fn push(&mut self, op: ProtocolOp) {
        self.messages.push(LdapMessage::new(self.id, op));
    }

    fn end(mut self, result: LdapResult) -> Vec<LdapMessage> {
        // Samba 4.22 gives no control with an error (capture `paged-bad-cookie`).
        let said =
            |control: &Control| result.is_success() || control.oid == controls::SORT_RESPONSE;
        self.controls.retain(said);
        let controls = self.controls;
        let op = ProtocolOp::SearchResultDone(result);
        self.messages.push(LdapMessage { id: self.id, op, controls });
        self.messages
    }
}

/// What a search found.
#[derive(Default)]
struct Found {
    entries: Vec<EntryId>,
    references: Vec<String>,
    /// Whether a limit left entries out.
    cut: bool,
}

impl Found {
    fn limited(mut self, limit: Option<usize>) -> Self {
        if let Some(limit) = limit.filter(|&limit| self.entries.len() > limit) {
            self.entries.truncate(limit);
            self.references.clear();
            self.cut = true;
        }
        self
    }
}

/// The attribute of a description such as `userCertificate;binary` (RFC 4512, section 2.5).
pub(crate) fn without_options(description: &str) -> &str {
    description.split(';').next().unwrap_or_default()
}
