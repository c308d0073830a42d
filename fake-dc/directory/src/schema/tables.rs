//! Reads the tables of attributes and classes.

use std::{collections::HashMap, sync::LazyLock};

use super::{Syntax, table::Table};

const ATTRIBUTES: &str = include_str!("attributes.txt");
const CLASSES: &str = include_str!("classes.txt");

/// An attribute of the schema (`attributeSchema`, [MS-ADTS] 3.1.1.2.3).
#[derive(Clone, Debug)]
pub(crate) struct AttributeType {
    /// The name as the schema spells it (`lDAPDisplayName`).
    pub(crate) name: &'static str,
    pub(crate) cn: &'static str,
    pub(crate) oid: &'static str,
    /// The syntax by [MS-ADTS] 3.1.1.2.2.2.
    pub(crate) kind: &'static str,
    /// How the directory stores and compares it.
    pub(crate) syntax: Syntax,
    /// Whether it holds one value at most.
    pub(crate) single: bool,
    pub(crate) system_only: bool,
    pub(crate) search_flags: u32,
    pub(crate) system_flags: u32,
    pub(crate) link: Option<u32>,
    /// Whether a global catalogue has it of other domains.
    pub(crate) partial_set: bool,
    pub(crate) range_lower: Option<&'static str>,
    pub(crate) range_upper: Option<&'static str>,
    pub(crate) guid: &'static str,
    pub(crate) property_set: Option<&'static str>,
}

/// Bits of `searchFlags` ([MS-ADTS] 2.2.10).
mod search_flag {
    pub(super) const ATTRIBUTE_INDEX: u32 = 0x1;
    pub(super) const AMBIGUOUS_NAME: u32 = 0x4;
    pub(super) const CONFIDENTIAL: u32 = 0x80;
}

impl AttributeType {
    fn read(line: &'static str) -> Option<Self> {
        let mut fields = line.split(' ');
        let mut next = || fields.next().map(|field| Some(field).filter(|field| *field != "-"));
        let number = |field: Option<&str>| field.and_then(|field| field.parse::<i64>().ok());
        let (name, cn, oid, kind) = (next()??, next()??, next()??, next()??);
        let single = next()?? == "one";
        let system_only = next()?? == "system";
        // Negative numbers are flags with the highest bit.
        let flags = |field| number(field).map_or(0, |flags| flags as u32);
        let (search_flags, system_flags) = (flags(next()?), flags(next()?));
        let link = number(next()?).and_then(|link| u32::try_from(link).ok());
        let partial_set = next()?.is_some();
        let (range_lower, range_upper) = (next()?, next()?);
        let (guid, property_set) = (next()??, next()?);
        Some(Self {
            name,
            cn,
            oid,
            kind,
            syntax: syntax(name, kind)?,
            single,
            system_only,
            search_flags,
            system_flags,
            link,
            partial_set,
            range_lower,
            range_upper,
            guid,
            property_set,
        })
    }

    /// Whether it is made when it is asked for (FLAG_ATTR_IS_CONSTRUCTED).
    pub(crate) fn is_constructed(&self) -> bool {
        self.system_flags & 0x4 != 0
    }

    /// Whether a database looks it up quickly (fATTINDEX).
    pub(crate) fn is_indexed(&self) -> bool {
        self.search_flags & search_flag::ATTRIBUTE_INDEX != 0
    }

    /// Whether ambiguous name resolution looks at it (fANR).
    pub(crate) fn is_name(&self) -> bool {
        self.search_flags & search_flag::AMBIGUOUS_NAME != 0
    }

    /// Whether reading it needs a right of its own (fCONFIDENTIAL).
    pub(crate) fn is_confidential(&self) -> bool {
        self.search_flags & search_flag::CONFIDENTIAL != 0
    }

    /// Whether it links to entries that know of it by a backlink.
    pub(crate) fn is_forward_link(&self) -> bool {
        self.link.is_some_and(|link| link % 2 == 0)
    }

