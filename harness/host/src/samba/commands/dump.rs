//! The structures that `net ads join` and `leave` log at debug level 1 and above.
//!
//! xapi classifies a failed join by standard error, and the decisive sentence stands there only
//! as `error_string` of this dump (samba-tls-verify.md §10). Layout as captured from Samba 4.22.

use crate::samba::netlogon::{NetlogonAnswer, flags};

/// Names of the join flags, most significant first, with their bits.
const JOIN_FLAGS: [(&str, u32); 11] = [
    ("WKSSVC_JOIN_FLAGS_IGNORE_UNSUPPORTED_FLAGS", 0x1000_0000),
    ("WKSSVC_JOIN_FLAGS_JOIN_WITH_NEW_NAME", 0x400),
    ("WKSSVC_JOIN_FLAGS_JOIN_DC_ACCOUNT", 0x200),
    ("WKSSVC_JOIN_FLAGS_DEFER_SPN", 0x100),
    ("WKSSVC_JOIN_FLAGS_MACHINE_PWD_PASSED", 0x80),
    ("WKSSVC_JOIN_FLAGS_JOIN_UNSECURE", 0x40),
    ("WKSSVC_JOIN_FLAGS_DOMAIN_JOIN_IF_JOINED", 0x20),
    ("WKSSVC_JOIN_FLAGS_WIN9X_UPGRADE", 0x10),
    ("WKSSVC_JOIN_FLAGS_ACCOUNT_DELETE", 0x4),
    ("WKSSVC_JOIN_FLAGS_ACCOUNT_CREATE", 0x2),
    ("WKSSVC_JOIN_FLAGS_JOIN_TYPE", 0x1),
];
/// Flags of `net ads join`: join the domain, create the account, also if joined.
const JOIN: u32 = 0x23;
/// Flags of `net ads leave`: the domain, delete the account.
const UNJOIN: u32 = 0x5;

/// Names of the DC flags with their bits.
const DC_FLAGS: [(&str, u32); 19] = [
    ("NBT_SERVER_PDC           ", 0x1),
    ("NBT_SERVER_GC            ", 0x4),
    ("NBT_SERVER_LDAP          ", 0x8),
    ("NBT_SERVER_DS            ", 0x10),
    ("NBT_SERVER_KDC           ", 0x20),
    ("NBT_SERVER_TIMESERV      ", 0x40),
    ("NBT_SERVER_CLOSEST       ", 0x80),
    ("NBT_SERVER_WRITABLE      ", 0x100),
    ("NBT_SERVER_GOOD_TIMESERV ", 0x200),
    ("NBT_SERVER_NDNC          ", 0x400),
    ("NBT_SERVER_SELECT_SECRET_DOMAIN_6", 0x800),
    ("NBT_SERVER_FULL_SECRET_DOMAIN_6", 0x1000),
    ("NBT_SERVER_ADS_WEB_SERVICE", 0x2000),
    ("NBT_SERVER_DS_8          ", 0x4000),
    ("NBT_SERVER_DS_9          ", 0x8000),
    ("NBT_SERVER_DS_10         ", 0x1_0000),
    ("NBT_SERVER_HAS_DNS_NAME  ", 0x2000_0000),
    ("NBT_SERVER_IS_DEFAULT_NC ", 0x4000_0000),
    ("NBT_SERVER_FOREST_ROOT   ", 0x8000_0000),
];

/// What a join is asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct JoinInput<'a> {
    /// `-S`.
    pub(super) dc_name: Option<&'a str>,
    /// NetBIOS name of the machine.
    pub(super) machine: &'a str,
    /// The domain, by DNS name or, in the second attempt, by NetBIOS name.
    pub(super) domain: &'a str,
    /// Whether `domain` is a DNS name.
    pub(super) is_dns_name: bool,
    /// `createcomputer`.
    pub(super) ou: Option<&'a str>,
    /// `dnshostname`.
    pub(super) dns_hostname: Option<&'a str>,
}

