//! Searches and comparisons.

use std::collections::VecDeque;

use ldap_wire::{
    Attribute, CompareRequest, Control, LdapMessage, LdapResult, ProtocolOp, ResultCode, Scope,
    SearchRequest, SearchResultEntry,
    controls::{self, PagedResults, SortKey},
};

use crate::{
    computed,
    config::Flavour,
    directory::Directory,
    dn::Dn,
    entry::Entry,
    filter::Matcher,
    page::PagedSearch,
    schema,
    session::{Protection, Reply, Session},
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
        let mut answer = Answer { id, messages: Vec::new(), controls: Vec::new() };
        let result = match self.find(session, request, controls, &mut answer) {
            Ok(()) => LdapResult::success(),
            Err(result) => result,
        };
        Reply { messages: answer.end(result), ..Reply::none() }
    }

    pub(crate) fn compare(&self, session: &Session, request: &CompareRequest) -> LdapResult {
        let compare = || {
            self.require_bound(session)?;
            let state = self.read();
            let id = self.resolve(&state, &request.entry)?;
            let filter = ldap_wire::Filter::equality(&*request.attribute, &*request.value);
            let matcher = Matcher::compile(&filter, &self.domain);
            let holds = state
                .store
                .get(id)
                .is_some_and(|entry| matcher.matches(&self.domain, &state, id, entry));
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
        controls: &[Control],
        answer: &mut Answer,
    ) -> Result<(), LdapResult> {
        let root = request.base.is_empty();
        if root && request.scope == Scope::BaseObject {
            return self.search_root_dse(session, request, answer);
        }
        self.require_bound(session)?;
        let options = Options::read(self, controls)?;
        let state = self.read();
        let selection = Selection::new(request);
        let wanted = match &options.page {
            Some(page) => self.page(session, &state, request, &options, page, answer)?,
            None => {
                let found = self.found(session, &state, request, &options)?;
                answer.controls.extend((!options.sort.is_empty()).then(SortKey::sorted));
                found.limited(self.size_limit(request))
            }
        };
        for &entry_id in &wanted.entries {
            let Some(entry) = state.store.get(entry_id) else { continue };
            let base = request.scope == Scope::BaseObject;
            answer.push(ProtocolOp::SearchResultEntry(SearchResultEntry {
                dn: options.dn_text(entry),
                attributes: self.select(&state, entry_id, entry, &selection, base, &options),
            }));
        }
        for reference in wanted.references {
            answer.push(ProtocolOp::SearchResultReference(vec![reference]));
        }
        if wanted.cut { Err(LdapResult::new(ResultCode::SIZE_LIMIT_EXCEEDED, "")) } else { Ok(()) }
    }

    /// The next page, or the first.
    fn page(
        &self,
        session: &mut Session,
        state: &State,
        request: &SearchRequest,
        options: &Options,
        page: &PagedResults,
        answer: &mut Answer,
    ) -> Result<Found, LdapResult> {
        let (number, mut search) = if page.cookie.is_empty() {
            let found = self.found(session, state, request, options)?;
            let total = found.entries.len();
            let rest = VecDeque::from(found.entries);
            let search = PagedSearch { total, rest, references: found.references };
            (session.pages.next_number(), search)
        } else {
            let kept = session.pages.take(&page.cookie);
            kept.ok_or_else(|| self.domain.diagnostics().bad_cookie())?
        };
        // Size zero gives the search up (capture `paged-abandon`).
        if page.size == 0 {
            return Ok(Found::default());
        }
        let size = page.size.min(self.domain.policy.max_page_size);
        let size = usize::try_from(size).unwrap_or(usize::MAX).min(search.rest.len());
        let entries = search.rest.drain(..size).collect();
        answer.controls.extend((!options.sort.is_empty()).then(SortKey::sorted));
        if search.rest.is_empty() {
            answer.controls.push(PagedResults::default().to_control(false));
            return Ok(Found { entries, references: search.references, cut: false });
        }
        // Samba tells how many entries there are; Windows gives no estimate.
        let estimate = match self.domain.flavour {
            Flavour::Samba4_22 => u32::try_from(search.total).unwrap_or(u32::MAX),
            Flavour::WindowsServer2022 => 0,
        };
        let cookie = session.pages.keep(number, search);
        answer.controls.push(PagedResults { size: estimate, cookie }.to_control(false));
        Ok(Found { entries, ..Found::default() })
    }

    /// Everything that the request finds.
    fn found(
        &self,
        session: &Session,
        state: &State,
        request: &SearchRequest,
        options: &Options,
    ) -> Result<Found, LdapResult> {
        let whole_forest = request.base.is_empty() && session.global_catalog;
        let base = if whole_forest { None } else { Some(self.resolve(state, &request.base)?) };
        let base = base.and_then(|id| Some((id, state.store.get(id)?)));
        let matcher = Matcher::compile(&request.filter, &self.domain);
        let context = base.and_then(|(_, base)| self.domain.naming_context_of(&base.dn));
        let in_scope = |id: EntryId, entry: &Entry| {
            let Some((base_id, base)) = base else {
                return request.scope == Scope::WholeSubtree;
            };
            match request.scope {
                Scope::BaseObject => id == base_id,
                Scope::SingleLevel => {
                    entry.dn.depth() == base.dn.depth() + 1 && entry.dn.is_at_or_below(&base.dn)
                }
                Scope::WholeSubtree => entry.dn.is_at_or_below(&base.dn),
            }
        };
        let wanted = |id: EntryId, entry: &Entry| {
            in_scope(id, entry)
                && matcher.matches(&self.domain, state, id, entry)
                && (base.is_none() || self.domain.naming_context_of(&entry.dn) == context)
        };
        let get = |id: EntryId| state.store.get(id).map(|entry| (id, entry));
        let mut entries: Vec<(EntryId, &Entry)> = match (request.scope, base) {
            (Scope::BaseObject, base) => {
                base.into_iter().filter(|&(id, entry)| wanted(id, entry)).collect()
            }
            _ => match matcher.candidates(&state.store) {
                Some(ids) => ids
                    .into_iter()
                    .filter_map(get)
                    .filter(|&(id, entry)| wanted(id, entry))
                    .collect(),
                None => state.store.iter().filter(|&(id, entry)| wanted(id, entry)).collect(),
            },
        };
        options.sort(&mut entries);
        let references = match base {
            Some((_, base)) if !options.domain_scope => {
                self.references(session, &base.dn, request.scope)
            }
            _ => Vec::new(),
        };
        let entries = entries.into_iter().map(|(id, _)| id).collect();
        Ok(Found { entries, references, cut: false })
    }

    /// Where the search continues in naming contexts below ([MS-ADTS] 3.1.1.3.1.3.2).
    fn references(&self, session: &Session, base: &Dn, scope: Scope) -> Vec<String> {
        let scheme = if session.protection == Protection::Tls { "ldaps" } else { "ldap" };
        let below = |head: &Dn| {
            let outside = head != base && head.is_at_or_below(base);
            // A naming context within another one below the base is that one's to report.
            let direct = head
                .parent()
                .is_some_and(|parent| self.domain.naming_context_of(&parent) == Some(base));
            outside
                && direct
                && match scope {
                    Scope::BaseObject => false,
                    Scope::SingleLevel => head.depth() == base.depth() + 1,
                    Scope::WholeSubtree => true,
                }
        };
        let heads = self.domain.naming_contexts.iter().filter(|head| below(head));
        let domain = &self.domain.dns_name;
        match self.domain.flavour {
            Flavour::Samba4_22 => heads.map(|head| format!("{scheme}://{domain}/{head}")).collect(),
            // The documented order is the other way round, and DNS zones have names of their own.
            Flavour::WindowsServer2022 => {
                let mut urls: Vec<String> = heads
                    .map(|head| {
                        let host = match head.first() {
                            Some(first) if first.attribute == "DC" => {
                                format!("{}.{domain}", first.value)
                            }
                            _ => domain.clone(),
                        };
                        format!("{scheme}://{host}/{head}")
                    })
                    .collect();
                urls.reverse();
                urls
            }
        }
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

    /// The attributes of an entry that the request asks for: stored ones in their order, then
    /// computed ones.
    fn select(
        &self,
        state: &State,
        id: EntryId,
        entry: &Entry,
        selection: &Selection<'_>,
        base: bool,
        options: &Options,
    ) -> Vec<Attribute> {
        let values = |name: &str, values: &[Vec<u8>]| {
            if selection.types_only {
                Vec::new()
            } else if options.extended_dn.is_some() && schema::syntax(name) == schema::Syntax::Dn {
                values.iter().map(|value| options.extend_value(state, value)).collect()
            } else {
                values.to_vec()
            }
        };
        let mut attributes = Vec::new();
        for stored in &entry.attributes {
            if selection.wants(&stored.name) && stored.name != "memberOf" {
                let values = values(&stored.name, &stored.values);
                attributes.push(Attribute { name: selection.sent_name(&stored.name), values });
            }
        }
        let always = computed::ALWAYS.iter().copied().filter(|_| selection.all);
        for name in always.chain(selection.computed(entry)) {
            let found = computed::values(&self.domain, state, id, entry, name, base);
            if let Some(found) = found.filter(|found| !found.is_empty())
                && !attributes.iter().any(|known: &Attribute| known.name == name)
            {
                attributes.push(Attribute { name: name.to_owned(), values: values(name, &found) });
            }
        }
        attributes
    }
}

/// Messages of one answer.
pub(crate) struct Answer {
    id: u32,
    messages: Vec<LdapMessage>,
    /// Controls of the last message.
    controls: Vec<Control>,
}

impl Answer {
    pub(crate) fn push(&mut self, op: ProtocolOp) {
        self.messages.push(LdapMessage::new(self.id, op));
    }

    fn end(mut self, result: LdapResult) -> Vec<LdapMessage> {
        // Samba 4.22 gives no control with an error (capture `paged-bad-cookie`).
        let controls = if result.is_success() { self.controls } else { Vec::new() };
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

/// Which attributes a request asks for.
pub(crate) struct Selection<'a> {
    all: bool,
    names: Vec<&'a str>,
    /// Of these, the ones with the option `;binary`.
    binary: Vec<&'a str>,
    pub(crate) types_only: bool,
}

impl<'a> Selection<'a> {
    pub(crate) fn new(request: &'a SearchRequest) -> Self {
        let names = &request.attributes;
        Self {
            all: names.is_empty() || names.iter().any(|name| name == "*"),
            names: names.iter().map(|name| schema::spelling(without_options(name))).collect(),
            binary: names.iter().filter_map(|name| binary(name)).map(schema::spelling).collect(),
            types_only: request.types_only,
        }
    }

    pub(crate) fn wants(&self, name: &str) -> bool {
        self.all || self.names_it(name)
    }

    pub(crate) fn names_it(&self, name: &str) -> bool {
        self.names.iter().any(|asked| asked.eq_ignore_ascii_case(name))
    }

    /// The name under which an attribute is sent: with the option `;binary` if the request has it.
    fn sent_name(&self, name: &str) -> String {
        let binary = self.binary.iter().any(|asked| asked.eq_ignore_ascii_case(name));
        if binary { format!("{name};binary") } else { name.to_owned() }
    }

    pub(crate) fn wants_all(&self) -> bool {
        self.all
    }

    /// True if the request asks for operational attributes (RFC 3673).
    pub(crate) fn wants_operational(&self) -> bool {
        self.names.contains(&"+")
    }

    /// The names that no stored attribute answers.
    fn computed<'s>(&'s self, entry: &'s Entry) -> impl Iterator<Item = &'s str> {
        self.names.iter().copied().filter(|name| *name == "memberOf" || !entry.has(name))
    }
}

/// The attribute of a description such as `userCertificate;binary` (RFC 4512, section 2.5).
pub(crate) fn without_options(description: &str) -> &str {
    description.split(';').next().unwrap_or_default()
}

/// The attribute of a description that asks for the BER of RFC 4522.
fn binary(description: &str) -> Option<&str> {
    let (name, options) = description.split_once(';')?;
    options.eq_ignore_ascii_case("binary").then_some(name)
}

/// What the controls of a search ask for.
#[derive(Default)]
struct Options {
    domain_scope: bool,
    /// Flag of the extended DN control: zero for hexadecimal, one for text.
    extended_dn: Option<u32>,
    page: Option<PagedResults>,
    sort: Vec<SortKey>,
}

impl Options {
    fn read(directory: &Directory, controls: &[Control]) -> Result<Self, LdapResult> {
        let mut options = Self::default();
        for control in controls {
            let value = control.value.as_deref();
            let bad = |_| directory.domain.diagnostics().bad_control_value(&control.oid);
            match control.oid.as_str() {
                controls::DOMAIN_SCOPE => options.domain_scope = true,
                controls::EXTENDED_DN => {
                    let flag = value.map(controls::decode_flags).transpose().map_err(bad)?;
                    options.extended_dn = Some(flag.unwrap_or(0));
                }
                controls::PAGED_RESULTS => {
                    let page = PagedResults::decode(value.unwrap_or_default()).map_err(bad)?;
                    options.page = Some(page);
                }
                controls::SEARCH_OPTIONS => {
                    let flags = controls::decode_flags(value.unwrap_or_default()).map_err(bad)?;
                    options.domain_scope |= flags & 1 != 0;
                }
                controls::SORT => {
                    options.sort = SortKey::decode_list(value.unwrap_or_default()).map_err(bad)?;
                }
                _ => {}
            }
        }
        Ok(options)
    }

    /// Sorts by the keys; entries without the attribute come last (RFC 2891 §2.2).
    fn sort(&self, entries: &mut [(EntryId, &Entry)]) {
        for key in self.sort.iter().rev() {
            let syntax = schema::syntax(&key.attribute);
            let value = |entry: &Entry| {
                let value = syntax.normalise(entry.values(&key.attribute).first()?)?;
                let number = std::str::from_utf8(&value).ok().and_then(|text| text.parse().ok());
                // Texts have no number, so that they sort by themselves.
                Some((number.filter(|_: &i64| syntax == schema::Syntax::Integer), value))
            };
            entries.sort_by(|(_, a), (_, b)| {
                let (a, b) = (value(a), value(b));
                let absent = a.is_none().cmp(&b.is_none());
                absent.then_with(|| if key.reverse { b.cmp(&a) } else { a.cmp(&b) })
            });
        }
    }

    fn dn_text(&self, entry: &Entry) -> String {
        let dn = entry.dn.to_string();
        let Some(flag) = self.extended_dn else { return dn };
        let hexadecimal =
            |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let mut text = String::new();
        if let Some(guid) = entry.guid() {
            let guid = if flag == 0 { hexadecimal(&guid.to_bytes_le()) } else { guid.to_string() };
            text.push_str(&format!("<GUID={guid}>;"));
        }
        if let Some(sid) = entry.sid() {
            let sid = if flag == 0 { hexadecimal(sid.as_bytes()) } else { sid.to_string() };
            text.push_str(&format!("<SID={sid}>;"));
        }
        text + &dn
    }

    /// A DN among the values, in the extended form if it names an entry.
    fn extend_value(&self, state: &State, value: &[u8]) -> Vec<u8> {
        let entry = schema::Syntax::Dn
            .normalise(value)
            .and_then(|key| state.store.get(state.store.find_key(&key)?));
        entry.map_or_else(|| value.to_vec(), |entry| self.dn_text(entry).into_bytes())
    }
}