    /// The link that makes this backlink, or the backlink of this link.
    pub(crate) fn other_side(&self) -> Option<&'static AttributeType> {
        ATTRIBUTES_BY_LINK.get(&(self.link? ^ 1)).copied()
    }

    /// Whether it follows from the other side of a link.
    pub(crate) fn is_backlink(&self) -> bool {
        self.link.is_some_and(|link| link % 2 == 1)
    }
}

/// Octet strings that hold a GUID.
const GUIDS: [&str; 14] = [
    "attributeSecurityGUID",
    "fRSReplicaSetGUID",
    "fRSVersionGUID",
    "invocationId",
    "mS-DS-ConsistencyGuid",
    "msDS-AzObjectGuid",
    "msDS-OptionalFeatureGUID",
    "netbootGUID",
    "objectGUID",
    "parentGUID",
    "pKTGuid",
    "schemaIDGUID",
    "siteGUID",
    "msDS-DeviceID",
];

fn syntax(name: &str, kind: &str) -> Option<Syntax> {
    Some(match kind {
        "Boolean" => Syntax::Boolean,
        "DN" => Syntax::Dn,
        "DN-Binary" | "DN-String" => Syntax::DnBinary,
        "Enumeration" | "Integer" | "LargeInteger" => Syntax::Integer,
        "Generalized-Time" | "UTC-Time" => Syntax::Time,
        "IA5" | "Numeric" | "Printable" => Syntax::Exact,
        "Octets" if GUIDS.contains(&name) => Syntax::Guid,
        "Descriptor" | "Octets" | "Presentation-Address" | "Replica-Link" => Syntax::Octets,
        "OID" | "Teletex" | "Unicode" => Syntax::Text,
        "SID" => Syntax::Sid,
        _ => return None,
    })
}

/// A class of the schema (`classSchema`, [MS-ADTS] 3.1.1.2.4).
#[derive(Clone, Debug)]
pub(crate) struct Class {
    /// The name as the schema spells it (`lDAPDisplayName`).
    pub(crate) name: &'static str,
    /// The classes above, `top` first, and the class itself.
    pub(crate) chain: Vec<&'static str>,
    /// Name of the class that `objectCategory` points to, as its `cn`.
    pub(crate) category: &'static str,
    /// The naming attribute.
    pub(crate) naming: &'static str,
    pub(crate) cn: &'static str,
    pub(crate) oid: &'static str,
    pub(crate) above: &'static str,
    pub(crate) kind: ClassKind,
    pub(crate) system_only: bool,
    /// `showInAdvancedViewOnly` of new entries.
    pub(crate) hidden: bool,
    pub(crate) guid: &'static str,
    pub(crate) auxiliary: Vec<&'static str>,
    /// What an entry must have, besides what the classes above demand.
    pub(crate) must: Vec<&'static str>,
    /// What an entry may have, besides what the classes above allow.
    pub(crate) may: Vec<&'static str>,
    /// Below which classes an entry may be made.
    pub(crate) superiors: Vec<&'static str>,
    /// The security descriptor of new entries, in SDDL ([MS-DTYP] 2.5.1).
    pub(crate) descriptor: Option<&'static str>,
}

/// What a class is for (`objectClassCategory`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ClassKind {
    Abstract,
    Auxiliary,
    /// Of the standard of 1988, which did not tell.
    Legacy,
    Structural,
}

impl Class {
    fn read(line: &'static str) -> Option<Self> {
        let mut fields = line.splitn(16, ' ');
        let mut next = || fields.next().map(|field| Some(field).filter(|field| *field != "-"));
        let list = |field: Option<&'static str>| -> Vec<&'static str> {
            field.into_iter().flat_map(|field| field.split(',')).collect()
        };
        let (name, cn, oid, above) = (next()??, next()??, next()??, next()??);
        // `top` is above itself.
        let mut chain = match above {
            _ if above == name => Vec::new(),
            _ => class(above)?.chain.clone(),
        };
        chain.push(name);
        Some(Self {
            name,
            cn,
            oid,
            above,
            chain,
            kind: match next()?? {
                "88" => ClassKind::Legacy,
                "abstract" => ClassKind::Abstract,
                "auxiliary" => ClassKind::Auxiliary,
                "structural" => ClassKind::Structural,
                _ => return None,
            },
            naming: next()??,
            category: next()??,
            system_only: next()?? == "system",
            hidden: next()? == Some("TRUE"),
            guid: {
                next()?;
                next()??
            },
            auxiliary: list(next()?),
            must: list(next()?),
            may: list(next()?),
            superiors: list(next()?),
            descriptor: next()?,
        })
    }

