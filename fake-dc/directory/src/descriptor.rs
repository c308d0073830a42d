//! Security descriptors of entries ([MS-DTYP] 2.4.6): made from the class's default and what the
//! parent hands down when somebody asks, unless one is stored.
//!
//! They tell a client who may do what; the directory itself goes by the rules of `access`.

mod sddl;

use crate::{computed::class_of, domain::Domain, entry::Entry, sid::Sid, state::State};

/// Parts of a descriptor, bits of the SD flags control ([MS-ADTS] 3.1.1.3.4.1.11).
pub(crate) mod part {
    pub(crate) const OWNER: u32 = 1;
    pub(crate) const GROUP: u32 = 2;
    pub(crate) const DACL: u32 = 4;
    pub(crate) const SACL: u32 = 8;
    pub(crate) const ALL: u32 = OWNER | GROUP | DACL | SACL;
}

/// The parts that the control asks for: all of them without one, or without a bit.
pub(crate) fn wanted_parts(flags: Option<u32>) -> u32 {
    Some(flags.unwrap_or(0) & part::ALL).filter(|&parts| parts != 0).unwrap_or(part::ALL)
}

/// Bits of the control field ([MS-DTYP] 2.4.6).
mod control {
    pub(super) const OWNER_DEFAULTED: u16 = 0x1;
    pub(super) const GROUP_DEFAULTED: u16 = 0x2;
    pub(super) const DACL_PRESENT: u16 = 0x4;
    pub(super) const SACL_PRESENT: u16 = 0x10;
    pub(super) const DACL_INHERITED: u16 = 0x400;
    pub(super) const SACL_INHERITED: u16 = 0x800;
    pub(super) const DACL_PROTECTED: u16 = 0x1000;
    pub(super) const SACL_PROTECTED: u16 = 0x2000;
    pub(super) const SELF_RELATIVE: u16 = 0x8000;
    /// What belongs to each part.
    pub(super) const OF_DACL: u16 = 0x8 | DACL_PRESENT | 0x100 | DACL_INHERITED | DACL_PROTECTED;
    pub(super) const OF_SACL: u16 = 0x20 | SACL_PRESENT | 0x200 | SACL_INHERITED | SACL_PROTECTED;
}

/// Bits of an access control entry ([MS-DTYP] 2.4.4.1).
mod ace_flag {
    pub(super) const CONTAINER_INHERIT: u8 = 0x2;
    pub(super) const NO_PROPAGATE: u8 = 0x4;
    pub(super) const INHERIT_ONLY: u8 = 0x8;
    pub(super) const INHERITED: u8 = 0x10;
}

/// One security descriptor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Descriptor {
    control: u16,
    owner: Option<Sid>,
    group: Option<Sid>,
    dacl: Option<Vec<Ace>>,
    sacl: Option<Vec<Ace>>,
}

/// An access control entry. What follows its flags stays as it is, so that none is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Ace {
    kind: u8,
    flags: u8,
    body: Vec<u8>,
}

impl Ace {
    /// Where the SID stands, and the class of entries that the ACE is for.
    fn layout(&self) -> Option<(usize, Option<[u8; 16]>)> {
        // ACCESS_ALLOWED_OBJECT to SYSTEM_ALARM_OBJECT.
        if !(5..=8).contains(&self.kind) {
            return Some((4, None));
        }
        let present = self.body.get(4)?;
        let at = if present & 1 != 0 { 24 } else { 8 };
        if present & 2 == 0 {
            return Some((at, None));
        }
        Some((at + 16, self.body.get(at..at + 16)?.try_into().ok()))
    }

