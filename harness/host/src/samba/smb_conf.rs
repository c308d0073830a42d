//! The reader of smb.conf, as Samba 4.22 reads it (smb.conf(5)).
//!
//! The client knows nothing but what it reads here: the file xapi wrote, the file that one
//! includes, and Samba's defaults for the rest. Reading happens at the start of every command.

use std::{fmt, ops::RangeInclusive};

use trust_verdict::VerifyPeer;

use super::secrets::PRIVATE_DIRECTORY;
use crate::{HostError, HostRoot};

/// Where the programs look for their configuration.
const PATH: &str = "/etc/samba/smb.conf";
/// Files included within each other, as Samba limits it.
const DEPTH_MAX: usize = 100;

/// The settings that matter to the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// `realm`, in upper case as Samba keeps it; empty if unset.
    pub(crate) realm: String,
    /// `workgroup`, in upper case.
    pub(super) workgroup: String,
    /// `netbios name`, in upper case.
    pub(super) netbios_name: String,
    /// Whether `security` is `ads`.
    pub(super) security_ads: bool,
    /// `client ldap sasl wrapping`.
    pub(super) wrapping: Wrapping,
    /// `tls verify peer`.
    pub(super) verify_peer: VerifyPeer,
    /// `tls cafile` with `private dir` put before a relative path.
    pub(super) cafile: String,
    /// `tls ca directories`.
    pub(super) ca_directories: Vec<String>,
    /// `tls trust system cas`.
    pub(super) trust_system_cas: bool,
    /// `tls crlfile` with `private dir` put before a relative path; empty if unset.
    pub(super) crlfile: String,
    /// `tls priority`.
    pub(super) priority: String,
    /// `winbind cache time`.
    pub(super) winbind_cache_seconds: u32,
    /// `idmap config * : range`, with the backend autorid.
    pub(super) id_range: Option<RangeInclusive<u32>>,
    /// Whether `sync machine password to keytab` names a keytab.
    pub(super) syncs_keytab: bool,
    /// `template shell`.
    pub(super) template_shell: String,
    /// `template homedir`.
    pub(super) template_homedir: String,
    /// What the reader complains about on standard error.
    pub(super) warnings: Vec<String>,
}

/// `client ldap sasl wrapping`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrapping {
    /// TLS from the first byte on port 636.
    Ldaps,
    /// No protection below SASL.
    Plain,
    /// SASL with encryption.
    Seal,
    /// SASL with signatures.
    Sign,
    /// TLS after an extended request on port 389.
    StartTls,
}

impl Settings {
    /// Reads the host's configuration. A file that is absent or unreadable leaves the defaults.
    pub(crate) fn load(root: &HostRoot) -> Result<Self, HostError> {
        let netbios_name = root
            .read_text_if_present("/etc/hostname")?
            .and_then(|name| name.trim().split('.').next().map(str::to_uppercase))
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "LOCALHOST".to_owned());
        let mut raw = Raw { netbios_name, ..Raw::default() };
        raw.read_file(root, PATH, &mut true, 0)?;
        Ok(raw.finish())
    }

    /// What a configuration with this text says; the files it includes are below the root.
    pub(super) fn parse(text: &str, root: &HostRoot) -> Result<Self, HostError> {
        let mut raw = Raw::default();
        raw.read_text(root, text, &mut true, 0)?;
        Ok(raw.finish())
    }

    /// `user@REALM`, or what was given if it says where the user is from.
    pub(super) fn principal(&self, user: &str) -> String {
        if user.contains(['@', '\\']) || self.realm.is_empty() {
            user.to_owned()
        } else {
            format!("{user}@{}", self.realm)
        }
    }
}

impl fmt::Display for Wrapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ldaps => "ldaps",
            Self::Plain => "plain",
            Self::Seal => "seal",
            Self::Sign => "sign",
            Self::StartTls => "starttls",
        })
    }
}

