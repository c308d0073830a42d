//! Names, ids and paths, and references to what the scenario or other crates define.

text! {
    /// Lower-case words joined by hyphens: `one-good-dc-among-bad`.
    pub struct Kebab: rules::kebab, pattern = "^[a-z0-9]+(-[a-z0-9]+)*$";
}

text! {
    /// Name of a new host.
    pub struct HostName: rules::label, pattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";
}

text! {
    /// Name of a host that the scenario defines.
    pub struct HostRef: rules::host;
}

text! {
    /// Name of an appliance of the cloud that the scenario defines or creates.
    pub struct ApplianceRef: rules::appliance;
}

text! {
    /// Name of a chain for the cloud that the scenario defines.
    pub struct ChainRef: rules::chain;
}

text! {
    /// Name of a manager of pinned keys that the scenario defines.
    pub struct ManagerRef: rules::manager;
}

text! {
    /// Name of an agent that the scenario defines.
    pub struct AgentRef: rules::agent;
}

text! {
    /// Name of a PKI directory that the scenario defines.
    pub struct PkiDirectoryRef: rules::pki_directory;
}

text! {
    /// Name of a server with PKI clients that the scenario defines.
    pub struct PkiServerRef: rules::pki_server;
}

text! {
    /// Name of a new domain controller, without its domain.
    pub struct DcName: rules::label, pattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$";
}

text! {
    /// Name of a domain controller that the scenario defines.
    pub struct DcRef: rules::dc;
}

text! {
    /// DNS name of a new domain.
    pub struct DomainName: rules::domain_name,
    pattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$";
}

text! {
    /// Name of a domain that the scenario defines.
    pub struct DomainRef: rules::domain;
}

text! {
    /// A network name that a domain controller may give itself, right or wrong.
    pub struct DnsName: rules::dns_name, pattern = "^[!-~]{1,255}$";
}

text! {
    /// Name of a step: one line.
    pub struct StepName: rules::step_name, pattern = "^[^\\r\\n]{1,200}$";
}

text! {
    /// Name of an earlier step that installs a certificate.
    pub struct StepRef: rules::installing_step;
}

text! {
    /// Name of an earlier step that reads a certificate.
    pub struct ReadingRef: rules::reading_step;
}

text! {
    /// Name of an earlier step that calls a method of the XenAPI over the wire.
    pub struct CallRef: rules::calling_step;
}

text! {
    /// Name of an earlier step that goes on in the background.
    pub struct EarlierStep: rules::background_step;
}

text! {
    /// Name of an earlier step that logs in.
    pub struct SessionRef: rules::login_step;
}

text! {
    /// A fault of a domain controller as text, `ID[:VALUE][@LISTENER]`: `time.leaf-expired`,
    /// `net.latency:250ms@ldaps` (faults.md §1).
    pub struct DcFault: rules::dc_fault;
}

text! {
    /// A fault of a host as text, `ID[:VALUE]`: `anchor.empty-bundle`,
    /// `time.host-clock-behind:36h` (faults.md §1).
    pub struct HostFault: rules::host_fault;
}

text! {
    /// A fault of the way from a host to a domain controller as text, `ID[:VALUE][@LISTENER]`:
    /// `net.black-hole`, `net.latency:250ms@ldaps` (faults.md §1).
    pub struct RouteFault: rules::route_fault;
}

text! {
    /// Name of a quirk toggle, such as `ping_reports_first_dc` (xapi-flows.md §19).
    pub struct QuirkName: rules::quirk;
}

text! {
    /// Name of a call of the XenAPI, such as `pool.join`.
    pub struct CallName: rules::call_name;
}

text! {
    /// Code of a XenAPI failure, such as `AUTH_NO_TRUSTED_CERTS` (xapi-flows.md §16).
    pub struct ErrorCode: rules::error_code;
}

text! {
    /// Name of a message of the toolstack, such as `AD_DC_LDAP_CHECK`.
    pub struct MessageName: rules::message_name;
}

text! {
    /// Kind of a fact of the ledger, such as `ldap.request`.
    pub struct FactKind: rules::fact_kind;
}

text! {
    /// Absolute path on a host.
    pub struct HostPath: rules::host_path, pattern = "^(/[^/]+)+$";
}

text! {
    /// Path of a file beside the scenario file.
    pub struct RelativePath: rules::relative_path, pattern = "^[^/]+(/[^/]+)*$";
}

impl DcFault {
    /// The id without value and listener.
    pub fn id(&self) -> &str {
        id_of(self)
    }
}

impl HostFault {
    /// The id without value.
    pub fn id(&self) -> &str {
        id_of(self)
    }
}

impl RouteFault {
    /// The id without value and listener.
    pub fn id(&self) -> &str {
        id_of(self)
    }
}

fn id_of(text: &str) -> &str {
    text.split([':', '@']).next().unwrap_or_default()
}