    /// The ACEs that a child of a class gets from one of its parent ([MS-DTYP] 2.5.3.4.1), its
    /// owner taking the place of CREATOR OWNER.
    fn handed_down(&self, class: Option<[u8; 16]>, owner: &Sid) -> Vec<Self> {
        if self.flags & ace_flag::CONTAINER_INHERIT == 0 {
            return Vec::new();
        }
        let Some((_, object)) = self.layout() else { return Vec::new() };
        let mut flags = (self.flags | ace_flag::INHERITED) & !ace_flag::INHERIT_ONLY;
        let ends = flags & ace_flag::NO_PROPAGATE != 0;
        if ends {
            flags &= !(0x1 | ace_flag::CONTAINER_INHERIT | ace_flag::NO_PROPAGATE);
        }
        let here = object.is_none() || object == class;
        let for_owner = self.with_owner(owner);
        let passed = Self { flags: flags | ace_flag::INHERIT_ONLY, ..self.clone() };
        match (here, for_owner) {
            (false, _) if ends => Vec::new(),
            (false, _) => vec![passed],
            (true, None) => vec![Self { flags, ..self.clone() }],
            (true, Some(ace)) => {
                let effective = Self { flags: ace_flag::INHERITED, ..ace };
                [Some(effective), Some(passed).filter(|_| !ends)].into_iter().flatten().collect()
            }
        }
    }

    /// The ACE for the owner, if it is for CREATOR OWNER.
    fn with_owner(&self, owner: &Sid) -> Option<Self> {
        let (at, _) = self.layout()?;
        let creator = Sid::new(3, &[0]);
        (self.body.get(at..)? == creator.as_bytes())
            .then(|| Self { body: [&self.body[..at], owner.as_bytes()].concat(), ..self.clone() })
    }
}

impl Descriptor {
    /// The descriptor of an entry: the stored one, or what the defaults make of it.
    pub(crate) fn of(domain: &Domain, state: &State, entry: &Entry) -> Self {
        // From the entry up to the one that has a descriptor or no parent.
        let mut line = vec![entry];
        let stored = |entry: &Entry| {
            entry.values("nTSecurityDescriptor").first().and_then(|value| Self::parse(value))
        };
        let mut above = stored(entry);
        while let Some(entry) = line.last().filter(|_| above.is_none()) {
            if domain.naming_contexts.contains(&entry.dn) {
                break;
            }
            let parent = entry.dn.parent().and_then(|dn| state.store.find(&dn));
            let Some(parent) = parent.and_then(|id| state.store.get(id)) else { break };
            above = stored(parent);
            line.push(parent);
        }
        let mut made = above;
        if made.is_some() {
            line.pop();
        }
        while let Some(entry) = line.pop() {
            made = Some(Self::made(domain, entry, made.as_ref()));
        }
        made.unwrap_or_default()
    }

    /// What the class's default and the parent give ([MS-ADTS] 6.1.3).
    fn made(domain: &Domain, entry: &Entry, parent: Option<&Self>) -> Self {
        let class = class_of(entry);
        let text = class.and_then(|class| class.descriptor).unwrap_or_default();
        let mut made = sddl::parse(text, &domain.sid).unwrap_or_default();
        let owner = made.owner.clone().unwrap_or_else(|| default_owner(domain, entry));
        let guid = class.and_then(|class| uuid::Uuid::try_parse(class.guid).ok());
        let guid = guid.map(|guid| guid.to_bytes_le());
        let extend = |own: &mut Option<Vec<Ace>>, above: Option<&Vec<Ace>>, protected: bool| {
            for ace in own.iter_mut().flatten() {
                if ace.flags & ace_flag::CONTAINER_INHERIT == 0
                    && let Some(for_owner) = ace.with_owner(&owner)
                {
                    *ace = for_owner;
                }
            }
            let handed: Vec<Ace> = above
                .into_iter()
                .flatten()
                .filter(|_| !protected)
                .flat_map(|ace| ace.handed_down(guid, &owner))
                .collect();
            if !handed.is_empty() {
                own.get_or_insert_default().extend(handed);
            }
        };
        let protected = |bit| made.control & bit != 0;
        let (closed, unaudited) =
            (protected(control::DACL_PROTECTED), protected(control::SACL_PROTECTED));
        extend(&mut made.dacl, parent.and_then(|parent| parent.dacl.as_ref()), closed);
        extend(&mut made.sacl, parent.and_then(|parent| parent.sacl.as_ref()), unaudited);
        made.control |= control::OWNER_DEFAULTED | control::GROUP_DEFAULTED;
        if made.dacl.is_some() {
            made.control |= control::DACL_PRESENT | control::DACL_INHERITED;
        }
        if made.sacl.is_some() {
            made.control |= control::SACL_PRESENT | control::SACL_INHERITED;
        }
        made.group.get_or_insert_with(|| owner.clone());
        made.owner.get_or_insert(owner);
        made
    }

