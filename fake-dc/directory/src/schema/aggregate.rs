//! The subschema: the schema in the text form of RFC 4512, as `CN=Aggregate` shows it
//! ([MS-ADTS] 3.1.1.3.1.1).
//!
//! The punctuation is that of Samba 4.22, which follows Windows.

use uuid::Uuid;

use super::tables::{AttributeType, Class, ClassKind, attributes, class, classes};

/// The values of an attribute of the subschema entry; none if it has no such attribute.
pub(crate) fn values(name: &str) -> Vec<Vec<u8>> {
    let texts: Vec<String> = match name {
        "attributeTypes" => attributes().map(attribute_type).collect(),
        "dITContentRules" => classes().filter_map(content_rule).collect(),
        "extendedAttributeInfo" => attributes().map(attribute_info).collect(),
        "extendedClassInfo" => classes().map(class_info).collect(),
        "objectClasses" => classes().map(object_class).collect(),
        _ => Vec::new(),
    };
    texts.into_iter().map(String::into_bytes).collect()
}

fn attribute_type(attribute: &AttributeType) -> String {
    let AttributeType { oid, name, .. } = attribute;
    let syntax = syntax_oid(attribute);
    let single = if attribute.single { "SINGLE-VALUE " } else { "" };
    let fixed = if attribute.system_only { "NO-USER-MODIFICATION " } else { "" };
    format!("( {oid} NAME '{name}' SYNTAX '{syntax}' {single}{fixed})")
}

/// [MS-ADTS] 3.1.1.3.1.1.3.
fn syntax_oid(attribute: &AttributeType) -> &'static str {
    match attribute.kind {
        // Windows stores bytes where the schema says text.
        _ if attribute.name == "userParameters" => "1.3.6.1.4.1.1466.115.121.1.40",
        "Boolean" => "1.3.6.1.4.1.1466.115.121.1.7",
        "DN" => "1.3.6.1.4.1.1466.115.121.1.12",
        "DN-Binary" => "1.2.840.113556.1.4.903",
        "DN-String" => "1.2.840.113556.1.4.904",
        "Descriptor" => "1.2.840.113556.1.4.907",
        "Enumeration" | "Integer" => "1.3.6.1.4.1.1466.115.121.1.27",
        "Generalized-Time" => "1.3.6.1.4.1.1466.115.121.1.24",
        "IA5" => "1.3.6.1.4.1.1466.115.121.1.26",
        "LargeInteger" => "1.2.840.113556.1.4.906",
        "Numeric" => "1.3.6.1.4.1.1466.115.121.1.36",
        "OID" => "1.3.6.1.4.1.1466.115.121.1.38",
        "Presentation-Address" => "1.3.6.1.4.1.1466.115.121.1.43",
        "Printable" => "1.3.6.1.4.1.1466.115.121.1.44",
        "Teletex" => "1.2.840.113556.1.4.905",
        "UTC-Time" => "1.3.6.1.4.1.1466.115.121.1.53",
        "Unicode" => "1.3.6.1.4.1.1466.115.121.1.15",
        // Octets, SIDs and replica links.
        _ => "1.3.6.1.4.1.1466.115.121.1.40",
    }
}

fn attribute_info(attribute: &AttributeType) -> String {
    let AttributeType { oid, name, .. } = attribute;
    let mut text = format!("( {oid} NAME '{name}' ");
    if let Some(lower) = attribute.range_lower {
        text.push_str(&format!("RANGE-LOWER '{lower}' "));
    }
    if let Some(upper) = attribute.range_upper {
        text.push_str(&format!("RANGE-UPPER '{upper}' "));
    }
    let (guid, set) =
        (hexadecimal(attribute.guid), hexadecimal(attribute.property_set.unwrap_or_default()));
    text.push_str(&format!("PROPERTY-GUID '{guid}' PROPERTY-SET-GUID '{set}' "));
    text.push_str(if attribute.is_indexed() { "INDEXED " } else { "" });
    text.push_str(if attribute.system_only { "SYSTEM-ONLY " } else { "" });
    text.push(')');
    text
}

fn class_info(class: &Class) -> String {
    format!("( {} NAME '{}' CLASS-GUID '{}' )", class.oid, class.name, hexadecimal(class.guid))
}

/// The bytes of a GUID; zeros if the text is none.
fn hexadecimal(guid: &str) -> String {
    let bytes = Uuid::try_parse(guid).unwrap_or_default().to_bytes_le();
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

fn object_class(class: &Class) -> String {
    let Class { oid, name, above, .. } = class;
    let mut text = format!("( {oid} NAME '{name}' ");
    if name != above {
        text.push_str(&format!("SUP {above} "));
    }
    text.push_str(match class.kind {
        ClassKind::Abstract => "ABSTRACT ",
        ClassKind::Auxiliary => "AUXILIARY ",
        ClassKind::Legacy | ClassKind::Structural => "STRUCTURAL ",
    });
    text.push_str(&list("MUST", &class.must));
    text.push_str(&list("MAY", &class.may));
    text.push(')');
    text
}

/// What the auxiliary classes add; nothing if a class has none.
fn content_rule(of: &Class) -> Option<String> {
    if of.auxiliary.is_empty() {
        return None;
    }
    let Class { oid, name, .. } = of;
    let added: Vec<&Class> = of.auxiliary.iter().filter_map(|name| class(name)).collect();
    let must: Vec<&str> = added.iter().flat_map(|class| &class.must).copied().collect();
    let may: Vec<&str> = added.iter().flat_map(|class| &class.may).copied().collect();
    let auxiliary = of.auxiliary.join(" $ ");
    let (must, may) = (list("MUST", &must), list("MAY", &may));
    Some(format!("( {oid} NAME '{name}' AUX ( {auxiliary} ) {must}{may})"))
}

fn list(word: &str, names: &[&str]) -> String {
    if names.is_empty() { String::new() } else { format!("{word} ({} ) ", names.join(" $ ")) }
}
