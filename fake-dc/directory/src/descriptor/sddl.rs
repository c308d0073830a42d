//! Reads the security descriptor definition language ([MS-DTYP] 2.5.1) as the schema uses it.

use uuid::Uuid;

use super::{Ace, Descriptor, control};
use crate::sid::Sid;

/// Reads the parts of `O:BAG:BAD:(A;;RP;;;AU)S:(AU;SA;WP;;;WD)`, names standing for SIDs of that domain;
/// `None` if the text is not understood.
pub(super) fn parse(text: &str, domain: &Sid) -> Option<Descriptor> {
    let mut read = Descriptor::default();
    let mut rest = text;
    while !rest.is_empty() {
        let (list, after) = rest.split_at_checked(2)?;
        if let "O:" | "G:" = list {
            let (name, after) = after.split_at_checked(2)?;
            let sid = Some(trustee(name, domain)?);
            if list == "O:" {
                read.owner = sid;
            } else {
                read.group = sid;
            }
            rest = after;
            continue;
        }
        let end = if list == "D:" { after.find("S:") } else { None }.unwrap_or(after.len());
        // A list ends where the next begins, after its last parenthesis.
        let (aces, next) = after.split_at(end);
        let (flags, aces) = aces.split_at(aces.find('(').unwrap_or(aces.len()));
        let aces = read_aces(aces, domain)?;
        let protected = flags.contains('P');
        match list {
            "D:" => {
                read.control |= control::DACL_PRESENT;
                read.control |= if protected { control::DACL_PROTECTED } else { 0 };
                read.dacl = Some(aces);
            }
            "S:" => {
                read.control |= control::SACL_PRESENT;
                read.control |= if protected { control::SACL_PROTECTED } else { 0 };
                read.sacl = Some(aces);
            }
            _ => return None,
        }
        rest = next;
    }
    Some(read)
}

fn read_aces(text: &str, domain: &Sid) -> Option<Vec<Ace>> {
    let texts = text.split(')').map(str::trim).filter(|text| !text.is_empty());
    texts.map(|text| read_ace(text.strip_prefix('(')?, domain)).collect()
}

/// `OA;CI;RP;<object>;<inherited object>;<trustee>`.
fn read_ace(text: &str, domain: &Sid) -> Option<Ace> {
    let fields: Vec<&str> = text.split(';').collect();
    let &[kind, flags, rights, object, inherited, trustee] = fields.as_slice() else { return None };
    let kind = match kind {
        "A" => 0,
        "D" => 1,
        "AU" => 2,
        "OA" => 5,
        "OD" => 6,
        "OU" => 7,
        _ => return None,
    };
    let flags = pairs(flags)?.into_iter().try_fold(0, |all, flag| Some(all | flag_bit(flag)?))?;
    let mask = match rights.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16).ok()?,
        None => pairs(rights)?.into_iter().try_fold(0, |all, name| Some(all | right(name)?))?,
    };
    let mut body = mask.to_le_bytes().to_vec();
    if kind >= 5 {
        let present = u32::from(!object.is_empty()) | u32::from(!inherited.is_empty()) << 1;
        body.extend(present.to_le_bytes());
        for guid in [object, inherited].into_iter().filter(|guid| !guid.is_empty()) {
            body.extend(Uuid::try_parse(guid).ok()?.to_bytes_le());
        }
    }
    body.extend(self::trustee(trustee, domain)?.as_bytes());
    Some(Ace { kind, flags, body })
}

/// `CIIO` as `CI` and `IO`.
fn pairs(text: &str) -> Option<Vec<&str>> {
    (0..text.len()).step_by(2).map(|at| text.get(at..at + 2)).collect()
}

fn flag_bit(name: &str) -> Option<u8> {
    Some(match name {
        "OI" => 0x1,
        "CI" => 0x2,
        "NP" => 0x4,
        "IO" => 0x8,
        "ID" => 0x10,
        "SA" => 0x40,
        "FA" => 0x80,
        _ => return None,
    })
}

/// A right; the generic ones as what they mean in a directory ([MS-ADTS] 5.1.3.2).
fn right(name: &str) -> Option<u32> {
    Some(match name {
        "CC" => 0x1,
        "DC" => 0x2,
        "LC" => 0x4,
        "SW" => 0x8,
        "RP" => 0x10,
        "WP" => 0x20,
        "DT" => 0x40,
        "LO" => 0x80,
        "CR" => 0x100,
        "SD" => 0x1_0000,
        "RC" => 0x2_0000,
        "WD" => 0x4_0000,
        "WO" => 0x8_0000,
        "GA" => 0xF_01FF,
        "GR" => 0x2_0094,
        "GW" => 0x2_0028,
        "GX" => 0x2_0004,
        _ => return None,
    })
}

fn trustee(name: &str, domain: &Sid) -> Option<Sid> {
    let builtin = |rid| Some(Sid::new(5, &[32, rid]));
    match name {
        "AN" => Some(Sid::new(5, &[7])),
        "AO" => builtin(548),
        "AU" => Some(Sid::new(5, &[11])),
        "BA" => builtin(544),
        "BG" => builtin(546),
        "BU" => builtin(545),
        "CA" => Some(domain.with_rid(517)),
        "CG" => Some(Sid::new(3, &[1])),
        "CO" => Some(Sid::new(3, &[0])),
        "DA" => Some(domain.with_rid(512)),
        "DC" => Some(domain.with_rid(515)),
        "DD" => Some(domain.with_rid(516)),
        "DG" => Some(domain.with_rid(514)),
        "DU" => Some(domain.with_rid(513)),
        "EA" => Some(domain.with_rid(519)),
        "ED" => Some(Sid::new(5, &[9])),
        "PA" => Some(domain.with_rid(520)),
        "PO" => builtin(550),
        "PS" => Some(Sid::new(5, &[10])),
        "RO" => Some(domain.with_rid(498)),
        "RS" => Some(domain.with_rid(553)),
        "RU" => builtin(554),
        "SA" => Some(domain.with_rid(518)),
        "SO" => builtin(549),
        "SY" => Some(Sid::new(5, &[18])),
        "WD" => Some(Sid::new(1, &[0])),
        _ => name.parse().ok(),
    }
}