    /// The class itself, those above, and the auxiliary classes of all of them.
    pub(crate) fn with_inherited(&self) -> Vec<&'static Class> {
        let mut found: Vec<&'static Class> = Vec::new();
        let mut waiting: Vec<&'static str> = vec![self.name];
        while let Some(name) = waiting.pop() {
            let Some(class) = class(name) else { continue };
            if !found.iter().any(|known| known.name == class.name) {
                found.push(class);
                waiting.extend(class.auxiliary.iter().copied().chain([class.above]));
            }
        }
        found
    }
}

/// The attribute of that name, in any letter case.
pub(crate) fn attribute(name: &str) -> Option<&'static AttributeType> {
    ALL_ATTRIBUTES.named(name)
}

/// The attribute of that object identifier.
pub(crate) fn attribute_of_oid(oid: &str) -> Option<&'static AttributeType> {
    if is_oid(oid) { attributes().find(|attribute| attribute.oid == oid) } else { None }
}

/// The class of that object identifier.
pub(crate) fn class_of_oid(oid: &str) -> Option<&'static Class> {
    if is_oid(oid) { classes().find(|class| class.oid == oid) } else { None }
}

/// Only an identifier begins with a digit; names are not looked for one by one.
fn is_oid(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_digit())
}

/// All attributes in order of their names.
pub(crate) fn attributes() -> impl Iterator<Item = &'static AttributeType> {
    ALL_ATTRIBUTES.all()
}

/// How many attributes there are.
pub(crate) fn attribute_count() -> usize {
    ALL_ATTRIBUTES.rows.len()
}

/// The class of that name, in any letter case.
pub(crate) fn class(name: &str) -> Option<&'static Class> {
    ALL_CLASSES.named(name)
}

/// All classes in order of their names.
pub(crate) fn classes() -> impl Iterator<Item = &'static Class> {
    ALL_CLASSES.all()
}

/// How many classes there are.
pub(crate) fn class_count() -> usize {
    ALL_CLASSES.rows.len()
}

static ALL_ATTRIBUTES: LazyLock<Table<AttributeType>> =
    LazyLock::new(|| Table::new(ATTRIBUTES, AttributeType::read));

static ATTRIBUTES_BY_LINK: LazyLock<HashMap<u32, &'static AttributeType>> = LazyLock::new(|| {
    attributes().filter_map(|attribute| Some((attribute.link?, attribute))).collect()
});

static ALL_CLASSES: LazyLock<Table<Class>> = LazyLock::new(|| Table::new(CLASSES, Class::read));

#[cfg(test)]
mod tests {
    use super::{super::table::rows, *};

    #[test]
    fn every_row_is_read() {
        assert_eq!(attributes().count(), rows(ATTRIBUTES).count());
        assert_eq!(classes().count(), rows(CLASSES).count());
        let known = |name: &&str| attribute(name).is_some();
        for class in classes() {
            assert!(class.must.iter().chain(&class.may).all(known), "{}", class.name);
            assert!(
                class.superiors.iter().chain(&class.auxiliary).all(|n| super::class(n).is_some())
            );
            assert_eq!(class.chain[0], "top", "{}", class.name);
        }
    }

    #[test]
    fn names_are_found_in_any_case() {
        assert_eq!(attribute("SAMACCOUNTNAME").map(|a| a.name), Some("sAMAccountName"));
        let user = class("USER").unwrap();
        assert_eq!(user.chain, ["top", "person", "organizationalPerson", "user"]);
        let inherited: Vec<&str> = user.with_inherited().iter().map(|class| class.name).collect();
        assert!(inherited.contains(&"securityPrincipal") && inherited.contains(&"top"));
    }
}
