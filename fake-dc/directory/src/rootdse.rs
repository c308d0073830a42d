//! The rootDSE: what a DC says of itself, to everybody ([MS-ADTS] 3.1.1.3.2).

mod identifiers;

use ldap_wire::{Attribute, LdapResult, ProtocolOp, SearchRequest, SearchResultEntry};

use self::identifiers::{CAPABILITIES, WINDOWS_EXTENSIONS, WINDOWS_POLICIES, WINDOWS_SETTINGS};
pub(crate) use self::identifiers::{SAMBA_CONTROLS, WINDOWS_CONTROLS};
use crate::{
    computed,
    config::{DcView, Flavour},
    defaults,
    directory::Directory,
    schema,
    search::{
        Answer,
        options::Options,
        selection::{Selection, extend_value},
    },
    session::Session,
    sid::Sid,
    stamp,
    state::State,
};

impl Directory {
    pub(crate) fn search_root_dse(
        &self,
        session: &Session,
        request: &SearchRequest,
        options: &Options,
        answer: &mut Answer,
    ) -> Result<(), LdapResult> {
        let selection = Selection::new(&self.domain, request)?;
        // The filter is looked at only for a ping: Samba answers the rootDSE whatever it says.
        let netlogon = if selection.names_it("netlogon") {
            match self.netlogon(&session.dc, session.client, &request.filter) {
                Some(answer) => Some(Attribute::new("netlogon", [answer])),
                None => return Ok(()),
            }
        } else {
            None
        };
        let state = self.read();
        let is_samba = self.domain.flavour == Flavour::Samba4_22;
        if selection.names_it("validFSMOs") && is_samba {
            return Err(self.domain.diagnostics().role_owners());
        }
        let mut attributes = self.root_dse(&state, session);
        // `+` names nothing of Samba's rootDSE (capture `plus`).
        let full = selection.wants_all() || (selection.wants_operational() && !is_samba);
        attributes.retain(|(presence, attribute)| {
            let named = selection.names_it_plainly(&attribute.name);
            named || (full && *presence == Presence::Always)
        });
        let written = |attribute: Attribute| {
            let values = match options.extended_dn {
                _ if selection.types_only => Vec::new(),
                Some(_) if NAMES.contains(&attribute.name.as_str()) => {
                    let extend = |value: &Vec<u8>| extend_value(&state, options, value);
                    attribute.values.iter().map(extend).collect()
                }
                _ => attribute.values,
            };
            Attribute { values, name: attribute.name }
        };
        let attributes = attributes.into_iter().map(|(_, attribute)| attribute).chain(netlogon);
        let attributes = attributes.map(written);
        answer.push(ProtocolOp::SearchResultEntry(SearchResultEntry {
            dn: String::new(),
            attributes: attributes.collect(),
        }));
        Ok(())
    }

    /// All attributes in the order in which the product gives them.
    fn root_dse(&self, state: &State, session: &Session) -> Vec<(Presence, Attribute)> {
        let mut attributes = match self.domain.flavour {
            Flavour::Samba4_22 => self.samba(state, &session.dc),
            Flavour::WindowsServer2022 => self.windows(state, session),
        };
        for given in &state.root_dse {
            if PER_DC.iter().any(|name| given.name.eq_ignore_ascii_case(name)) {
                continue;
            }
            let same = |(_, known): &&mut (Presence, Attribute)| {
                known.name.eq_ignore_ascii_case(&given.name)
            };
            match attributes.iter_mut().find(same) {
                Some((_, known)) => known.values.clone_from(&given.values),
                None => attributes.push((Presence::Always, given.clone())),
            }
        }
        attributes
            .push((Presence::Named, Attribute::new("tokenGroups", self.own_token(state, session))));
        attributes.retain(|(_, attribute)| {
            let idle = session.is_datagram && attribute.name == "supportedSASLMechanisms";
            !attribute.values.is_empty() && !idle
        });
        attributes
    }

