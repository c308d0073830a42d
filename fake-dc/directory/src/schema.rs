//! The part of AD's schema that the directory knows: syntaxes, spellings, classes.
//!
//! Taken from [MS-ADA1], [MS-ADA2], [MS-ADA3] and [MS-ADSC]. Attributes that are not listed are
//! case-insensitive text and may hold several values.

use std::{collections::HashMap, sync::LazyLock};

use uuid::Uuid;

use crate::{
    dn::{Dn, EntryName},
    sid::Sid,
    stamp,
};

/// How values of an attribute are written and compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// `TRUE` or `FALSE`.
    Boolean,
    /// A DN.
    Dn,
    /// `B:<digits>:<hexadecimal>:<DN>`.
    DnBinary,
    /// A GUID in its little-endian binary form.
    Guid,
    /// A decimal number.
    Integer,
    /// Any bytes.
    Octets,
    /// A binary SID.
    Sid,
    /// Text that compares without regard to case.
    Text,
    /// Generalized time.
    Time,
}

impl Syntax {
    /// The form in which two values that mean the same are the same bytes; `None` if the bytes
    /// are no value of this syntax.
    pub(crate) fn normalise(self, value: &[u8]) -> Option<Vec<u8>> {
        let text = || std::str::from_utf8(value).ok();
        match self {
            Self::Boolean => {
                let upper = text()?.to_ascii_uppercase();
                matches!(upper.as_str(), "TRUE" | "FALSE").then(|| upper.into_bytes())
            }
            Self::Dn => {
                let dn = Dn::parse(EntryName::without_extensions(text()?)).ok()?;
                Some(dn.key().as_str().as_bytes().to_vec())
            }
            Self::Guid if value.len() == 16 => Some(value.to_vec()),
            Self::Guid => Some(Uuid::try_parse(text()?).ok()?.to_bytes_le().to_vec()),
            Self::Integer => {
                let number: i64 = text()?.trim().parse().ok()?;
                Some(number.to_string().into_bytes())
            }
            Self::Octets => Some(value.to_vec()),
            Self::Sid => {
                let sid = Sid::from_bytes(value).ok().or_else(|| text()?.parse().ok())?;
                Some(sid.as_bytes().to_vec())
            }
            Self::Text | Self::DnBinary if value.is_ascii() => Some(value.to_ascii_lowercase()),
            Self::Text | Self::DnBinary => {
                Some(text().map_or_else(|| value.to_vec(), |text| text.to_lowercase().into_bytes()))
            }
            Self::Time => {
                let text = text()?;
                stamp::is_generalized(text).then(|| text.as_bytes()[..14].to_vec())
            }
        }
    }

    /// Turns a value as a person writes it into the one that is stored.
    pub(crate) fn store(self, value: Vec<u8>) -> Option<Vec<u8>> {
        let normal = self.normalise(&value)?;
        Some(match self {
            Self::Guid | Self::Sid => normal,
            Self::Dn => {
                let text = String::from_utf8(value).ok()?;
                Dn::parse(EntryName::without_extensions(&text)).ok()?.to_string().into_bytes()
            }
            _ => value,
        })
    }

    /// What a value looks like, for remedies.
    pub(crate) const fn example(self) -> &'static str {
        match self {
            Self::Boolean => "`TRUE` or `FALSE`",
            Self::Dn => "a distinguished name",
            Self::DnBinary => "`B:32:<hexadecimal>:<distinguished name>`",
            Self::Guid => "a GUID as text, or its 16 bytes in base64 after `::`",
            Self::Integer => "a decimal number",
            Self::Octets | Self::Text => "any text",
            Self::Sid => "a SID as `S-1-5-…`, or its bytes in base64 after `::`",
            Self::Time => "a time such as `20261121231224.0Z`",
        }
    }
}

/// What is known of an attribute.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttributeType {
    /// The name as the schema spells it.
    pub(crate) name: &'static str,
    pub(crate) syntax: Syntax,
    /// Whether it holds one value at most.
    pub(crate) single: bool,
    /// Whether only the directory itself may change it.
    pub(crate) system: bool,
}

/// The attribute of that name, in any letter case.
pub(crate) fn attribute(name: &str) -> Option<&'static AttributeType> {
    match BY_NAME.get(name) {
        Some(found) => Some(found),
        None => BY_NAME.get(name.to_ascii_lowercase().as_str()).copied(),
    }
}

/// The syntax of an attribute; text if it is not known.
pub(crate) fn syntax(name: &str) -> Syntax {
    attribute(name).map_or(Syntax::Text, |attribute| attribute.syntax)
}

/// The name as the schema spells it.
pub(crate) fn spelling(name: &str) -> &str {
    attribute(name).map_or(name, |attribute| attribute.name)
}

