//! Random chains: certificates of a few names and keys that issue each other.

use crate::{
    gnutls::{Case, PEER},
    maker::{self, Ext, Spec, crl, name, utc},
};

/// Certificates of a few names and keys that issue each other, some sent, some trusted.
pub(crate) fn random_case(dice: &mut Dice) -> Case {
    let mut story = String::new();
    let authorities = 2 + dice.below(4);
    let names = ["A", "B", "C", "D"];
    let mut made: Vec<(String, Vec<u8>, Vec<u8>)> = Vec::new();
    let mut parents: Vec<(&str, u8)> = Vec::new();
    for index in 0..authorities {
        let subject = dice.pick(&names);
        let key = u8::try_from(1 + dice.below(5)).expect("small");
        let is_root = parents.is_empty() || dice.one_in(4);
        let (issuer, signer) = if is_root { (subject, key) } else { dice.pick(&parents) };
        let mut spec = Spec::new(subject, key, issuer, signer);
        story += &format!("{index}: {subject}{key} by {issuer}{signer}");
        decorate(dice, &mut spec, key, signer, &mut story);
        authority(dice, &mut spec, &mut story);
        made.push((subject.to_owned(), spec.serial.clone(), spec.der()));
        parents.push((subject, key));
        story.push('\n');
    }
    let (issuer, signer) = dice.pick(&parents);
    let mut leaf = Spec::new("leaf", 200, issuer, signer);
    story += &format!("leaf by {issuer}{signer}");
    decorate(dice, &mut leaf, 200, signer, &mut story);
    leaf_names(dice, &mut leaf, &mut story);
    let leaf_der = leaf.der();

    let mut sent = vec![leaf_der.clone()];
    story += "\nsent: leaf";
    for _ in 0..dice.below(6) {
        let index = dice.below(authorities) as usize;
        sent.push(made[index].2.clone());
        story += &format!(" {index}");
    }
    story += "\ntrusted:";
    let mut cafile = String::new();
    for (index, (_, _, bytes)) in made.iter().enumerate() {
        if dice.one_in(2) {
            cafile += &maker::pem("CERTIFICATE", bytes);
            story += &format!(" {index}");
        }
    }
    if dice.one_in(8) {
        cafile += &maker::pem("CERTIFICATE", &leaf_der);
        story += " leaf";
    }
    let mut crlfile = String::new();
    if dice.one_in(3) {
        story += "\ncrls:";
        for _ in 0..1 + dice.below(3) {
            let issuer = dice.pick(&names);
            let day = dice.pick(&["250101000000Z", "260101000000Z"]);
            let mut serials = vec![vec![9, 9]];
            if dice.one_in(2) {
                serials.push(if dice.one_in(2) { leaf.serial.clone() } else { dice.pick(&made).1 });
            }
            story += &format!(" {issuer} {day} {serials:?}");
            crlfile += &crl(&name(&[issuer]), day, &serials);
        }
    }
    Case { cafile, crlfile, sent, story }
}

/// Defects any certificate may have.
fn decorate(dice: &mut Dice, spec: &mut Spec, key: u8, signer: u8, story: &mut String) {
    let mut tell = |text: &str| *story += &format!(" {text}");
    match dice.below(10) {
        0 => {
            spec.validity[1] = utc("250101000000Z");
            tell("expired");
        }
        1 if dice.one_in(2) => {
            spec.validity[0] = utc("450101000000Z");
            tell("future");
        }
        _ => {}
    }
    if dice.one_in(2) {
        let id = if dice.one_in(6) { 77 } else { key };
        *spec = spec.clone().with(Ext::subject_key(&[id; 4]));
        tell(&format!("ski{id}"));
    }
    if dice.one_in(2) {
        let id = if dice.one_in(8) { 78 } else { signer };
        *spec = spec.clone().with(Ext::authority_key(&[id; 4]));
        tell(&format!("aki{id}"));
    }
    if dice.one_in(15) {
        spec.broken_signature = true;
        tell("broken");
    }
    if dice.one_in(12) {
        let features = dice.pick(&[vec![5], vec![5, 17], vec![17]]);
        tell(&format!("features{features:?}"));
        *spec = spec.clone().with(Ext::features(&features));
    }
    if dice.one_in(25) {
        *spec = spec.clone().with(Ext("1.2.3.4", dice.one_in(2), vec![5, 0]));
        tell("unknown-extension");
    }
    if dice.one_in(60) {
        *spec = spec.clone().with(Ext::usage(0x80)).with(Ext::usage(0x80));
        tell("duplicate");
    }
    if dice.one_in(50) {
        spec.inner_algorithm = maker::algorithm("1.2.840.113549.1.1.11");
        tell("mismatch");
    }
}