    fn samba(&self, state: &State, dc: &DcView) -> Vec<(Presence, Attribute)> {
        let names = self.names(state, dc);
        let mut list = names.take(&[
            "configurationNamingContext",
            "defaultNamingContext",
            "rootDomainNamingContext",
            "schemaNamingContext",
            "subschemaSubentry",
        ]);
        list.push(always("supportedCapabilities", &CAPABILITIES[..5]));
        list.push(always("supportedLDAPVersion", &["2", "3"]));
        list.push(always("vendorName", &["Samba Team (https://www.samba.org)"]));
        list.push(always("isSynchronized", &["TRUE"]));
        list.extend(names.take(&[
            "dsServiceName",
            "serverName",
            "dnsHostName",
            "ldapServiceName",
            "currentTime",
        ]));
        list.push(always("supportedControl", &SAMBA_CONTROLS));
        list.extend(names.take(&["namingContexts"]));
        list.push(always("supportedSASLMechanisms", &["GSS-SPNEGO", "GSSAPI", "NTLM"]));
        list.extend(names.take(&["highestCommittedUSN"]));
        list.push(named("vendorVersion", &["4.22.11-Debian-4.22.11+dfsg-0+deb13u1"]));
        list.extend(schema_counts());
        for name in FUNCTIONALITY {
            list.push(always(name, &["4"]));
        }
        list.push(always("isGlobalCatalogReady", &["TRUE"]));
        list
    }

    /// The attributes are those that are documented. Their order is not; this is the one in which
    /// Windows Server 2016 to 2022 are remembered to answer.
    fn windows(&self, state: &State, session: &Session) -> Vec<(Presence, Attribute)> {
        let dc = &session.dc;
        let names = self.names(state, dc);
        let mut list: Vec<_> = FUNCTIONALITY.iter().map(|name| always(name, &["7"])).collect();
        list.extend(names.take(&["rootDomainNamingContext", "ldapServiceName"]));
        list.push(always("isGlobalCatalogReady", &["TRUE"]));
        let mechanisms = ["GSSAPI", "GSS-SPNEGO", "EXTERNAL", "DIGEST-MD5"];
        list.push(always("supportedSASLMechanisms", &mechanisms));
        list.push(always("supportedLDAPVersion", &["3", "2"]));
        list.push(always("supportedLDAPPolicies", &WINDOWS_POLICIES));
        list.push(always("supportedControl", &WINDOWS_CONTROLS));
        list.push(always("supportedCapabilities", &CAPABILITIES));
        list.extend(names.take(&[
            "subschemaSubentry",
            "serverName",
            "schemaNamingContext",
            "namingContexts",
        ]));
        list.push(always("isSynchronized", &["TRUE"]));
        list.extend(names.take(&[
            "highestCommittedUSN",
            "dsServiceName",
            "dnsHostName",
            "defaultNamingContext",
            "currentTime",
            "configurationNamingContext",
        ]));
        list.push(named("supportedExtension", &WINDOWS_EXTENSIONS));
        list.extend(schema_counts());
        list.extend(self.windows_named(state, session));
        if state.is_pdc(dc) {
            let roles = defaults::roles(&self.domain);
            let roles = roles.iter().map(ToString::to_string);
            list.push((Presence::Named, Attribute::new("validFSMOs", roles)));
        }
        list
    }

    /// What Windows tells when asked by name ([MS-ADTS] 3.1.1.3.2). What would be empty on a DC
    /// that replicates with nobody (pendingPropagations, msDS-ReplAllInboundNeighbors and its
    /// like) is absent.
    fn windows_named(&self, state: &State, session: &Session) -> Vec<(Presence, Attribute)> {
        let who = session.bound.and_then(|id| state.store.get(id));
        let who = who.and_then(|entry| computed::principal_name(&self.domain, entry));
        let who = who.or_else(|| Some(session.foreign.as_ref()?.name().into_bytes()));
        let who = who.unwrap_or_else(|| b"NT AUTHORITY\\ANONYMOUS LOGON".to_vec());
        let database = self.domain.seed.uuid(&format!("database {}", session.dc.name));
        let highest = state.store.ids().len().to_string();
        vec![
            named("approximateHighestInternalObjectID", &[&highest]),
            named("databaseGuid", &[&database.to_string()]),
            // Windows Server 2022 is build 20348.
            named("dsaVersionString", &["10.0.20348.1 (WinBuild.160101.0800)"]),
            named("msDS-PortLDAP", &["389"]),
            named("msDS-PortSSL", &["636"]),
            (Presence::Named, Attribute::new("msDS-PrincipalName", [who])),
            named("spnRegistrationResult", &["0"]),
            named("supportedConfigurableSettings", &WINDOWS_SETTINGS),
        ]
    }