/// Rules of the texts above: what is wrong with a text at a place.
mod rules {
    use crate::{
        FaultPlace, Span, catalogue,
        grammar::{Reader, Wrong},
        mistake::Mistake,
    };

    type Checked = Result<(), Wrong>;

    pub(super) fn kebab(text: &str, _: &Span, _: &Reader<'_>) -> Checked {
        let word = |word: &str| {
            !word.is_empty() && word.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9'))
        };
        let rule = "lower-case words joined by hyphens, such as `one-good-dc-among-bad`";
        holds(text.split('-').all(word), "id", text, rule)
    }

    pub(super) fn label(text: &str, _: &Span, _: &Reader<'_>) -> Checked {
        let rule = "1 to 63 lower-case letters, digits and inner hyphens";
        holds(is_label(text), "name", text, rule)
    }

    pub(super) fn domain_name(text: &str, _: &Span, _: &Reader<'_>) -> Checked {
        let rule = "at least two lower-case labels, such as `corp.example`";
        let sound = text.len() <= 253 && text.contains('.') && text.split('.').all(is_label);
        holds(sound, "domain name", text, rule)
    }

    pub(super) fn dns_name(text: &str, _: &Span, _: &Reader<'_>) -> Checked {
        let sound =
            (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        holds(sound, "network name", text, "1 to 255 printable ASCII characters without blanks")
    }

    pub(super) fn step_name(text: &str, _: &Span, _: &Reader<'_>) -> Checked {
        let sound = (1..=200).contains(&text.chars().count()) && !text.contains(['\r', '\n']);
        holds(sound, "step name", text, "one line of 1 to 200 characters")
    }

    pub(super) fn host_path(text: &str, _: &Span, _: &Reader<'_>) -> Checked {
        let sound = text.strip_prefix('/').is_some_and(is_plain_path);
        holds(sound, "path", text, "an absolute path without empty parts, `.` and `..`")
    }

    pub(super) fn relative_path(text: &str, _: &Span, _: &Reader<'_>) -> Checked {
        let rule = "a path relative to the scenario file, without empty parts, `.` and `..`";
        holds(is_plain_path(text), "path", text, rule)
    }

    pub(super) fn host(text: &str, _: &Span, reader: &Reader<'_>) -> Checked {
        known("host", text, reader.names.hosts.iter().map(String::as_str))
    }

    pub(super) fn appliance(text: &str, _: &Span, reader: &Reader<'_>) -> Checked {
        known("appliance", text, reader.names.appliances.iter().map(String::as_str))
    }

    pub(super) fn chain(text: &str, _: &Span, reader: &Reader<'_>) -> Checked {
        known("chain", text, reader.names.chains.iter().map(String::as_str))
    }

    pub(super) fn manager(text: &str, _: &Span, reader: &Reader<'_>) -> Checked {
        known("manager", text, reader.names.managers.iter().map(String::as_str))
    }

    pub(super) fn agent(text: &str, _: &Span, reader: &Reader<'_>) -> Checked {
        known("agent", text, reader.names.agents.iter().map(String::as_str))
    }

    pub(super) fn pki_directory(text: &str, _: &Span, reader: &Reader<'_>) -> Checked {
        known("PKI directory", text, reader.names.pki_directories.iter().map(String::as_str))
    }

    pub(super) fn pki_server(text: &str, _: &Span, reader: &Reader<'_>) -> Checked {
        known("PKI server", text, reader.names.pki_servers.iter().map(String::as_str))
    }

    pub(super) fn dc(text: &str, _: &Span, reader: &Reader<'_>) -> Checked {
        known("DC", text, reader.names.dcs.iter().map(String::as_str))
    }

    pub(super) fn domain(text: &str, _: &Span, reader: &Reader<'_>) -> Checked {
        known("domain", text, reader.names.domains.iter().map(String::as_str))
    }

    pub(super) fn installing_step(text: &str, at: &Span, reader: &Reader<'_>) -> Checked {
        let earlier = reader.names.steps.iter().filter(|step| step.span.start < at.start);
        let installing = earlier.filter(|step| step.installs).map(|step| step.name.as_str());
        known("earlier step that installs a certificate", text, installing)
    }

    pub(super) fn reading_step(text: &str, at: &Span, reader: &Reader<'_>) -> Checked {
        let earlier = reader.names.steps.iter().filter(|step| step.span.start < at.start);
        let reading = earlier.filter(|step| step.reads).map(|step| step.name.as_str());
        known("earlier step that reads a certificate", text, reading)
    }

    pub(super) fn calling_step(text: &str, at: &Span, reader: &Reader<'_>) -> Checked {
        let earlier = reader.names.steps.iter().filter(|step| step.span.start < at.start);
        let calling = earlier.filter(|step| step.calls).map(|step| step.name.as_str());
        known("earlier step that calls a method", text, calling)
    }

    pub(super) fn background_step(text: &str, at: &Span, reader: &Reader<'_>) -> Checked {
        let earlier = reader.names.steps.iter().filter(|step| step.span.start < at.start);
        let going_on = earlier.filter(|step| step.background).map(|step| step.name.as_str());
        known("earlier step in the background", text, going_on)
    }

    pub(super) fn login_step(text: &str, at: &Span, reader: &Reader<'_>) -> Checked {
        let earlier = reader.names.steps.iter().filter(|step| step.span.start < at.start);
        let logins = earlier.filter(|step| step.logs_in).map(|step| step.name.as_str());
        known("earlier step that logs in", text, logins)
    }

    pub(super) fn dc_fault(text: &str, _: &Span, reader: &Reader<'_>) -> Checked {
        fault(text, FaultPlace::Dc, reader)
    }

    pub(super) fn host_fault(text: &str, _: &Span, reader: &Reader<'_>) -> Checked {
        fault(text, FaultPlace::Host, reader)
    }

    pub(super) fn route_fault(text: &str, _: &Span, reader: &Reader<'_>) -> Checked {
        fault(text, FaultPlace::Route, reader)
    }

    /// `ID[:VALUE][@LISTENER]`; each part is underlined by itself.
    fn fault(text: &str, here: FaultPlace, reader: &Reader<'_>) -> Checked {
        let (head, listener) = text.rsplit_once('@').map_or((text, None), |(h, l)| (h, Some(l)));
        let (id, value) = head.split_once(':').map_or((head, None), |(i, v)| (i, Some(v)));
        let vocabulary = reader.vocabulary;
        let Some(word) = vocabulary.faults.iter().find(|word| word.id == id) else {
            // Words of the right place are likelier to be meant.
            let known = vocabulary.faults.iter().filter(|word| word.places.contains(&here));
            let mistake = Mistake::unknown("fault", id, known.map(|word| word.id.as_str()));
            return Err(Wrong::part(0..id.len(), mistake));
        };
        if !word.places.contains(&here) {
            let (fault, places) = (id.to_owned(), word.places.clone());
            return Err(Wrong::part(0..id.len(), Mistake::Misplaced { fault, here, places }));
        }
        let at = id.len() + 1..head.len();
        match (value, &word.value) {
            (None, _) => {}
            (Some(value), None) => {
                let (fault, value) = (id.to_owned(), value.to_owned());
                return Err(Wrong::part(at, Mistake::NoValue { fault, value }));
            }
            (Some(value), Some(rule)) if !(vocabulary.is_value)(id, value) => {
                let (fault, value) = (id.to_owned(), value.to_owned());
                let mistake = Mistake::BadValue { fault, value, rule: rule.clone() };
                return Err(Wrong::part(at, mistake));
            }
            (Some(_), Some(_)) => {}
        }
        if let Some(listener) = listener
            && !word.listeners.iter().any(|known| known == listener)
        {
            let known = word.listeners.iter().map(String::as_str);
            let mistake = Mistake::unknown("listener of the fault", listener, known);
            return Err(Wrong::part(head.len() + 1..text.len(), mistake));
        }
        Ok(())
    }

    pub(super) fn quirk(text: &str, _: &Span, reader: &Reader<'_>) -> Checked {
        known("quirk", text, reader.vocabulary.quirks.iter().map(String::as_str))
    }

    pub(super) fn call_name(text: &str, _: &Span, reader: &Reader<'_>) -> Checked {
        known("call", text, reader.vocabulary.calls.iter().map(String::as_str))
    }

    pub(super) fn fact_kind(text: &str, _: &Span, reader: &Reader<'_>) -> Checked {
        let facts = &reader.vocabulary.facts;
        if facts.is_empty() {
            return Ok(());
        }
        known("kind of fact", text, facts.iter().map(String::as_str))
    }

    pub(super) fn error_code(text: &str, _: &Span, _: &Reader<'_>) -> Checked {
        known("error code", text, catalogue::error_codes().iter().map(String::as_str))
    }

    pub(super) fn message_name(text: &str, _: &Span, _: &Reader<'_>) -> Checked {
        known("message", text, catalogue::message_names().iter().map(String::as_str))
    }

    fn holds(sound: bool, what: &'static str, text: &str, rule: &str) -> Checked {
        if sound {
            return Ok(());
        }
        Err(Mistake::Malformed { what, text: text.to_owned(), rule: rule.to_owned() }.into())
    }

    fn known<'k>(
        what: &'static str,
        text: &str,
        mut known: impl Iterator<Item = &'k str> + Clone,
    ) -> Checked {
        if known.clone().any(|known| known == text) {
            return Ok(());
        }
        Err(Mistake::unknown(what, text, known.by_ref()).into())
    }

    fn is_label(text: &str) -> bool {
        (1..=63).contains(&text.len())
            && !text.starts_with('-')
            && !text.ends_with('-')
            && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
    }

    fn is_plain_path(text: &str) -> bool {
        text.split('/').all(|part| !matches!(part, "" | "." | "..")) && !text.contains('\0')
    }
}