    /// The parts alone.
    pub(crate) fn cut(mut self, parts: u32) -> Self {
        if parts & part::OWNER == 0 {
            self.owner = None;
            self.control &= !control::OWNER_DEFAULTED;
        }
        if parts & part::GROUP == 0 {
            self.group = None;
            self.control &= !control::GROUP_DEFAULTED;
        }
        if parts & part::DACL == 0 {
            self.dacl = None;
            self.control &= !control::OF_DACL;
        }
        if parts & part::SACL == 0 {
            self.sacl = None;
            self.control &= !control::OF_SACL;
        }
        self
    }

    /// The given parts in place of its own.
    pub(crate) fn with(self, given: Self) -> Self {
        let mut parts = 0;
        parts |= if given.owner.is_some() { part::OWNER } else { 0 };
        parts |= if given.group.is_some() { part::GROUP } else { 0 };
        parts |= if given.dacl.is_some() { part::DACL } else { 0 };
        parts |= if given.sacl.is_some() { part::SACL } else { 0 };
        let (given, kept) = (given.cut(parts), self.cut(part::ALL & !parts));
        Self {
            control: given.control | kept.control,
            owner: given.owner.or(kept.owner),
            group: given.group.or(kept.group),
            dacl: given.dacl.or(kept.dacl),
            sacl: given.sacl.or(kept.sacl),
        }
    }

    /// Reads the self-relative form; `None` if the bytes are no descriptor.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let header = bytes.first_chunk::<20>().filter(|header| header[0] == 1)?;
        let control = u16::from_le_bytes([header[2], header[3]]);
        let place = |at: usize| -> Option<usize> {
            let field = header.get(at..at + 4)?.try_into().ok()?;
            usize::try_from(u32::from_le_bytes(field)).ok()
        };
        let sid = |at: usize| match at {
            0 => Some(None),
            _ => {
                let count = usize::from(*bytes.get(at + 1)?);
                Sid::from_bytes(bytes.get(at..at + 8 + 4 * count)?).ok().map(Some)
            }
        };
        let acl = |at: usize, bit: u16| match at {
            0 => Some(None),
            _ if control & bit == 0 => Some(None),
            _ => read_acl(bytes.get(at..)?).map(Some),
        };
        if control & control::SELF_RELATIVE == 0 {
            return None;
        }
        Some(Self {
            control: control & !control::SELF_RELATIVE,
            owner: sid(place(4)?)?,
            group: sid(place(8)?)?,
            sacl: acl(place(12)?, control::SACL_PRESENT)?,
            dacl: acl(place(16)?, control::DACL_PRESENT)?,
        })
    }

    /// The self-relative form, parts in Samba's order.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let sid = |sid: &Option<Sid>| sid.as_ref().map(|sid| sid.as_bytes().to_vec());
        let acl = |acl: &Option<Vec<Ace>>| acl.as_ref().map(|acl| write_acl(acl));
        let parts = [sid(&self.owner), sid(&self.group), acl(&self.sacl), acl(&self.dacl)];
        let mut bytes = vec![1, 0];
        bytes.extend((self.control | control::SELF_RELATIVE).to_le_bytes());
        let mut at = 20_usize;
        for part in &parts {
            let place = if part.is_some() { at } else { 0 };
            bytes.extend(u32::try_from(place).unwrap_or(0).to_le_bytes());
            at += part.as_ref().map_or(0, Vec::len);
        }
        bytes.extend(parts.into_iter().flatten().flatten());
        bytes
    }
}

