//! The entries of the schema, which a DC shows below `CN=Schema` ([MS-ADTS] 3.1.1.2.3, 3.1.1.2.4).
//!
//! There are many, and few clients look, so that they are made when the first one does.

use ldap_wire::Attribute;

use super::tables::{AttributeType, Class, ClassKind, attributes, classes};
use crate::{domain::Domain, entry::Entry};

/// All entries of attributes and classes. What every entry has is left to be completed.
pub(crate) fn entries(domain: &Domain) -> Vec<Entry> {
    let attributes = attributes().map(|attribute| of_attribute(domain, attribute));
    attributes.chain(classes().map(|class| of_class(domain, class))).collect()
}

fn of_attribute(domain: &Domain, attribute: &AttributeType) -> Entry {
    let (syntax, om_syntax, om_class) = numbers(attribute.kind);
    let mut entry = entry(domain, attribute.cn, "attributeSchema", attribute.guid);
    entry.set("attributeID", [attribute.oid]);
    entry.set("attributeSyntax", [format!("2.5.5.{syntax}")]);
    entry.set("isSingleValued", [truth(attribute.single)]);
    entry.set("lDAPDisplayName", [attribute.name]);
    entry.set("linkID", attribute.link.map(|link| link.to_string()));
    entry.set("isMemberOfPartialAttributeSet", attribute.partial_set.then_some("TRUE"));
    entry.set("oMSyntax", [om_syntax.to_string()]);
    entry.set("oMObjectClass", om_class.map(<[u8]>::to_vec));
    entry.set("rangeLower", attribute.range_lower);
    entry.set("rangeUpper", attribute.range_upper);
    entry.set("attributeSecurityGUID", attribute.property_set.and_then(guid));
    entry.set("searchFlags", [attribute.search_flags.to_string()]);
    entry.set("systemFlags", [attribute.system_flags.to_string()]);
    entry.set("systemOnly", [truth(attribute.system_only)]);
    entry
}

fn of_class(domain: &Domain, class: &Class) -> Entry {
    let mut entry = entry(domain, class.cn, "classSchema", class.guid);
    let kind = match class.kind {
        ClassKind::Legacy => "0",
        ClassKind::Structural => "1",
        ClassKind::Abstract => "2",
        ClassKind::Auxiliary => "3",
    };
    entry.set("governsID", [class.oid]);
    entry.set("lDAPDisplayName", [class.name]);
    entry.set("subClassOf", [class.above]);
    entry.set("rDNAttID", [class.naming]);
    entry.set("objectClassCategory", [kind]);
    entry.set("systemAuxiliaryClass", class.auxiliary.iter().copied());
    entry.set("systemMustContain", class.must.iter().copied());
    entry.set("systemMayContain", class.may.iter().copied());
    entry.set("systemPossSuperiors", class.superiors.iter().copied());
    entry.set("defaultSecurityDescriptor", class.descriptor);
    entry.set("defaultHidingValue", [truth(class.hidden)]);
    let category = domain.schema().child("CN", class.category).to_string();
    entry.set("defaultObjectCategory", [category]);
    entry.set("systemFlags", ["16"]);
    entry.set("systemOnly", [truth(class.system_only)]);
    entry
}

fn entry(domain: &Domain, cn: &str, class: &str, id: &str) -> Entry {
    let mut entry = Entry { built_in: true, ..Entry::new(domain.schema().child("CN", cn)) };
    entry.attributes = vec![
        Attribute::new("objectClass", ["top", class]),
        Attribute::new("cn", [cn]),
        Attribute::new("showInAdvancedViewOnly", ["TRUE"]),
        Attribute::new("adminDisplayName", [cn]),
        Attribute::new("adminDescription", [cn]),
        Attribute::new("name", [cn]),
    ];
    entry.set("schemaIDGUID", guid(id));
    entry
}

fn guid(text: &str) -> Option<Vec<u8>> {
    Some(uuid::Uuid::try_parse(text).ok()?.to_bytes_le().to_vec())
}

fn truth(holds: bool) -> &'static str {
    if holds { "TRUE" } else { "FALSE" }
}

/// The last number of `attributeSyntax`, `oMSyntax` and `oMObjectClass` ([MS-ADTS] 3.1.1.2.2.2).
fn numbers(kind: &str) -> (u8, u8, Option<&'static [u8]>) {
    const NAME: &[u8] = b"\x2b\x0c\x02\x87\x73\x1c\x00\x85\x4a";
    const NAME_AND_BINARY: &[u8] = b"\x2a\x86\x48\x86\xf7\x14\x01\x01\x01\x0b";
    const NAME_AND_TEXT: &[u8] = b"\x2a\x86\x48\x86\xf7\x14\x01\x01\x01\x0c";
    const ADDRESS: &[u8] = b"\x2b\x0c\x02\x87\x73\x1c\x00\x85\x5c";
    const REPLICA_LINK: &[u8] = b"\x2a\x86\x48\x86\xf7\x14\x01\x01\x01\x06";
    match kind {
        "Boolean" => (8, 1, None),
        "DN" => (1, 127, Some(NAME)),
        "DN-Binary" => (7, 127, Some(NAME_AND_BINARY)),
        "DN-String" => (14, 127, Some(NAME_AND_TEXT)),
        "Descriptor" => (15, 66, None),
        "Enumeration" => (9, 10, None),
        "Generalized-Time" => (11, 24, None),
        "IA5" => (5, 22, None),
        "Integer" => (9, 2, None),
        "LargeInteger" => (16, 65, None),
        "Numeric" => (6, 18, None),
        "OID" => (2, 6, None),
        "Presentation-Address" => (13, 127, Some(ADDRESS)),
        "Printable" => (5, 19, None),
        "Replica-Link" => (10, 127, Some(REPLICA_LINK)),
        "SID" => (17, 4, None),
        "Teletex" => (4, 20, None),
        "UTC-Time" => (11, 23, None),
        "Unicode" => (12, 64, None),
        // Octets.
        _ => (10, 4, None),
    }
}