impl JoinInput<'_> {
    /// The structure as it goes in.
    pub(super) fn text(&self) -> String {
        let mut dump = Dump::new("libnet_Join", "libnet_JoinCtx", "in");
        dump.field(12, "dc_name", &quoted(self.dc_name));
        dump.field(12, "machine_name", &quoted(Some(self.machine)));
        dump.pointer("domain_name", &quoted(Some(self.domain)));
        let kind =
            if self.is_dns_name { "JoinDomNameTypeDNS (1)" } else { "JoinDomNameTypeNBT (2)" };
        dump.field(12, "domain_name_type", kind);
        dump.field(12, "account_ou", &quoted(self.ou));
        dump.field(12, "admin_credentials", "*");
        dump.field(12, "passed_machine_password", "<REDACTED SECRET VALUE>");
        dump.field(12, "machine_password", "<REDACTED SECRET VALUE>");
        dump.flags(12, "join_flags", JOIN, &JOIN_FLAGS);
        for name in ["os_version", "os_name", "os_servicepack"] {
            dump.field(12, name, "NULL");
        }
        dump.field(12, "create_upn", "0x00 (0)");
        dump.field(12, "upn", "NULL");
        dump.field(12, "dnshostname", &quoted(self.dns_hostname));
        dump.field(12, "modify_config", "0x00 (0)");
        dump.field(12, "ads", "NULL");
        dump.field(12, "debug", "0x01 (1)");
        dump.field(12, "secure_channel_type", "SEC_CHAN_WKSTA (2)");
        dump.field(12, "desired_encryption_types", "0x0000001c (28)");
        dump.field(12, "provision_computer_account_only", "0x00 (0)");
        dump.field(12, "odj_provision_data", "NULL");
        dump.field(12, "request_offline_join", "0x00 (0)");
        dump.text
    }
}

/// What a join came to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct JoinOutput<'a> {
    /// NetBIOS name of the machine.
    pub(super) machine: &'a str,
    /// The DC, once one is found.
    pub(super) dc: Option<(&'a NetlogonAnswer, std::net::IpAddr)>,
    /// Whether the domain has been asked about itself.
    pub(super) domain_known: bool,
    /// DN of the account.
    pub(super) dn: Option<&'a str>,
    /// SID of the domain.
    pub(super) domain_sid: Option<&'a str>,
    /// Salt of the machine's keys.
    pub(super) salt: Option<&'a str>,
    /// RID of the account.
    pub(super) rid: u32,
    /// What went wrong.
    pub(super) error: Option<&'a str>,
    /// `WERR_…`.
    pub(super) result: &'a str,
}

impl JoinOutput<'_> {
    /// The structure as it comes out.
    pub(super) fn text(&self) -> String {
        let known = self.dc.map(|(answer, _)| answer).filter(|_| self.domain_known);
        let mut dump = Dump::new("libnet_Join", "libnet_JoinCtx", "out");
        dump.field(12, "odj_provision_data", "NULL");
        dump.field(12, "account_name", &quoted(Some(&format!("{}$", self.machine))));
        dump.field(12, "netbios_domain_name", &quoted(known.map(|dc| &*dc.netbios_domain)));
        dump.field(12, "dns_domain_name", &quoted(known.map(|dc| &*dc.domain)));
        dump.field(12, "forest_name", &quoted(known.map(|dc| &*dc.forest)));
        dump.field(12, "dn", &quoted(self.dn));
        let guid = known.map(|dc| dc.domain_guid).unwrap_or_default();
        dump.field(12, "domain_guid", &guid.to_string());
        dump.sid(self.domain_sid);
        dump.field(12, "modified_config", "0x00 (0)");
        dump.field(12, "error_string", &quoted(self.error));
        dump.field(12, "domain_is_ad", if known.is_some() { "0x01 (1)" } else { "0x00 (0)" });
        let types = if self.error.is_none() { "0x0000001c (28)" } else { "0x00000000 (0)" };
        dump.field(12, "set_encryption_types", types);
        dump.field(12, "krb5_salt", &quoted(self.salt));
        match self.dc {
            Some((answer, address)) => dump.dc(answer, address),
            None => dump.field(12, "dcinfo", "NULL"),
        }
        dump.field(12, "account_rid", &format!("{:#010x} ({})", self.rid, self.rid));
        dump.field(12, "result", self.result);
        dump.text
    }
}