/// Attributes by the name in the schema's spelling and in lower case.
static BY_NAME: LazyLock<HashMap<String, &'static AttributeType>> = LazyLock::new(|| {
    let spelt = ATTRIBUTES.iter().map(|attribute| (attribute.name.to_owned(), attribute));
    let lower = ATTRIBUTES.iter().map(|attribute| (attribute.name.to_ascii_lowercase(), attribute));
    spelt.chain(lower).collect()
});

const fn one(name: &'static str, syntax: Syntax) -> AttributeType {
    AttributeType { name, syntax, single: true, system: false }
}

const fn many(name: &'static str, syntax: Syntax) -> AttributeType {
    AttributeType { name, syntax, single: false, system: false }
}

const fn system(name: &'static str, syntax: Syntax) -> AttributeType {
    AttributeType { name, syntax, single: true, system: true }
}

#[rustfmt::skip]
static ATTRIBUTES: &[AttributeType] = {
    use Syntax::{Boolean, Dn, DnBinary, Guid, Integer, Octets, Sid, Text, Time};
    &[
        one("accountExpires", Integer),
        one("adminCount", Integer),
        one("auditingPolicy", Octets),
        one("badPasswordTime", Integer),
        one("badPwdCount", Integer),
        system("canonicalName", Text),
        many("cACertificate", Octets),
        one("certificateRevocationList", Octets),
        one("cn", Text),
        one("codePage", Integer),
        one("comment", Text),
        one("company", Text),
        one("countryCode", Integer),
        system("creationTime", Integer),
        one("dc", Text),
        one("department", Text),
        many("description", Text),
        one("displayName", Text),
        system("distinguishedName", Dn),
        one("dNSHostName", Text),
        one("dnsRoot", Text),
        one("employeeID", Text),
        one("flatName", Text),
        one("forceLogoff", Integer),
        one("fSMORoleOwner", Dn),
        one("givenName", Text),
        one("gPLink", Text),
        one("groupType", Integer),
        one("homeDirectory", Text),
        one("initials", Text),
        system("instanceType", Integer),
        one("isCriticalSystemObject", Boolean),
        one("lastLogoff", Integer),
        one("lastLogon", Integer),
        one("lastLogonTimestamp", Integer),
        one("localPolicyFlags", Integer),
        one("lockoutDuration", Integer),
        one("lockOutObservationWindow", Integer),
        one("lockoutThreshold", Integer),
        one("lockoutTime", Integer),
        one("logonCount", Integer),
        one("mail", Text),
        one("managedBy", Dn),
        one("manager", Dn),
        many("masteredBy", Dn),
        one("maxPwdAge", Integer),
        many("member", Dn),
        AttributeType { name: "memberOf", syntax: Dn, single: false, system: true },
        one("minPwdAge", Integer),
        one("minPwdLength", Integer),
        one("modifiedCount", Integer),
        one("modifiedCountAtLastProm", Integer),
        one("msDS-AllUsersTrustQuota", Integer),
        one("msDS-Behavior-Version", Integer),
        one("msDS-ExpirePasswordsOnSmartCardOnlyAccounts", Boolean),
        system("msDS-KeyVersionNumber", Integer),
        one("ms-DS-MachineAccountQuota", Integer),
        many("msDs-masteredBy", Dn),
        many("msDS-IsDomainFor", Dn),
        one("msDS-NcType", Integer),
        one("msDS-PerUserTrustQuota", Integer),
        one("msDS-PerUserTrustTombstonesQuota", Integer),
        one("msDS-SupportedEncryptionTypes", Integer),
        system("msDS-User-Account-Control-Computed", Integer),
        system("msDS-UserPasswordExpiryTimeComputed", Integer),
        one("name", Text),
        one("nCName", Dn),
        one("nETBIOSName", Text),
        one("nextRid", Integer),
        one("nTMixedDomain", Integer),
        one("nTSecurityDescriptor", Octets),
        one("objectCategory", Dn),
        many("objectClass", Text),
        system("objectGUID", Guid),
        system("objectSid", Sid),
        one("oEMInformation", Text),
        one("operatingSystem", Text),
        one("operatingSystemVersion", Text),
        many("otherWellKnownObjects", DnBinary),
        one("ou", Text),
        one("primaryGroupID", Integer),
        one("pwdHistoryLength", Integer),
        one("pwdLastSet", Integer),
        one("pwdProperties", Integer),
        one("rIDManagerReference", Dn),
        many("rIDSetReferences", Dn),
        one("sAMAccountName", Text),
        system("sAMAccountType", Integer),
        one("scriptPath", Text),
        many("securityIdentifier", Sid),
        one("serverReference", Dn),
        AttributeType { name: "serverReferenceBL", syntax: Dn, single: false, system: true },
        one("serverState", Integer),
        many("servicePrincipalName", Text),
        one("showInAdvancedViewOnly", Boolean),
        many("sIDHistory", Sid),
        one("sn", Text),
        one("systemFlags", Integer),
        one("telephoneNumber", Text),
        one("title", Text),
        AttributeType { name: "tokenGroups", syntax: Sid, single: false, system: true },
        one("trustAttributes", Integer),
        one("trustDirection", Integer),
        one("trustPartner", Text),
        one("trustType", Integer),
        one("uASCompat", Integer),
        one("unicodePwd", Octets),
        one("userAccountControl", Integer),
        one("userPassword", Octets),
        one("userPrincipalName", Text),
        one("userWorkstations", Text),
        system("uSNChanged", Integer),
        system("uSNCreated", Integer),
        many("wellKnownObjects", DnBinary),
        system("whenChanged", Time),
        system("whenCreated", Time),
    ]
};

