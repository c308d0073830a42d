//! Finding DCs and asking them for KRBTGT (xapi-flows.md §§6.2–6.5), by running programs and
//! reading what they print.

use std::{collections::BTreeMap, net::IpAddr};

use crate::{
    Credentials, Output, Quirk, Quirks, SambaCommand,
    facts::ProbePinged,
    xapi::{
        on_host::OnHost,
        plugin::{PluginError, Tag},
    },
};

/// The account that exists in every domain.
const ACCOUNT: &str = "KRBTGT";

/// How the ping of a domain failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PingError {
    /// Its DCs could not be found.
    Lookup(PluginError),
    /// No DC passed.
    Ping(PluginError),
}

impl PingError {
    pub(crate) fn into_inner(self) -> PluginError {
        match self {
            Self::Lookup(error) | Self::Ping(error) => error,
        }
    }
}

impl OnHost<'_> {
    /// The DCs of a domain in the order of every later iteration.
    async fn dcs(&self, domain: &str) -> Result<Vec<IpAddr>, PluginError> {
        let output = self.run(SambaCommand::LookupKdc { domain: domain.to_owned() }).await;
        if !output.succeeded() {
            let stdout = output.stdout.trim();
            return Err(PluginError::generic(format!("no DC of {domain} was found: {stdout}")));
        }
        parse_kdcs(&output.stdout, self.pool.quirks())
            .map_err(|line| PluginError::generic(format!("`{line}` is not a KDC of {domain}")))
    }

    /// Pre-Windows-2000 name of a domain, from the first DC that says it. Every failure has the
    /// lookup tag.
    pub(crate) async fn workgroup(&self, domain: &str) -> Result<String, PluginError> {
        let failed = |message| PluginError::new(Tag::DomainLookup, message);
        let dcs = self.dcs(domain).await.map_err(|error| failed(error.message))?;
        for server in dcs {
            let output = self.run(SambaCommand::AdsLookup { server }).await;
            let workgroup = parse_key_values(&output.stdout)
                .get("Pre-Win2k Domain")
                .map(|name| name.to_string());
            if let Some(workgroup) = workgroup.filter(|_| output.succeeded()) {
                return Ok(workgroup);
            }
        }
        Err(failed(format!("no DC of {domain} answers")))
    }

    /// Asks the DCs one after the other for KRBTGT; the first that knows it.
    pub(crate) async fn ping(
        &self,
        domain: &str,
        credentials: &Credentials,
    ) -> Result<IpAddr, PingError> {
        let dcs = self.dcs(domain).await.map_err(PingError::Lookup)?;
        let mut failures = Vec::new();
        for server in dcs {
            match self.ping_one(server, credentials).await {
                Ok(()) => return Ok(server),
                Err(error) => failures.push(error),
            }
        }
        let reported = if self.has(Quirk::PingReportsFirstDc) {
            failures.into_iter().next()
        } else {
            // The first of the most telling ones.
            failures.into_iter().rev().max_by_key(|error| error.tag.telling())
        };
        Err(PingError::Ping(
            reported
                .unwrap_or_else(|| PluginError::generic(format!("the ping of {domain} failed"))),
        ))
    }

    async fn ping_one(&self, server: IpAddr, credentials: &Credentials) -> Result<(), PluginError> {
        let name = escape_filter(ACCOUNT, self.pool.quirks());
        let output = self
            .run(SambaCommand::AdsSearch {
                server: server.into(),
                credentials: credentials.clone(),
                filter: format!("(|(sAMAccountName={name})(name={name}))"),
                attributes: vec!["objectSid".into()],
            })
            .await;
        let result = self.read_sid(&output);
        let outcome = result.as_ref().map_or_else(|error| error.tag.name(), |()| "success");
        self.trail.record(ProbePinged { address: server.to_string(), outcome });
        if result.is_ok() {
            self.note_ldap_success();
        }
        result
    }

    fn read_sid(&self, output: &Output) -> Result<(), PluginError> {
        let Some(tag) = probe_tag(output) else { return Ok(()) };
        if output.succeeded() {
            let message = format!("the answer for {ACCOUNT} has no objectSid");
            return Err(PluginError::new(tag, message));
        }
        // The tag comes from stderr, the text from stdout: a part of quirk Q5.
        let first_dc = self.has(Quirk::PingReportsFirstDc);
        let text = if first_dc { &output.stdout } else { &output.stderr };
        let message = format!("the query of {ACCOUNT} failed: {}", text.trim());
        Err(PluginError::new(tag, message))
    }
}