fn authority(dice: &mut Dice, spec: &mut Spec, story: &mut String) {
    let mut tell = |text: &str| *story += &format!(" {text}");
    match dice.below(16) {
        0 => tell("no-bc"),
        1 => {
            tell("ca-false");
            *spec = spec.clone().with(Ext::not_ca());
        }
        2 => {
            tell("bad-bc");
            *spec = spec.clone().with(Ext("2.5.29.19", true, vec![4, 1, 0]));
        }
        3 => {
            let length = dice.below(2) as u8;
            tell(&format!("pathlen{length}"));
            *spec = spec.clone().with(Ext::ca(Some(length)));
        }
        4 => {
            tell("v1");
            spec.version = None;
            spec.extensions = None;
        }
        _ => *spec = spec.clone().with(Ext::ca(None)),
    }
    if spec.extensions.is_none() {
        return;
    }
    match dice.below(8) {
        0 => {
            tell("ku-sign");
            *spec = spec.clone().with(Ext::usage(0x04));
        }
        1 if dice.one_in(2) => {
            tell("ku-none");
            *spec = spec.clone().with(Ext::usage(0x80));
        }
        _ => {}
    }
    if dice.one_in(6) {
        let names: [(u8, &[u8]); 12] = [
            (0x82, b"ad.example.test"),
            (0x82, b".ad.example.test"),
            (0x82, b"AD.Example.Test"),
            (0x82, b"other.test"),
            (0x82, b"d.example.test"),
            (0x82, b""),
            (0x87, &[192, 0, 2, 0, 255, 255, 255, 0]),
            (0x87, &[10, 0, 0, 0, 255, 0, 0, 0]),
            (0x81, b"example.test"),
            (0x81, b".example.test"),
            (0x86, b"example.test"),
            (0x86, b"other.test"),
        ];
        let mut list = |chance: u32| -> Vec<(u8, &[u8])> {
            let count = if dice.one_in(chance) { 0 } else { 1 + dice.below(2) };
            (0..count).map(|_| dice.pick(&names)).collect()
        };
        let (permitted, excluded) = (list(3), list(2));
        let show = |list: &[(u8, &[u8])]| {
            let texts: Vec<_> = list
                .iter()
                .map(|(tag, value)| format!("{tag:x}:{}", String::from_utf8_lossy(value)))
                .collect();
            texts.join("|")
        };
        tell(&format!("nc+{}-{}", show(&permitted), show(&excluded)));
        *spec = spec.clone().with(Ext::constraints(&permitted, &excluded));
    }
}

fn leaf_names(dice: &mut Dice, leaf: &mut Spec, story: &mut String) {
    if dice.one_in(3) {
        let names = dice.pick(&[
            vec!["leaf"],
            vec![PEER],
            vec!["*.ad.example.test"],
            vec![PEER, "other"],
            vec![],
            vec!["dc1.ad.example.test\0.bad"],
        ]);
        *story += &format!(" cn{names:?}");
        leaf.subject = name(&names);
    }
    let choices: [(u8, &[u8]); 14] = [
        (0x82, PEER.as_bytes()),
        (0x82, b"DC1.AD.EXAMPLE.TEST"),
        (0x82, b"*.ad.example.test"),
        (0x82, b"*1.ad.example.test"),
        (0x82, b"dc1.ad.example.test."),
        (0x82, b"other.test"),
        (0x82, b"dc1.ad.example.test\0"),
        (0x87, &[192, 0, 2, 10]),
        (0x81, b"admin@example.test"),
        (0x81, b"admin@mail.example.test"),
        (0x86, b"https://example.test/"),
        (0x88, &[0x2a, 3, 4]),
        (0xa4, b"\x30\x00"),
        (0x82, b""),
    ];
    let count = dice.below(3);
    if count > 0 || dice.one_in(4) {
        let names: Vec<_> = (0..count)
            .map(|_| {
                if dice.one_in(2) {
                    choices[0]
                } else if dice.one_in(10) {
                    choices[13]
                } else {
                    dice.pick(&choices[..13])
                }
            })
            .collect();
        let texts: Vec<_> = names
            .iter()
            .map(|(tag, value)| format!("{tag:x}:{}", String::from_utf8_lossy(value)))
            .collect();
        *story += &format!(" san{texts:?}");
        *leaf = leaf.clone().with(Ext::names(&names));
    }
    if dice.one_in(6) {
        let purposes = dice.pick(&[
            vec!["1.3.6.1.5.5.7.3.2"],
            vec!["1.3.6.1.5.5.7.3.1"],
            vec!["2.5.29.37.0"],
            vec![],
        ]);
        *story += &format!(" eku{purposes:?}");
        *leaf = leaf.clone().with(Ext::purposes(&purposes));
    }
}

/// SplitMix64: the same case for the same number, everywhere.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((word ^ word >> 31) % u64::from(limit)) as u32
    }

    fn one_in(&mut self, chances: u32) -> bool {
        self.below(chances) == 0
    }

    fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        let index = self.below(u32::try_from(from.len()).expect("few")) as usize;
        from[index].clone()
    }
}