/// The settings as they are set one after the other; paths are resolved at the end.
#[derive(Debug)]
struct Raw {
    realm: String,
    workgroup: String,
    netbios_name: String,
    security_ads: bool,
    wrapping: Wrapping,
    verify_peer: VerifyPeer,
    private_directory: String,
    cafile: String,
    ca_directories: Vec<String>,
    trust_system_cas: bool,
    crlfile: String,
    priority: String,
    winbind_cache_seconds: u32,
    id_backend: String,
    id_range: Option<RangeInclusive<u32>>,
    syncs_keytab: bool,
    template_shell: String,
    template_homedir: String,
    warnings: Vec<String>,
}

/// Samba's defaults: samba-tls-verify.md §1 and smb.conf(5) of 4.22.
impl Default for Raw {
    fn default() -> Self {
        Self {
            realm: String::new(),
            workgroup: "WORKGROUP".to_owned(),
            netbios_name: String::new(),
            security_ads: false,
            wrapping: Wrapping::Seal,
            verify_peer: VerifyPeer::AsStrictAsPossible,
            private_directory: PRIVATE_DIRECTORY.to_owned(),
            cafile: "tls/ca.pem".to_owned(),
            ca_directories: Vec::new(),
            trust_system_cas: false,
            crlfile: String::new(),
            priority: "NORMAL:-VERS-SSL3.0".to_owned(),
            winbind_cache_seconds: 300,
            id_backend: "tdb".to_owned(),
            id_range: None,
            syncs_keytab: false,
            template_shell: "/bin/false".to_owned(),
            template_homedir: "/home/%D/%U".to_owned(),
            warnings: Vec::new(),
        }
    }
}

impl Raw {
    /// Reads one file. `global` says whether the lines belong to `[global]`; lines before any
    /// section do.
    fn read_file(
        &mut self,
        root: &HostRoot,
        path: &str,
        global: &mut bool,
        depth: usize,
    ) -> Result<(), HostError> {
        // A relative include is relative to wherever xapi was started, and finds nothing.
        if depth > DEPTH_MAX || !path.starts_with('/') {
            return Ok(());
        }
        match root.read_text_if_present(path)? {
            Some(text) => self.read_text(root, &text, global, depth),
            None => Ok(()),
        }
    }

    fn read_text(
        &mut self,
        root: &HostRoot,
        text: &str,
        global: &mut bool,
        depth: usize,
    ) -> Result<(), HostError> {
        for line in logical_lines(text) {
            if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                *global = matches!(name_key(section.0).as_str(), "global" | "globals");
                continue;
            }
            let Some((name, value)) = line.split_once('=') else { continue };
            let (name, value) = (name_key(name), value.trim());
            if name == "include" {
                self.read_file(root, value, global, depth + 1)?;
            } else if *global {
                self.set(&name, value);
            }
        }
        Ok(())
    }

    fn set(&mut self, name: &str, value: &str) {
        match name {
            "clientldapsaslwrapping" => match wrapping(value) {
                Some(wrapping) => self.wrapping = wrapping,
                None => self.invalid(value, "client ldap sasl wrapping"),
            },
            "idmapconfig*:backend" => self.id_backend = value.to_lowercase(),
            "idmapconfig*:range" => self.id_range = id_range(value),
            "netbiosname" => self.netbios_name = value.to_uppercase(),
            "privatedir" | "privatedirectory" => self.private_directory = value.to_owned(),
            "realm" => self.realm = value.to_uppercase(),
            "security" => self.security_ads = value.eq_ignore_ascii_case("ads"),
            "syncmachinepasswordtokeytab" => self.syncs_keytab = !value.is_empty(),
            "templatehomedir" => self.template_homedir = value.to_owned(),
            "templateshell" => self.template_shell = value.to_owned(),
            "tlscadirectories" => self.ca_directories = list(value),
            "tlscafile" => self.cafile = value.to_owned(),
            "tlscrlfile" => self.crlfile = value.to_owned(),
            "tlspriority" => self.priority = value.to_owned(),
            "tlstrustsystemcas" => match boolean(value) {
                Some(trust) => self.trust_system_cas = trust,
                None => self.warnings.push(format!(
                    "ERROR: Badly formed boolean in configuration file: \"{value}\"."
                )),
            },
            "tlsverifypeer" => match value.to_lowercase().parse() {
                Ok(mode) => self.verify_peer = mode,
                Err(_) => self.invalid(value, "tls verify peer"),
            },
            "winbindcachetime" => {
                // A number that is none, or below zero, counts as zero (`lp_int`, `atoi`).
                self.winbind_cache_seconds = value.parse().unwrap_or(0);
            }
            "workgroup" => self.workgroup = value.to_uppercase(),
            _ => {}
        }
    }

    /// An invalid enumeration value leaves what was set before. The words are Samba's; that
    /// reading goes on with the next line has not been confirmed with the real program.
    fn invalid(&mut self, value: &str, name: &str) {
        let warning = format!("WARNING: Ignoring invalid value '{value}' for parameter '{name}'");
        self.warnings.push(warning);
    }

    fn finish(self) -> Settings {
        let private = self.private_directory;
        let below_private = |path: String| {
            if path.is_empty() || path.starts_with('/') {
                path
            } else {
                format!("{private}/{path}")
            }
        };
        Settings {
            realm: self.realm,
            workgroup: self.workgroup,
            netbios_name: self.netbios_name,
            security_ads: self.security_ads,
            wrapping: self.wrapping,
            verify_peer: self.verify_peer,
            cafile: below_private(self.cafile),
            ca_directories: self.ca_directories,
            trust_system_cas: self.trust_system_cas,
            crlfile: below_private(self.crlfile),
            priority: self.priority,
            winbind_cache_seconds: self.winbind_cache_seconds,
            id_range: self.id_range.filter(|_| self.id_backend == "autorid"),
            syncs_keytab: self.syncs_keytab,
            template_shell: self.template_shell,
            template_homedir: self.template_homedir,
            warnings: self.warnings,
        }
    }
}