/// How the probe of one DC failed; `None` if the DC passes.
pub(crate) fn probe_tag(output: &Output) -> Option<Tag> {
    if !output.succeeded() {
        return Some(Tag::of_stderr(&output.stderr));
    }
    let values = parse_key_values(&output.stdout);
    let found = values.get("objectSid").is_some_and(|sid| !sid.is_empty());
    (!found).then_some(Tag::Generic)
}

/// Lines `address:88`; the offending line on failure (quirk Q40).
fn parse_kdcs(stdout: &str, quirks: &Quirks) -> Result<Vec<IpAddr>, String> {
    let mut dcs = Vec::new();
    for line in stdout.lines().filter(|line| !line.trim().is_empty()) {
        let address = line
            .rsplit_once(':')
            .filter(|(_, port)| *port == "88")
            .and_then(|(address, _)| address.parse().ok());
        match address {
            Some(address) => dcs.push(address),
            None if quirks.has(Quirk::OneBadKdcLineFailsAll) => return Err(line.to_owned()),
            None => {}
        }
    }
    Ok(dcs)
}

/// The first two pieces of each line between colons; a later line with the same key wins.
pub(super) fn parse_key_values(stdout: &str) -> BTreeMap<&str, &str> {
    stdout
        .lines()
        .filter_map(|line| {
            let mut pieces = line.split(':');
            Some((pieces.next()?.trim(), pieces.next()?.trim()))
        })
        .collect()
}

/// Escapes a value for an LDAP filter (§6.3), in this order, each over the whole result so far.
pub(super) fn escape_filter(value: &str, quirks: &Quirks) -> String {
    let backslash = if quirks.has(Quirk::LdapEscapeBackslash5d) { "\\5d" } else { "\\5c" };
    let escaped = value
        .replace('\\', backslash)
        .replace('*', "\\2a")
        .replace('(', "\\28")
        .replace(')', "\\29")
        .replace('\0', "\\00");
    if quirks.has(Quirk::LdapEscapeSlash) { escaped.replace('/', "\\2f") } else { escaped }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Profile;

    #[test]
    fn one_bad_line_spoils_the_list_in_landed() {
        let landed = Quirks::of(Profile::Landed);
        let design = Quirks::of(Profile::DesignV1);
        let good = "10.0.0.1:88\n\nfd00::1:88\n";
        let dcs: [IpAddr; 2] = ["10.0.0.1".parse().unwrap(), "fd00::1".parse().unwrap()];
        assert_eq!(parse_kdcs(good, &landed).unwrap(), dcs);
        for bad in ["10.0.0.1:389", "10.0.0.1", "dc1.corp.example:88"] {
            let text = format!("{good}{bad}\n");
            assert_eq!(parse_kdcs(&text, &landed), Err(bad.to_owned()));
            assert_eq!(parse_kdcs(&text, &design).unwrap(), dcs);
        }
    }

    #[test]
    fn values_are_cut_at_a_second_colon_and_the_last_line_wins() {
        let values = parse_key_values("Pre-Win2k Domain:\tOLD\nPre-Win2k Domain:\tCORP:x\nrest");
        assert_eq!(values.into_iter().collect::<Vec<_>>(), [("Pre-Win2k Domain", "CORP")]);
    }

    #[test]
    fn filters_are_escaped_as_each_profile_does() {
        let value = "a\\b*c(d)e\0f/g";
        let escaped = |profile| escape_filter(value, &Quirks::of(profile));
        assert_eq!(escaped(Profile::DesignV1), "a\\5cb\\2ac\\28d\\29e\\00f/g");
        assert_eq!(escaped(Profile::Landed), "a\\5db\\2ac\\28d\\29e\\00f\\2fg");
    }
}