    fn names(&self, state: &State, dc: &DcView) -> Names {
        let domain = &self.domain;
        let (dn, dns_name) = (domain.dn.to_string(), &domain.dns_name);
        let server = defaults::server_dn(domain, dc);
        let service = format!("{}:{}$@{}", domain.forest, dc.name, dns_name.to_uppercase());
        let root = domain.configuration().parent().unwrap_or_default();
        let one = |name, value: String| Attribute::new(name, [value]);
        let contexts = domain.naming_contexts.iter().map(ToString::to_string);
        Names(vec![
            one("configurationNamingContext", domain.configuration().to_string()),
            one("defaultNamingContext", dn),
            one("rootDomainNamingContext", root.to_string()),
            one("schemaNamingContext", domain.schema().to_string()),
            one("subschemaSubentry", domain.schema().child("CN", "Aggregate").to_string()),
            one("dsServiceName", server.child("CN", "NTDS Settings").to_string()),
            one("serverName", server.to_string()),
            one("dnsHostName", dc.dns_name.clone()),
            one("ldapServiceName", service),
            one("currentTime", stamp::generalized(domain.now())),
            one("highestCommittedUSN", state.usn.to_string()),
            Attribute::new("namingContexts", contexts),
        ])
    }

    /// `tokenGroups` of the rootDSE: the SIDs of who is bound ([MS-ADTS] 3.1.1.3.2.28).
    fn own_token(&self, state: &State, session: &Session) -> Vec<Vec<u8>> {
        let own = if let Some(foreign) = &session.foreign {
            // Such as are members of groups here have objects that stand for them.
            let theirs = [&foreign.sid].into_iter().chain(&foreign.groups);
            let here = theirs.clone().filter_map(|sid| state.store.by_sid(sid));
            let groups = here.flat_map(|id| computed::token_groups(state, id));
            theirs.cloned().chain(groups).collect()
        } else if let Some(who) = session.bound {
            let own = state.store.get(who).and_then(|entry| entry.sid());
            own.into_iter().chain(computed::token_groups(state, who)).collect()
        } else {
            // Samba 4.22 gives a token to nobody: anonymous logon.
            let nobody =
                Some(Sid::new(5, &[7])).filter(|_| self.domain.flavour == Flavour::Samba4_22);
            return nobody.iter().map(|sid| sid.as_bytes().to_vec()).collect();
        };
        let everyone = Sid::new(1, &[0]);
        let network = Sid::new(5, &[2]);
        let authenticated_users = Sid::new(5, &[11]);
        let by_authenticated = state
            .store
            .by_sid(&authenticated_users)
            .map(|id| computed::token_groups(state, id))
            .unwrap_or_default();
        let mut sids: Vec<Sid> = own;
        for sid in [everyone, network, authenticated_users].into_iter().chain(by_authenticated) {
            if !sids.contains(&sid) {
                sids.push(sid);
            }
        }
        sids.into_iter().map(|sid| sid.as_bytes().to_vec()).collect()
    }
}

/// How much the schema holds.
fn schema_counts() -> Vec<(Presence, Attribute)> {
    /// Entries in `prefixMap` of this schema, by which its object identifiers are stored.
    const PREFIXES: usize = 41;
    let count = |name: &str, count: usize| named(name, &[&count.to_string()]);
    vec![
        count("dsSchemaAttrCount", schema::attribute_count()),
        count("dsSchemaClassCount", schema::class_count()),
        count("dsSchemaPrefixCount", PREFIXES),
    ]
}

/// When an attribute is given.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    /// In a full read, and when asked for.
    Always,
    /// Only when asked for.
    Named,
}

/// Attributes that follow from the domain and the DC.
struct Names(Vec<Attribute>);

impl Names {
    fn take(&self, names: &[&str]) -> Vec<(Presence, Attribute)> {
        let find = |name: &&str| self.0.iter().find(|attribute| attribute.name == **name);
        names.iter().filter_map(find).map(|found| (Presence::Always, found.clone())).collect()
    }
}

fn always(name: &str, values: &[&str]) -> (Presence, Attribute) {
    (Presence::Always, Attribute::new(name, values.iter().copied()))
}

fn named(name: &str, values: &[&str]) -> (Presence, Attribute) {
    (Presence::Named, Attribute::new(name, values.iter().copied()))
}

/// The attributes that name an entry.
const NAMES: [&str; 7] = [
    "configurationNamingContext",
    "defaultNamingContext",
    "dsServiceName",
    "namingContexts",
    "rootDomainNamingContext",
    "schemaNamingContext",
    "serverName",
];

/// What LDIF cannot set: it follows from the domain, the DC, the session or the clock.
const PER_DC: [&str; 14] = [
    "configurationNamingContext",
    "currentTime",
    "defaultNamingContext",
    "dnsHostName",
    "dsServiceName",
    "highestCommittedUSN",
    "ldapServiceName",
    "namingContexts",
    "netlogon",
    "rootDomainNamingContext",
    "schemaNamingContext",
    "serverName",
    "subschemaSubentry",
    "tokenGroups",
];

const FUNCTIONALITY: [&str; 3] =
    ["domainFunctionality", "forestFunctionality", "domainControllerFunctionality"];