/// What is known of a class.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Class {
    /// The name as the schema spells it.
    pub(crate) name: &'static str,
    /// The classes above, `top` first, and the class itself.
    pub(crate) chain: &'static [&'static str],
    /// Name of the class that `objectCategory` points to, as its `cn`.
    pub(crate) category: &'static str,
    /// The naming attribute.
    pub(crate) naming: &'static str,
}

/// The class of that name, in any letter case.
pub(crate) fn class(name: &str) -> Option<&'static Class> {
    CLASSES.iter().find(|class| class.name.eq_ignore_ascii_case(name))
}

const fn class_of(
    name: &'static str,
    chain: &'static [&'static str],
    category: &'static str,
    naming: &'static str,
) -> Class {
    Class { name, chain, category, naming }
}

#[rustfmt::skip]
static CLASSES: &[Class] = &[
    class_of("top", &["top"], "Top", "CN"),
    class_of("builtinDomain", &["top", "builtinDomain"], "Builtin-Domain", "CN"),
    class_of("certificationAuthority", &["top", "certificationAuthority"], "Certification-Authority", "CN"),
    class_of("classStore", &["top", "classStore"], "Class-Store", "CN"),
    class_of("computer", &["top", "person", "organizationalPerson", "user", "computer"], "Computer", "CN"),
    class_of("configuration", &["top", "configuration"], "Configuration", "CN"),
    class_of("contact", &["top", "person", "organizationalPerson", "contact"], "Person", "CN"),
    class_of("container", &["top", "container"], "Container", "CN"),
    class_of("cRLDistributionPoint", &["top", "cRLDistributionPoint"], "CRL-Distribution-Point", "CN"),
    class_of("crossRef", &["top", "crossRef"], "Cross-Ref", "CN"),
    class_of("crossRefContainer", &["top", "crossRefContainer"], "Cross-Ref-Container", "CN"),
    class_of("dMD", &["top", "dMD"], "DMD", "CN"),
    class_of("domain", &["top", "domain"], "Domain-DNS", "DC"),
    class_of("domainDNS", &["top", "domain", "domainDNS"], "Domain-DNS", "DC"),
    class_of("foreignSecurityPrincipal", &["top", "foreignSecurityPrincipal"], "Foreign-Security-Principal", "CN"),
    class_of("group", &["top", "group"], "Group", "CN"),
    class_of("groupPolicyContainer", &["top", "container", "groupPolicyContainer"], "Group-Policy-Container", "CN"),
    class_of("inetOrgPerson", &["top", "person", "organizationalPerson", "user", "inetOrgPerson"], "Person", "CN"),
    class_of("infrastructureUpdate", &["top", "infrastructureUpdate"], "Infrastructure-Update", "CN"),
    class_of("lostAndFound", &["top", "lostAndFound"], "Lost-And-Found", "CN"),
    class_of("msDS-QuotaContainer", &["top", "msDS-QuotaContainer"], "ms-DS-Quota-Container", "CN"),
    class_of("nTDSDSA", &["top", "applicationSettings", "nTDSDSA"], "NTDS-DSA", "CN"),
    class_of("organizationalPerson", &["top", "person", "organizationalPerson"], "Person", "CN"),
    class_of("organizationalUnit", &["top", "organizationalUnit"], "Organizational-Unit", "OU"),
    class_of("person", &["top", "person"], "Person", "CN"),
    class_of("rIDManager", &["top", "rIDManager"], "RID-Manager", "CN"),
    class_of("server", &["top", "server"], "Server", "CN"),
    class_of("serversContainer", &["top", "serversContainer"], "Servers-Container", "CN"),
    class_of("site", &["top", "site"], "Site", "CN"),
    class_of("sitesContainer", &["top", "sitesContainer"], "Sites-Container", "CN"),
    class_of("trustedDomain", &["top", "leaf", "trustedDomain"], "Trusted-Domain", "CN"),
    class_of("user", &["top", "person", "organizationalPerson", "user"], "Person", "CN"),
];