/// The structure of `net ads leave` as it goes in.
pub(super) fn unjoin_input(machine: &str, domain: &str) -> String {
    let mut dump = Dump::new("libnet_Unjoin", "libnet_UnjoinCtx", "in");
    dump.field(12, "dc_name", "NULL");
    dump.field(12, "machine_name", &quoted(Some(machine)));
    dump.field(12, "domain_name", &quoted(Some(domain)));
    dump.field(12, "account_ou", "NULL");
    dump.field(12, "admin_credentials", "*");
    dump.flags(12, "unjoin_flags", UNJOIN, &JOIN_FLAGS);
    dump.field(12, "delete_machine_account", "0x01 (1)");
    dump.field(12, "modify_config", "0x00 (0)");
    dump.sid(None);
    dump.field(12, "ads", "NULL");
    dump.field(12, "debug", "0x01 (1)");
    dump.field(12, "msg_ctx", "*");
    dump.text
}

/// The structure of `net ads leave` as it comes out.
pub(super) fn unjoin_output(domain: Option<&str>, deleted: bool, error: Option<&str>) -> String {
    let mut dump = Dump::new("libnet_Unjoin", "libnet_UnjoinCtx", "out");
    dump.field(12, "netbios_domain_name", "NULL");
    dump.field(12, "dns_domain_name", &quoted(domain));
    dump.field(12, "forest_name", "NULL");
    dump.field(12, "modified_config", "0x00 (0)");
    dump.field(12, "error_string", &quoted(error));
    dump.field(12, "disabled_machine_account", "0x00 (0)");
    dump.field(12, "deleted_machine_account", if deleted { "0x01 (1)" } else { "0x00 (0)" });
    dump.field(12, "result", if error.is_none() { "WERR_OK" } else { "WERR_GEN_FAILURE" });
    dump.text
}

/// A structure being written, without the newline behind its last line.
#[derive(Debug)]
struct Dump {
    text: String,
}

impl Dump {
    fn new(function: &str, context: &str, direction: &str) -> Self {
        let text = format!(
            "{function}:\n    {context}: struct {context}\n        {direction}: struct {context}"
        );
        Self { text }
    }

    fn line(&mut self, indent: usize, line: &str) {
        self.text.push('\n');
        self.text.push_str(&" ".repeat(indent));
        self.text.push_str(line);
    }

    fn field(&mut self, indent: usize, name: &str, value: &str) {
        self.line(indent, &format!("{name:<25}: {value}"));
    }

    fn pointer_at(&mut self, indent: usize, name: &str, value: &str) {
        self.field(indent, name, "*");
        self.field(indent + 4, name, value);
    }

    fn pointer(&mut self, name: &str, value: &str) {
        self.pointer_at(12, name, value);
    }

    fn sid(&mut self, sid: Option<&str>) {
        self.field(12, "domain_sid", if sid.is_some() { "*" } else { "NULL" });
        self.field(16, "domain_sid", sid.unwrap_or("(NULL SID)"));
    }

    fn flags(&mut self, indent: usize, name: &str, value: u32, names: &[(&str, u32)]) {
        self.field(indent, name, &format!("{value:#010x} ({value})"));
        for (flag, bit) in names {
            let set = u8::from(value & bit != 0);
            self.line(indent + 7, &format!("{set}: {flag}"));
        }
    }

    fn dc(&mut self, answer: &NetlogonAnswer, address: std::net::IpAddr) {
        self.field(12, "dcinfo", "*");
        self.line(16, "dcinfo: struct netr_DsRGetDCNameInfo");
        self.pointer_at(20, "dc_unc", &quoted(Some(&format!("\\\\{}", answer.dns_name))));
        self.pointer_at(20, "dc_address", &quoted(Some(&format!("\\\\{address}"))));
        self.field(20, "dc_address_type", "DS_ADDRESS_TYPE_INET (1)");
        self.field(20, "domain_guid", &answer.domain_guid.to_string());
        self.pointer_at(20, "domain_name", &quoted(Some(&answer.domain)));
        self.pointer_at(20, "forest_name", &quoted(Some(&answer.forest)));
        self.flags(20, "dc_flags", answer.flags | flags::SET_BY_CLIENT, &DC_FLAGS);
        self.pointer_at(20, "dc_site_name", &quoted(Some(&answer.server_site)));
        self.pointer_at(20, "client_site_name", &quoted(Some(&answer.client_site)));
    }
}

fn quoted(text: Option<&str>) -> String {
    text.map_or_else(|| "NULL".to_owned(), |text| format!("'{text}'"))
}