/// Who owns what nobody else is known to own: the administrators of the naming context
/// ([MS-ADTS] 6.1.3.4).
fn default_owner(domain: &Domain, entry: &Entry) -> Sid {
    const DOMAIN_ADMINS: u32 = 512;
    const SCHEMA_ADMINS: u32 = 518;
    const ENTERPRISE_ADMINS: u32 = 519;
    let configuration = domain.schema().parent();
    let rid = if entry.dn.is_at_or_below(domain.schema()) {
        SCHEMA_ADMINS
    } else if configuration.is_some_and(|above| entry.dn.is_at_or_below(&above)) {
        ENTERPRISE_ADMINS
    } else {
        DOMAIN_ADMINS
    };
    domain.sid.with_rid(rid)
}

fn read_acl(bytes: &[u8]) -> Option<Vec<Ace>> {
    let header = bytes.first_chunk::<8>().filter(|header| [2, 4].contains(&header[0]))?;
    let size = usize::from(u16::from_le_bytes([header[2], header[3]]));
    let mut rest = bytes.get(8..size)?;
    let mut aces = Vec::new();
    for _ in 0..u16::from_le_bytes([header[4], header[5]]) {
        let header = rest.first_chunk::<4>()?;
        let size = usize::from(u16::from_le_bytes([header[2], header[3]]));
        let body = rest.get(4..size)?.to_vec();
        let ace = Ace { kind: header[0], flags: header[1], body };
        let (at, _) = ace.layout()?;
        if (0..=8).contains(&ace.kind) {
            Sid::from_bytes(ace.body.get(at..)?).ok()?;
        }
        aces.push(ace);
        rest = &rest[size..];
    }
    Some(aces)
}

fn write_acl(aces: &[Ace]) -> Vec<u8> {
    let short = |number: usize| u16::try_from(number).unwrap_or(u16::MAX).to_le_bytes();
    let mut body = Vec::new();
    for ace in aces {
        body.extend([ace.kind, ace.flags]);
        body.extend(short(4 + ace.body.len()));
        body.extend(&ace.body);
    }
    // ACL_REVISION_DS.
    let mut bytes = vec![4, 0];
    bytes.extend(short(8 + body.len()));
    bytes.extend(short(aces.len()));
    bytes.extend([0, 0]);
    bytes.extend(body);
    bytes
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

    use super::*;
    use crate::schema;

    const DOMAIN: &str = "S-1-5-21-1-2-3";

    #[test]
    fn every_default_of_the_schema_is_understood() {
        let domain: Sid = DOMAIN.parse().unwrap();
        for class in schema::classes() {
            let Some(text) = class.descriptor else { continue };
            let read = sddl::parse(text, &domain);
            let read = read.unwrap_or_else(|| panic!("{}: {text}", class.name));
            let aces = read.dacl.iter().flatten().chain(read.sacl.iter().flatten()).count();
            assert_eq!(aces, text.matches('(').count(), "{}", class.name);
            assert_eq!(Descriptor::parse(&read.to_bytes()), Some(read), "{}", class.name);
        }
    }

    #[test]
    fn what_is_cut_off_leaves_no_trace() {
        let whole = sddl::parse("D:P(A;CI;GA;;;CO)S:(AU;SA;WP;;;WD)", &DOMAIN.parse().unwrap());
        let whole = Descriptor { owner: DOMAIN.parse().ok(), ..whole.unwrap() };
        assert_eq!(whole.clone().cut(part::ALL), whole);
        assert_eq!(whole.clone().cut(part::OWNER).to_bytes()[2..4], [0x00, 0x80]);
        assert_eq!(whole.clone().cut(part::DACL).control, 0x1004);
        assert_eq!(whole.cut(part::SACL).control, 0x10);
    }

    #[test]
    fn bytes_cut_short_are_no_descriptor() {
        let whole = sddl::parse(
            "D:(OA;;CR;ab721a53-1e2f-11d0-9819-00aa0040529b;;PS)",
            &DOMAIN.parse().unwrap(),
        );
        let bytes = whole.unwrap().to_bytes();
        for length in 0..bytes.len() {
            assert_eq!(Descriptor::parse(&bytes[..length]), None, "{length}");
        }
    }
}
