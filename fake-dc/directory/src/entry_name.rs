//! Names of entries in requests: DNs, and the extended forms that AD accepts as a search base.

use uuid::Uuid;

use crate::{
    dn::{Dn, DnError, without_spaces},
    sid::Sid,
};

/// How a request names an entry ([MS-ADTS] 3.1.1.3.1.2.4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum EntryName {
    /// By its DN.
    Dn(Dn),
    /// `<GUID=…>`.
    Guid(Uuid),
    /// `<SID=…>`.
    Sid(Sid),
    /// `<WKGUID=…,dn>`: what the entry of that DN lists as well known under that identifier.
    WellKnown { guid: String, container: Dn },
}

impl EntryName {
    pub(crate) fn parse(text: &str) -> Result<Self, DnError> {
        let trimmed = without_spaces(text);
        if !trimmed.starts_with('<') {
            return Dn::parse(text).map(Self::Dn);
        }
        extended(trimmed).ok_or_else(|| DnError { text: text.to_owned(), position: 0 })
    }

    /// Whether Samba 4.22 takes the text, too: names of attributes by letters alone, right before
    /// the equals sign, and commas between the components.
    pub(crate) fn is_strict(text: &str) -> bool {
        let name = |component: &str| match component.split_once('=') {
            Some((name, _)) => {
                let name = name.trim_start();
                name.starts_with('<')
                    || (!name.ends_with(' ') && !name.contains('.'))
                        && !name.starts_with(|first: char| first.is_ascii_digit())
            }
            None => true,
        };
        let separator = text.replace(">;", "").replace("\\;", "").contains(';');
        !separator && text.split(',').all(name)
    }

    /// Takes the plain DN out of `<GUID=…>;<SID=…>;dn`, which ldapsearch prints with the extended
    /// DN control.
    pub(crate) fn without_extensions(text: &str) -> &str {
        match text.rsplit_once(">;") {
            Some((head, dn)) if head.starts_with('<') => dn,
            _ => text,
        }
    }
}

fn extended(text: &str) -> Option<EntryName> {
    let dn = EntryName::without_extensions(text);
    if dn.len() < text.len() {
        return Dn::parse(dn).ok().map(EntryName::Dn);
    }
    let (kind, value) = text.strip_prefix('<')?.strip_suffix('>')?.split_once('=')?;
    match kind.to_ascii_uppercase().as_str() {
        "GUID" => guid_of_text(value).map(EntryName::Guid),
        "SID" => {
            let sid = value.parse().ok().or_else(|| Sid::from_bytes(&hexadecimal(value)?).ok());
            sid.map(EntryName::Sid)
        }
        "WKGUID" => {
            let (guid, dn) = value.split_once(',')?;
            let container = Dn::parse(dn).ok()?;
            Some(EntryName::WellKnown { guid: guid.to_ascii_uppercase(), container })
        }
        _ => None,
    }
}

/// A GUID as text with hyphens, or as the hexadecimal of its bytes.
fn guid_of_text(text: &str) -> Option<Uuid> {
    if text.contains('-') {
        return Uuid::try_parse(text).ok();
    }
    let bytes: [u8; 16] = hexadecimal(text)?.try_into().ok()?;
    Some(Uuid::from_bytes_le(bytes))
}

fn hexadecimal(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extended_names_are_read() {
        let by_text = EntryName::parse("<SID=S-1-5-21-2458790315-3472991661-1669985623-1103>");
        let by_hex =
            EntryName::parse("<SID=010500000000000515000000ab298e92ada501cf57f589634f040000>");
        assert_eq!(by_text, by_hex);
        assert!(matches!(by_text, Ok(EntryName::Sid(_))));
        let well_known = "<WKGUID=aa312825768811D1ADED00C04FD8D5CD,dc=LAB,dc=EXAMPLE>";
        assert!(matches!(EntryName::parse(well_known), Ok(EntryName::WellKnown { .. })));
        let whole = "<GUID=fcdec139-8acf-4661-ba8a-b18fbeca2ad4>;<SID=S-1-5-2>;CN=a,DC=x";
        assert_eq!(EntryName::parse(whole), Dn::parse("CN=a,DC=x").map(EntryName::Dn));
        assert!(EntryName::parse("<SID=>").is_err());
    }
}