/// Lines without comments and blanks, those that end in `\` joined with the next.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut pending = String::new();
    for line in text.lines() {
        let line = line.trim();
        if pending.is_empty() && (line.is_empty() || line.starts_with(['#', ';'])) {
            continue;
        }
        if let Some(start) = line.strip_suffix('\\') {
            pending.push_str(start);
            continue;
        }
        pending.push_str(line);
        lines.push(std::mem::take(&mut pending));
    }
    if !pending.is_empty() {
        lines.push(pending);
    }
    lines
}

/// Names are compared without blanks and without case.
fn name_key(name: &str) -> String {
    name.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

fn wrapping(value: &str) -> Option<Wrapping> {
    match value.to_lowercase().as_str() {
        "ldaps" => Some(Wrapping::Ldaps),
        "plain" => Some(Wrapping::Plain),
        "seal" => Some(Wrapping::Seal),
        "sign" => Some(Wrapping::Sign),
        "starttls" => Some(Wrapping::StartTls),
        _ => None,
    }
}

/// `2000000-99999999`.
fn id_range(value: &str) -> Option<RangeInclusive<u32>> {
    let (low, high) = value.split_once('-')?;
    let (low, high) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
    (low < high).then_some(low..=high)
}

fn boolean(value: &str) -> Option<bool> {
    match value.to_lowercase().as_str() {
        "yes" | "true" | "1" | "on" => Some(true),
        "no" | "false" | "0" | "off" => Some(false),
        _ => None,
    }
}

/// A list is separated by blanks, commas or semicolons; quotes keep an item together.
fn list(value: &str) -> Vec<String> {
    let mut items = Vec::new();
    let mut item = String::new();
    let mut quoted = false;
    for c in value.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' | ';' if !quoted => items.push(std::mem::take(&mut item)),
            c if c.is_whitespace() && !quoted => items.push(std::mem::take(&mut item)),
            c => item.push(c),
        }
    }
    items.push(item);
    items.retain(|item| !item.is_empty());
    items
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn settings(files: &[(&str, &str)]) -> Settings {
        let directory = tempfile::tempdir().unwrap();
        let root = HostRoot::open(directory.path()).unwrap();
        for (path, text) in files {
            root.write(path, text.as_bytes(), 0o644).unwrap();
        }
        Settings::load(&root).unwrap()
    }

    fn of(text: &str) -> Settings {
        settings(&[(PATH, text)])
    }

    #[test]
    fn nothing_at_all_gives_sambas_defaults() {
        let settings = settings(&[("/etc/hostname", "xs1.lab.example\n")]);
        assert_eq!(settings.realm, "");
        assert_eq!(settings.workgroup, "WORKGROUP");
        assert_eq!(settings.netbios_name, "XS1");
        assert_eq!(settings.wrapping, Wrapping::Seal);
        assert_eq!(settings.verify_peer, VerifyPeer::AsStrictAsPossible);
        assert_eq!(settings.cafile, "/var/lib/samba/private/tls/ca.pem");
        assert_eq!(settings.crlfile, "");
        assert!(!settings.trust_system_cas);
        assert_eq!(settings.priority, "NORMAL:-VERS-SSL3.0");
    }

    #[test]
    fn the_file_that_xapi_writes() {
        let settings = of(include_str!("../../../../fixtures/samba-client/smb.conf"));
        assert_eq!(settings.realm, "LAB.EXAMPLE");
        assert_eq!(settings.workgroup, "LAB");
        assert_eq!(settings.netbios_name, "XS1");
        assert!(settings.security_ads);
        assert_eq!(settings.wrapping, Wrapping::Ldaps);
        assert_eq!(settings.verify_peer, VerifyPeer::CaAndNameIfAvailable);
        assert_eq!(settings.cafile, "/etc/trusted-certs/ca-bundle-ldaps.pem");
        assert!(settings.trust_system_cas);
        assert!(settings.priority.starts_with("NONE:+VERS-TLS1.2:"));
        assert!(settings.warnings.is_empty());
    }

    #[test]
    fn later_settings_win_and_includes_count_where_they_stand() {
        let settings = settings(&[
            (PATH, "[global]\nrealm=a\ninclude = /etc/more.conf\nworkgroup = LAST\n"),
            ("/etc/more.conf", "realm = b\nworkgroup = MORE\ninclude = /missing\n"),
        ]);
        assert_eq!((&*settings.realm, &*settings.workgroup), ("B", "LAST"));
    }

    #[test]
    fn an_include_of_itself_ends() {
        assert_eq!(of(&format!("realm = a\ninclude = {PATH}\n")).realm, "A");
    }

    #[test]
    fn names_ignore_case_and_blanks_and_shares_do_not_count() {
        let text = "TLS  CaFile = /a\n[share]\ntls cafile = /b\n[ GLOBAL ]\nReALM = \\\n  x.y\n";
        let settings = of(text);
        assert_eq!((&*settings.cafile, &*settings.realm), ("/a", "X.Y"));
    }

    #[test]
    fn comments_are_whole_lines() {
        let settings = of("# realm = a\n; realm = b\nworkgroup = X # Y\n");
        assert_eq!((&*settings.realm, &*settings.workgroup), ("", "X # Y"));
    }

    #[test]
    fn invalid_values_leave_what_was_set_and_are_reported() {
        let settings = of("tls verify peer = ca_only\ntls verify peer = strict\n\
             tls trust system cas = maybe\nclient ldap sasl wrapping = tls\n");
        assert_eq!(settings.verify_peer, VerifyPeer::CaOnly);
        assert_eq!(settings.wrapping, Wrapping::Seal);
        assert_eq!(
            settings.warnings,
            [
                "WARNING: Ignoring invalid value 'strict' for parameter 'tls verify peer'",
                "ERROR: Badly formed boolean in configuration file: \"maybe\".",
                "WARNING: Ignoring invalid value 'tls' for parameter 'client ldap sasl wrapping'",
            ]
        );
    }

    #[test]
    fn lists_have_four_separators_and_quotes() {
        let directories = of("tls ca directories = /a, /b;/c \"/d e\"\n").ca_directories;
        assert_eq!(directories, ["/a", "/b", "/c", "/d e"]);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(\\PC|\n|=|\\[|\\]|\\\\){0,200}") {
            let _ = logical_lines(&text);
            let _ = list(&text);
        }
    }
}
