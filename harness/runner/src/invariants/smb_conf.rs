//! smb.conf and the database (smb-conf.md §§1–5).

use sim_host::{
    Entry, GENERAL_BUNDLE, HostRecord, LDAPS_BUNDLE, Quirk,
    smb_conf::{Joined, PATH, SmbConf, TrustLine},
};

use super::{
    Breach,
    look::{HostLook, Look},
};

/// The file of a host with AD is, line by line, what its record and configuration make. Only what
/// it names as trusted is the choice of the time when it was written (quirk Q21).
pub(super) fn agrees_with_the_database(look: &Look<'_>) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for host in look.hosts.iter().filter(|host| host.has_ad() && !host.memory.was_edited(PATH)) {
        let Some(record) = &host.record else { continue };
        let lacks = |key| !record.external_auth_configuration.contains_key(key);
        if lacks("workgroup") || lacks("netbios_name") {
            // A record of an older release: the file is that release's, too.
            continue;
        }
        if look.pool.emergency().is_some() && !host.wrote_smb_conf {
            // It starts without AD, and so may have read another xapi.conf since.
            continue;
        }
        let found = host.smb_conf.as_deref().unwrap_or_default();
        let expected = look.expected(host, record);
        if found == expected {
            continue;
        }
        let name = host.name();
        let missing: Vec<String> = expected
            .lines()
            .filter(|line| !found.lines().any(|found| found == *line))
            .map(|line| format!("`{line}`"))
            .collect();
        let what = match missing.as_slice() {
            [] => "has lines that it should not have, or in another order".to_owned(),
            [line] => format!("lacks the line {line}"),
            lines => format!("lacks the lines {}", lines.join(", ")),
        };
        breaches.push(Breach::new(name, format!("{name} {what}")));
    }
    breaches
}

/// xapi leaves the joined form to a host without AD only if `winbind_keep_configuration` says so.
pub(super) fn is_kept_only_if_it_shall_be(look: &Look<'_>) -> Vec<Breach> {
    let joined = |host: &&HostLook| {
        let text = host.smb_conf.as_deref().unwrap_or_default();
        text.lines().any(|line| line == "security = ADS")
    };
    look.hosts
        .iter()
        .filter(|host| host.wrote_smb_conf && !host.has_ad() && joined(host))
        .filter(|host| !host.host.xapi_conf().winbind_keep_configuration)
        .map(|host| {
            let name = host.name();
            Breach::new(name, format!("{name} has no AD and keeps the joined form of {PATH}"))
        })
        .collect()
}

/// The line that names what is trusted.
pub(super) fn trust_line(text: &str) -> Option<&str> {
    text.lines()
        .find(|line| line.starts_with("tls cafile = ") || line.starts_with("tls ca directories = "))
}

impl Look<'_> {
    fn expected(&self, host: &HostLook, record: &HostRecord) -> String {
        let value = |key| record.external_auth_configuration.get(key).cloned();
        let content = match (value("workgroup"), value("netbios_name")) {
            (Some(workgroup), Some(netbios_name)) => SmbConf::Joined(Joined {
                service_name: record.external_auth_service_name.clone(),
                workgroup,
                netbios_name,
                ldaps: record.ldaps(),
                trust: self.trust(host),
            }),
            _ => SmbConf::NotJoined,
        };
        content.render(self.pool.profile(), &host.host.xapi_conf())
    }

    /// What the file must name: the choice of now if it was written now, else what it named then. A
    /// host that has lost its pool by a join writes it before the join brings certificates, and not
    /// again when it starts.
    fn trust(&self, host: &HostLook) -> TrustLine {
        let remembered = if self.pool.emergency().is_some() {
            host.smb_conf.as_deref().and_then(trust_line)
        } else {
            host.memory.trust_line.as_deref().filter(|_| !host.wrote_smb_conf)
        };
        if let Some(path) = remembered.and_then(|line| line.strip_prefix("tls cafile = ")) {
            return TrustLine::File(path.to_owned());
        }
        if let Some(path) = remembered.and_then(|line| line.strip_prefix("tls ca directories = ")) {
            return TrustLine::Directory(path.to_owned());
        }
        let third = self.has(Quirk::LegacyCaDirectory).then_some("/etc/stunnel/certs");
        for path in [LDAPS_BUNDLE, GENERAL_BUNDLE].into_iter().chain(third) {
            match host.host.root().entry(path).unwrap_or(Entry::Missing) {
                Entry::Directory => return TrustLine::Directory(path.to_owned()),
                Entry::File => return TrustLine::File(path.to_owned()),
                Entry::Missing => {}
            }
        }
        TrustLine::File(LDAPS_BUNDLE.to_owned())
    }
}
