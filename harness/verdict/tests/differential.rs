//! Random chains, judged by this crate and by GnuTLS itself.
//!
//! `gnutls/judge.c` is built against the installed libgnutls. Where there is no C compiler or no
//! libgnutls the test says so and does nothing.

#[path = "support/maker.rs"]
mod maker;
mod support;

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use ground::Timestamp;
use trust_verdict::{
    Class, Client, ClientConfig, PeerName, PemFile, Presented, StatusBits, TlsOffer, TlsVersion,
    TrustFiles, Verdict, VerifyPeer,
};

use maker::{Ext, Spec, crl, der, name, utc};

/// Chains judged by both.
const CHAINS: u32 = 6_000;
const PEER: &str = "dc1.ad.example.test";

/// GnuTLS in a process of its own.
struct Gnutls {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Gnutls {
    /// Builds and starts it; `None` if the machine cannot.
    fn start() -> Option<Self> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gnutls/judge.c");
        let program = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("gnutls-judge-{:?}", std::thread::current().id()));
        let built = Command::new("cc").arg(source).arg("-o").arg(&program).arg("-lgnutls").output();
        if !built.is_ok_and(|output| output.status.success()) {
            support::skip("needs a C compiler and libgnutls (Debian: libgnutls28-dev)");
            return None;
        }
        let mut process = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program that was just built");
        let questions = process.stdin.take().expect("piped");
        let answers = BufReader::new(process.stdout.take().expect("piped"));
        Some(Self { process, questions, answers })
    }

    fn ask(&mut self, kind: u8, fields: &[&[u8]]) -> String {
        let mut bytes = vec![kind];
        for field in fields {
            bytes.extend(u32::try_from(field.len()).expect("a short field").to_be_bytes());
            bytes.extend(*field);
        }
        self.questions.write_all(&bytes).expect("GnuTLS takes questions");
        self.questions.flush().expect("GnuTLS takes questions");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("GnuTLS answers");
        line.trim().to_owned()
    }

    fn verify(&mut self, case: &Case, at: Timestamp) -> String {
        let (time, count) = (at.unix().to_string(), case.sent.len().to_string());
        let mut fields: Vec<&[u8]> =
            vec![time.as_bytes(), case.cafile.as_bytes(), case.crlfile.as_bytes()];
        fields.push(PEER.as_bytes());
        fields.push(count.as_bytes());
        fields.extend(case.sent.iter().map(Vec::as_slice));
        self.ask(b'V', &fields)
    }
}

impl Drop for Gnutls {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to stop.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[derive(Clone, Debug)]
struct Case {
    cafile: String,
    crlfile: String,
    sent: Vec<Vec<u8>>,
    story: String,
}

impl Case {
    fn judge(&self, at: Timestamp) -> String {
        let crlfile = Some(&self.crlfile).filter(|text| !text.is_empty());
        let config = ClientConfig {
            mode: VerifyPeer::CaAndName,
            trust: TrustFiles {
                cafile: Some(PemFile::new("cafile", self.cafile.as_str())),
                crlfile: crlfile.map(|text| PemFile::new("crlfile", text.as_str())),
                ..TrustFiles::default()
            },
            priority: "NORMAL".to_owned(),
        };
        let peer = PeerName::new(PEER);
        let verdict = match Client::new(config) {
            Ok(client) => {
                let sent = Presented { certificates: self.sent.clone(), tls: TlsVersion::Tls13 };
                client.judge(&peer, &sent, at)
            }
            Err(error) => error.verdict(&peer, at),
        };
        self.answer(&verdict)
    }

    fn has_repeats(&self) -> bool {
        self.sent.iter().enumerate().any(|(place, der)| self.sent[..place].contains(der))
    }

    /// The verdict as the C program tells it.
    fn answer(&self, verdict: &Verdict) -> String {
        let error = verdict.gnutls.map_or("", |error| error.name());
        match verdict.class {
            Class::Accept | Class::BindingError => "0x0".to_owned(),
            // Stapling is looked at one storey higher than the function that is called there.
            Class::Reject => {
                match verdict.status.bits() & !StatusBits::MISSING_OCSP_STATUS.bits() {
                    2 if verdict.status.has(StatusBits::MISSING_OCSP_STATUS) => "0x0".to_owned(),
                    bits => format!("{bits:#x}"),
                }
            }
            Class::ConfigError if error.is_empty() => "no trust".to_owned(),
            Class::ConfigError => {
                let is_cafile = verdict.words(0).stderr[0].contains("cafile");
                format!("{} {error}", if is_cafile { "cafile" } else { "crlfile" })
            }
            Class::TlsError | Class::VerifyError => format!("certificate {error}"),
        }
    }
}

#[test]
fn random_chains_agree_with_gnutls() {
    let Some(mut gnutls) = Gnutls::start() else { return };
    let at = support::now();
    let mut disagreements = Vec::new();
    let mut repeats = (0, 0);
    for number in 0..CHAINS {
        let mut dice = Dice(u64::from(number));
        let case = random_case(&mut dice);
        let (ours, theirs) = (case.judge(at), gnutls.verify(&case, at));
        let agrees = ours == theirs || ours == "no trust" && case.cafile.is_empty();
        if case.has_repeats() {
            // samba-tls-verify.md §13: what GnuTLS makes of repeats in unfinished chains is not
            // fully known. The usual repeats agree; the rest is counted.
            repeats.0 += u32::from(agrees);
            repeats.1 += 1;
        } else if !agrees {
            disagreements.push(format!("{number}: ours {ours}, GnuTLS {theirs}\n{}", case.story));
        }
    }
    let (alike, all) = repeats;
    let agreeing = CHAINS as usize - all as usize - disagreements.len();
    support::say(&format!(
        "GnuTLS: {agreeing} of {} chains agree, and {alike} of {all} with repeated certificates",
        CHAINS - all
    ));
    assert!(alike * 100 >= all * 97, "chains with repeated certificates: {alike} of {all} agree");
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
}

/// SplitMix64.
struct Dice(u64);

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

/// Certificates of a few names and keys that issue each other, some sent, some trusted.
fn random_case(dice: &mut Dice) -> Case {
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

#[test]
fn odd_certificates_agree_with_gnutls() {
    let Some(mut gnutls) = Gnutls::start() else { return };
    let at = support::now();
    let root = Spec::root("root", 1);
    let mut wrong = Vec::new();
    for (title, leaf) in odd_leaves() {
        let case = Case {
            cafile: root.pem(),
            crlfile: String::new(),
            sent: vec![leaf],
            story: String::new(),
        };
        let (ours, theirs) = (case.judge(at), gnutls.verify(&case, at));
        if ours != theirs {
            wrong.push(format!("{title}: ours {ours}, GnuTLS {theirs}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn odd_leaves() -> Vec<(&'static str, Vec<u8>)> {
    let leaf = || Spec::leaf("root", 1);
    let edit = |change: &dyn Fn(&mut Spec)| {
        let mut spec = leaf();
        change(&mut spec);
        spec.der()
    };
    let ext = |oid: &'static str, value: &[u8]| leaf().with(Ext(oid, false, value.to_vec())).der();
    let san = |names: &[(u8, &[u8])]| Spec::new(PEER, 200, "root", 1).with(Ext::names(names)).der();
    let raw_san = |value: &[u8]| {
        Spec::new(PEER, 200, "root", 1).with(Ext("2.5.29.17", false, value.to_vec())).der()
    };
    let long = vec![b'a'; 300];
    let long_email = [&long[..], b"@x"].concat();
    let mut trailing = leaf().der();
    trailing.push(0);
    let mut cut = leaf().der();
    cut.pop();
    vec![
        ("sound", leaf().der()),
        ("trailing octet", trailing),
        ("cut", cut),
        ("empty", Vec::new()),
        ("garbage", b"garbage".to_vec()),
        ("not a certificate", der(0x30, &[2, 1, 1])),
        (
            "version 1",
            edit(&|s| {
                s.version = None;
                s.extensions = None;
            }),
        ),
        ("version 1 with extensions", edit(&|s| s.version = None)),
        ("version 2 with extensions", edit(&|s| s.version = Some(1))),
        (
            "version 2",
            edit(&|s| {
                s.version = Some(1);
                s.extensions = None;
            }),
        ),
        ("version 4", edit(&|s| s.version = Some(3))),
        ("version 200", edit(&|s| s.version = Some(200))),
        (
            "version 1 with empty extensions",
            edit(&|s| {
                s.version = None;
                s.extensions = Some(vec![]);
            }),
        ),
        ("empty extensions", edit(&|s| s.extensions = Some(vec![]))),
        ("negative serial", edit(&|s| s.serial = vec![0xff])),
        ("zero serial", edit(&|s| s.serial = vec![0])),
        ("padded serial", edit(&|s| s.serial = vec![0, 0, 1])),
        ("long serial", edit(&|s| s.serial = vec![1; 60])),
        ("empty serial", edit(&|s| s.serial = vec![])),
        ("no seconds", edit(&|s| s.validity[0] = utc("2401010000Z"))),
        ("no Z", edit(&|s| s.validity[0] = utc("240101000000"))),
        ("offset", edit(&|s| s.validity[0] = utc("240101000000+0100"))),
        ("month 13", edit(&|s| s.validity[0] = utc("241301000000Z"))),
        ("day 0", edit(&|s| s.validity[0] = utc("240100000000Z"))),
        ("day 31 of February", edit(&|s| s.validity[0] = utc("240231000000Z"))),
        ("day 32", edit(&|s| s.validity[0] = utc("240132000000Z"))),
        ("hour 25", edit(&|s| s.validity[0] = utc("240101250000Z"))),
        ("minute 61", edit(&|s| s.validity[0] = utc("240101006100Z"))),
        ("second 61", edit(&|s| s.validity[0] = utc("240101000061Z"))),
        ("second 60", edit(&|s| s.validity[0] = utc("240101000060Z"))),
        ("minute 60", edit(&|s| s.validity[0] = utc("240101006000Z"))),
        ("hour 24", edit(&|s| s.validity[0] = utc("240101240000Z"))),
        ("ends 1969", edit(&|s| s.validity[1] = utc("691231235959Z"))),
        ("too long", edit(&|s| s.validity[0] = utc("24010100000000Z"))),
        ("one second digit", edit(&|s| s.validity[0] = utc("24010100000Z"))),
        ("no minutes", edit(&|s| s.validity[0] = utc("24010100Z"))),
        ("generalized month 13", edit(&|s| s.validity[0] = maker::generalized("20241301000000Z"))),
        ("generalized day 0", edit(&|s| s.validity[0] = maker::generalized("20240100000000Z"))),
        ("generalized no seconds", edit(&|s| s.validity[0] = maker::generalized("202401010000Z"))),
        ("generalized no minutes", edit(&|s| s.validity[0] = maker::generalized("2024010100Z"))),
        (
            "generalized 1960 month 13",
            edit(&|s| s.validity[0] = maker::generalized("19601301000000Z")),
        ),
        ("generalized ends 1960", edit(&|s| s.validity[1] = maker::generalized("19600101000000Z"))),
        ("generalized ends 1970", edit(&|s| s.validity[1] = maker::generalized("19700101000000Z"))),
        ("generalized year 0", edit(&|s| s.validity[0] = maker::generalized("00000101000000Z"))),
        ("version padded", edit_version(&[0, 2])),
        ("version large", edit_version(&[1, 2])),
        ("version negative", edit_version(&[0xff])),
        ("version empty", edit_version(&[])),
        ("letters", edit(&|s| s.validity[0] = utc("24010100000aZ"))),
        ("letters first", edit(&|s| s.validity[0] = utc("aa0101000000Z"))),
        ("short", edit(&|s| s.validity[0] = utc("24"))),
        ("empty time", edit(&|s| s.validity[0] = utc(""))),
        ("1950", edit(&|s| s.validity[0] = utc("500101000000Z"))),
        ("1969", edit(&|s| s.validity[0] = utc("691231235959Z"))),
        ("generalized", edit(&|s| s.validity[0] = maker::generalized("20240101000000Z"))),
        ("generalized 1960", edit(&|s| s.validity[0] = maker::generalized("19600101000000Z"))),
        (
            "generalized offset",
            edit(&|s| s.validity[0] = maker::generalized("20240101000000+0100")),
        ),
        (
            "generalized fraction",
            edit(&|s| s.validity[0] = maker::generalized("20240101000000.5Z")),
        ),
        ("year 9999", edit(&|s| s.validity[1] = maker::generalized("99991231235959Z"))),
        ("a number as time", edit(&|s| s.validity[0] = der(2, &[1]))),
        ("unique ids", edit(&|s| s.unique_ids = [der(0x81, &[0, 1]), der(0x82, &[0, 2])].concat())),
        (
            "unique ids in version 1",
            edit(&|s| {
                s.version = None;
                s.extensions = None;
                s.unique_ids = der(0x81, &[0, 1]);
            }),
        ),
        ("empty subject", edit(&|s| s.subject = name(&[]))),
        ("empty set in subject", edit(&|s| s.subject = der(0x30, &der(0x31, &[])))),
        ("broken subject", edit(&|s| s.subject = der(0x30, &der(0x31, &[1, 2, 3])))),
        ("inner algorithm", edit(&|s| s.inner_algorithm = maker::algorithm("1.2.3"))),
        (
            "inner parameters",
            edit(&|s| {
                s.inner_algorithm = maker::sequence(&[maker::oid("1.3.101.112"), der(5, &[])]);
            }),
        ),
        (
            "inner integer parameter",
            edit(&|s| {
                s.inner_algorithm = maker::sequence(&[maker::oid("1.3.101.112"), der(2, &[1])]);
            }),
        ),
        (
            "unknown algorithm",
            edit(&|s| {
                s.inner_algorithm = maker::algorithm("1.2.3.4");
                s.outer_algorithm = maker::algorithm("1.2.3.4");
            }),
        ),
        (
            "RSA signature, Ed25519 issuer",
            edit(&|s| {
                s.inner_algorithm = maker::algorithm("1.2.840.113549.1.1.11");
                s.outer_algorithm = maker::algorithm("1.2.840.113549.1.1.11");
            }),
        ),
        (
            "MD5 signature, Ed25519 issuer",
            edit(&|s| {
                s.inner_algorithm = maker::algorithm("1.2.840.113549.1.1.4");
                s.outer_algorithm = maker::algorithm("1.2.840.113549.1.1.4");
            }),
        ),
        (
            "MD2 signature",
            edit(&|s| {
                s.inner_algorithm = maker::algorithm("1.2.840.113549.1.1.2");
                s.outer_algorithm = maker::algorithm("1.2.840.113549.1.1.2");
            }),
        ),
        (
            "OIW SHA-1",
            edit(&|s| {
                s.inner_algorithm = maker::algorithm("1.3.14.3.2.29");
                s.outer_algorithm = maker::algorithm("1.3.14.3.2.29");
            }),
        ),
        (
            "RIPEMD",
            edit(&|s| {
                s.inner_algorithm = maker::algorithm("1.3.36.3.3.1.2");
                s.outer_algorithm = maker::algorithm("1.3.36.3.3.1.2");
            }),
        ),
        (
            "Ed448 signature",
            edit(&|s| {
                s.inner_algorithm = maker::algorithm("1.3.101.113");
                s.outer_algorithm = maker::algorithm("1.3.101.113");
            }),
        ),
        (
            "PSS without parameters",
            edit(&|s| {
                s.inner_algorithm = maker::algorithm("1.2.840.113549.1.1.10");
                s.outer_algorithm = maker::algorithm("1.2.840.113549.1.1.10");
            }),
        ),
        ("undecodable constraints", ext("2.5.29.30", &[1, 2, 3])),
        ("undecodable usage", ext("2.5.29.15", &[4, 1, 0])),
        ("empty usage", ext("2.5.29.15", &[3, 1, 0])),
        ("undecodable purposes", ext("2.5.29.37", &[4, 1, 0])),
        ("undecodable key id", ext("2.5.29.35", &[4, 1, 0])),
        ("empty key id", ext("2.5.29.35", &[0x30, 0])),
        ("undecodable features", ext("1.3.6.1.5.5.7.1.24", &[4, 1, 0])),
        ("empty value", ext("2.5.29.19", &[])),
        ("empty critical value", leaf().with(Ext("2.5.29.19", true, vec![])).der()),
        ("critical policy constraints", leaf().with(Ext("2.5.29.36", true, vec![0x30, 0])).der()),
        ("critical policy mappings", leaf().with(Ext("2.5.29.33", true, vec![0x30, 0])).der()),
        ("critical inhibit any", leaf().with(Ext("2.5.29.54", true, vec![2, 1, 0])).der()),
        ("critical policies", leaf().with(Ext("2.5.29.32", true, vec![0x30, 0])).der()),
        ("critical distribution", leaf().with(Ext("2.5.29.31", true, vec![0x30, 0])).der()),
        ("critical issuer name", leaf().with(Ext("2.5.29.18", true, vec![0x30, 0])).der()),
        ("critical access", leaf().with(Ext("1.3.6.1.5.5.7.1.1", true, vec![0x30, 0])).der()),
        ("critical proxy", leaf().with(Ext("1.3.6.1.5.5.7.1.14", true, vec![0x30, 0])).der()),
        ("critical features", leaf().with(Ext("1.3.6.1.5.5.7.1.24", true, vec![0x30, 0])).der()),
        ("critical private key period", leaf().with(Ext("2.5.29.16", true, vec![0x30, 0])).der()),
        (
            "critical netscape type",
            leaf().with(Ext("2.16.840.1.113730.1.1", true, vec![5, 0])).der(),
        ),
        ("critical subject directory", leaf().with(Ext("2.5.29.9", true, vec![0x30, 0])).der()),
        ("critical freshest", leaf().with(Ext("2.5.29.46", true, vec![0x30, 0])).der()),
        (
            "critical subject access",
            leaf().with(Ext("1.3.6.1.5.5.7.1.11", true, vec![0x30, 0])).der(),
        ),
        (
            "critical timestamps",
            leaf().with(Ext("1.3.6.1.4.1.11129.2.4.2", true, vec![4, 0])).der(),
        ),
        (
            "unknown twice",
            leaf()
                .with(Ext("1.2.3", false, vec![5, 0]))
                .with(Ext("1.2.3", false, vec![5, 0]))
                .der(),
        ),
        ("two names extensions", leaf().with(Ext::dns(&["x"])).der()),
        ("name extension empty", raw_san(&[0x30, 0])),
        ("name extension zero octets", raw_san(&[])),
        ("name extension not a list", raw_san(&[4, 1, 0])),
        ("name extension trailing", raw_san(&[0x30, 0, 0])),
        ("name of unknown form", san(&[(0x89, b"x")])),
        ("x400", san(&[(0xa3, b"")])),
        ("edi", san(&[(0xa5, b"")])),
        ("edi with party", san(&[(0xa5, &[0xa1, 3, 0x0c, 1, b'x'])])),
        ("empty dns", san(&[(0x82, b"")])),
        ("empty email", san(&[(0x81, b"")])),
        ("empty uri", san(&[(0x86, b"")])),
        ("empty ip", san(&[(0x87, b"")])),
        ("odd ip", san(&[(0x87, b"123")])),
        ("ip blocks the common name", san(&[(0x87, &[192, 0, 2, 10])])),
        ("uri and common name", san(&[(0x86, b"https://x/")])),
        ("email and common name", san(&[(0x81, b"a@b")])),
        ("registered id", san(&[(0x88, &[0x2a, 3])])),
        ("empty registered id", san(&[(0x88, b"")])),
        ("directory", san(&[(0xa4, &[0x30, 0])])),
        ("broken directory", san(&[(0xa4, &[1])])),
        (
            "upn",
            san(&[(
                0xa0,
                &[maker::oid("1.3.6.1.4.1.311.20.2.3"), der(0xa0, &der(12, b"u@x"))].concat(),
            )]),
        ),
        (
            "srv",
            san(&[(
                0xa0,
                &[maker::oid("1.3.6.1.5.5.7.8.7"), der(0xa0, &der(22, b"_ldap.x"))].concat(),
            )]),
        ),
        ("other name without value", san(&[(0xa0, &maker::oid("1.2.3"))])),
        (
            "other name with empty value",
            san(&[(0xa0, &[maker::oid("1.2.3"), der(0xa0, &[])].concat())]),
        ),
        ("long email", san(&[(0x81, &long_email)])),
        ("long dns", san(&[(0x82, &long)])),
        ("long dns, then right", san(&[(0x82, &long), (0x82, PEER.as_bytes())])),
        (
            "long other name",
            san(&[(0xa0, &[maker::oid("1.2.3"), der(0xa0, &der(12, &long))].concat())]),
        ),
        ("long registered id", san(&[(0x88, &[0x2a; 300])])),
        ("long directory", san(&[(0xa4, &name(&[&"a".repeat(300)]))])),
        ("nul in dns", san(&[(0x82, b"dc1.ad.example.test\0x"), (0x82, PEER.as_bytes())])),
        ("latin dns", san(&[(0x82, b"dc\xe4.test")])),
        ("boolean of two octets", leaf_with_boolean(&[0xff, 0xff])),
        ("boolean of value 1", leaf_with_boolean(&[1])),
        ("boolean false", leaf_with_boolean(&[0])),
        ("signature with spare bits", spare_bits()),
        ("length not minimal", long_length()),
        ("no serial", without_field(1)),
        ("no algorithm", without_field(2)),
        ("no issuer", without_field(3)),
        ("no validity", without_field(4)),
        ("no subject", without_field(5)),
        ("no key", without_field(6)),
    ]
}

fn edit_version(number: &[u8]) -> Vec<u8> {
    resign(&|body| {
        let found = body.windows(5).position(|window| window == [0xa0, 3, 2, 1, 2]).expect("there");
        body.splice(found..found + 5, der(0xa0, &der(2, number)));
    })
}

/// The body without one of its fields.
fn without_field(number: usize) -> Vec<u8> {
    resign(&|body| {
        let mut at = 0;
        for _ in 0..number {
            at += 2 + usize::from(body[at + 1]);
        }
        body.drain(at..at + 2 + usize::from(body[at + 1]));
    })
}

fn leaf_with_boolean(content: &[u8]) -> Vec<u8> {
    // The writer makes sound flags only, so one is put where a value's octets would be.
    let flagged = maker::sequence(&[maker::oid("1.2.3"), der(1, content), der(4, &[5, 0])]);
    resign(&|body: &mut Vec<u8>| {
        let list = der(0xa3, &maker::sequence(std::slice::from_ref(&flagged)));
        body.extend(list);
    })
}

fn resign(change: &dyn Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut spec = Spec::leaf("root", 1);
    spec.subject = name(&[PEER]);
    let mut body = [
        der(0xa0, &der(2, &[2])),
        der(2, &[5]),
        spec.inner_algorithm.clone(),
        spec.issuer.clone(),
        maker::sequence(&spec.validity),
        spec.subject.clone(),
        spec.spki.clone(),
    ]
    .concat();
    change(&mut body);
    let tbs = der(0x30, &body);
    let signature = maker::key(1).sign(&tbs).as_ref().to_vec();
    maker::sequence(&[tbs, spec.outer_algorithm, der(3, &[&[0], &signature[..]].concat())])
}

fn spare_bits() -> Vec<u8> {
    let mut bytes = resign(&|_| {});
    let at = bytes.len() - 65;
    bytes[at] = 1;
    bytes
}

fn long_length() -> Vec<u8> {
    resign(&|body| {
        let list =
            maker::sequence(&[maker::sequence(&[maker::oid("1.2.3"), vec![4, 0x81, 2, 5, 0]])]);
        body.extend(der(0xa3, &list));
    })
}

#[test]
fn trust_files_agree_with_gnutls() {
    let Some(mut gnutls) = Gnutls::start() else { return };
    let at = support::now();
    let (root, leaf) = (Spec::root("root", 1), Spec::leaf("root", 1).der());
    let (good, other) = (root.pem(), Spec::root("other", 2).pem());
    let old = good.replace("CERTIFICATE", "X509 CERTIFICATE");
    let broken = good.replace("MII", "M!I").replace("MIH", "M!H");
    let texts = [
        good.clone(),
        other.clone(),
        old.clone(),
        format!("{old}{other}"),
        format!("{other}{old}"),
        format!("{other}{old}{other}"),
        format!("{broken}{good}"),
        format!("{good}{broken}"),
        format!("{broken}{old}"),
        good.replace('\n', "\r\n"),
        format!("text before {good} text after"),
        good.replace("CERTIFICATE", "TRUSTED CERTIFICATE") + &other,
        good.replace("CERTIFICATE", "CERTIFICATE REQUEST"),
        maker::pem("CERTIFICATE", b"garbage"),
        maker::pem("CERTIFICATE", &[0x30, 0]),
        format!("{other}-----BEGIN CERTIFICATE"),
        format!("{other}-----BEGIN CERTIFICATE-----\n"),
        format!("{other}-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"),
        good.replace("-----END CERTIFICATE-----", ""),
        good.replace("END CERTIFICATE", "END"),
        good.replace("-----END", "=-----END"),
        good.replace("-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----\nA: b\n\n"),
        good.replace("-----BEGIN CERTIFICATE-----\n", "-----BEGIN CERTIFICATE-----"),
        good.replace("-----END", "\n\n \t\n-----END"),
        good.replace("-----BEGIN", "----BEGIN") + &other,
        format!("{good}{good}"),
    ];
    let crls = [
        String::new(),
        "text".to_owned(),
        good.clone(),
        crl(&name(&["root"]), "250101000000Z", &[vec![200, 1, 1]]),
        crl(&name(&["root"]), "250101000000Z", &[]),
        maker::pem("X509 CRL", b"garbage"),
        crl(&name(&["root"]), "250101000000Z", &[vec![200, 1, 1]])
            + &crl(&name(&["root"]), "250101000000Z", &[]),
        crl(&name(&["root"]), "250102000000Z", &[vec![200, 1, 1]])
            + &crl(&name(&["root"]), "250101000000Z", &[]),
        crl(&name(&["root"]), "250101000000Z", &[vec![0, 200, 1, 1]]),
        crl(&name(&["root"]), "250101000000Z", &[]).replace("X509 CRL", "CRL"),
        crl(&name(&["root"]), "250101000000Z", &[]).replace("MI", "M!"),
    ];
    let mut wrong = Vec::new();
    let mut compare = |cafile: &String, crlfile: &String| {
        let case = Case {
            cafile: cafile.clone(),
            crlfile: crlfile.clone(),
            sent: vec![leaf.clone()],
            story: String::new(),
        };
        let (ours, theirs) = (case.judge(at), gnutls.verify(&case, at));
        let is_empty = ours == "no trust" && theirs == "0x42";
        if ours != theirs && !is_empty {
            wrong.push(format!("ours {ours}, GnuTLS {theirs}:\n{cafile}{crlfile}"));
        }
    };
    for text in &texts {
        compare(text, &String::new());
    }
    for text in &crls {
        compare(&good, text);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn priority_strings_agree_with_gnutls() {
    let Some(mut gnutls) = Gnutls::start() else { return };
    let mut wrong = Vec::new();
    let mut strings: Vec<String> = [
        "",
        "NORMAL",
        "normal",
        " NORMAL",
        "NORMAL:",
        "NORMAL ",
        "FOO",
        "NONE",
        "NONE:",
        "+RSA",
        "NORMAL:+NORMAL",
        "NORMAL:-NORMAL",
        "NORMAL::",
        "NORMAL: +RSA",
        "NORMAL:+ RSA",
        "NORMAL:RSA",
        "-VERS-SSL3.0",
        "SECURE",
        "SECURE128",
        "SECURE192",
        "SECURE256",
        "SUITEB128",
        "SUITEB192",
        "LEGACY",
        "PFS",
        "PERFORMANCE",
        "EXPORT",
        "DEFAULT",
        "@SYSTEM",
        "%COMPAT",
        "NORMAL:%",
        "NONE:+VERS-TLS1.2",
        "NONE:+VERS-TLS1.3:+AES-128-GCM:+AEAD",
        "NORMAL:-VERS-ALL",
        "NONE:+VERS-TLS1.3:+AES-128-GCM:+AEAD:+GROUP-X25519:+SIGN-ALL",
        "NORMAL:-VERS-TLS-ALL",
        "NORMAL:-VERS-TLS-ALL:+VERS-TLS1.2",
        "NORMAL:-KX-ALL",
        "NORMAL:-MAC-ALL",
        "NORMAL:-CIPHER-ALL",
        "NORMAL:-GROUP-ALL",
        "NORMAL:-SIGN-ALL",
        "NORMAL:-CURVE-ALL",
        "NORMAL:-CTYPE-ALL",
        "NORMAL:+CTYPE-X509",
        "NORMAL:+CTYPE-OPENPGP",
        "NORMAL:+CTYPE-FOO",
        "NORMAL:+COMP-ALL",
        "NORMAL:+COMP-FOO",
        "NORMAL:+COMP",
        "NORMAL:+VERS-",
        "NORMAL:+VERS-SSL3.0",
        "NORMAL:+VERS-DTLS1.2",
        "NORMAL:+VERS-TLS-ALL",
        "NORMAL:+VERS-DTLS-ALL",
        "NORMAL:+vers-tls1.2",
        "NORMAL:+GROUP-EC-ALL",
        "NORMAL:-GROUP-DH-ALL",
        "NORMAL:+GROUP-ALL",
        "NORMAL:+GROUP-FFDHE2048",
        "NORMAL:+CURVE-SECP256R1",
        "NORMAL:+CURVE-X25519",
        "NORMAL:+CURVE-FOO",
        "NORMAL:+CURVE-FFDHE2048",
        "NORMAL:+SIGN-DSA-SHA1",
        "NORMAL:+SIGN-RSA-PSS-SHA256",
        "NORMAL:+SIGN-FOO",
        "NORMAL:+MAC-ALL",
        "NORMAL:+CIPHER-ALL",
        "NORMAL:+KX-ALL",
        "NORMAL:+ANON-ECDH",
        "NORMAL:+SRP",
        "NORMAL:+PSK",
        "NONE:+VERS-TLS1.2:+RSA:+AES-128-CBC:+SHA1",
        "NONE:+VERS-TLS1.1:+RSA:+AES-128-CBC:+SHA1",
        "NORMAL:-VERS-ALL:+VERS-DTLS1.2",
        "NORMAL:-VERS-TLS1.1:-SIGN-ALL",
        "NONE:+VERS-TLS1.3:+AES-128-GCM:+AEAD:+SIGN-ALL",
        "NONE:+VERS-TLS1.3:+AES-128-GCM:+AEAD:+GROUP-ALL",
        "NONE:+VERS-TLS1.3:+AES-128-GCM:+GROUP-ALL:+SIGN-ALL",
        "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL",
        "NONE:+VERS-TLS1.2:+ECDHE-RSA:+AES-128-GCM:+AEAD",
        "NONE:+VERS-DTLS1.2:+RSA:+AES-128-CBC:+SHA1:+SIGN-ALL",
        "NONE:+VERS-TLS1.2:+RSA:+AES-128-CBC:+SHA256:+SIGN-ALL:+COMP-NULL",
        "NONE:+VERS-TLS1.2:+DHE-RSA:+AES-128-CBC:+SHA1:+SIGN-ALL",
        "NONE:+VERS-TLS1.2:+ECDHE-RSA:+AES-128-GCM:+AEAD:+SIGN-ALL",
        "NONE:+VERS-TLS1.2:+ECDHE-RSA:+AES-128-GCM:+SHA1:+SIGN-ALL:+GROUP-ALL",
    ]
    .map(str::to_owned)
    .to_vec();
    let words = [
        "3DES-CBC",
        "ARCFOUR-128",
        "AES-192-CBC",
        "CAMELLIA-128-CBC",
        "CAMELLIA-128-GCM",
        "NULL",
        "DES-CBC",
        "AES-128-CCM-8",
        "CHACHA20-POLY1305",
        "CHACHA20-32",
        "MD5",
        "SHA224",
        "SHA512",
        "AES-CMAC-128",
        "UMAC-96",
        "RMD160",
        "SHA",
        "SHA3-256",
        "DHE-DSS",
        "SRP-RSA",
        "RSA-PSK",
        "DHE-PSK",
        "ECDHE-PSK",
        "RSA-EXPORT",
        "DH",
        "ANON-DH",
        "ECDHE",
        "GROUP-SECP192R1",
        "GROUP-SECP224R1",
        "GROUP-X448",
        "GROUP-GC256A",
        "GROUP-SECP256K1",
        "GROUP-P256",
        "SIGN-RSA-MD5",
        "SIGN-ECDSA-SHA1",
        "SIGN-EDDSA-ED448",
        "SIGN-RSA-SHA3-256",
        "SIGN-ECDSA-SECP256R1-SHA256",
        "SIGN-RSA-PSS-RSAE-SHA256",
        "VERS-TLS1.0",
        "VERS-TLS1.4",
        "GROUP-GOST-ALL",
        "SIGN-GOST-ALL",
        "CIPHER-GOST-ALL",
        "KX-GOST-ALL",
        "MAC-GOST-ALL",
        "GOST",
        "VKO-GOST-12",
        "CTYPE-CLI-X509",
        "CTYPE-SRV-RAWPK",
        "CTYPE-CLI-ALL",
        "AES-128-SIV",
        "AES-256-XTS",
        "SALSA20-256",
        "RC2-40",
        "MAGMA-CTR-ACPKM",
        "AES-128-CFB8",
        "SIGN-RSA-SHA256",
        "SIGN-RSA-RAW",
        "SIGN-DSA-SHA256",
        "SIGN-GOSTR341001",
    ];
    strings.extend(words.iter().map(|word| format!("NORMAL:+{word}")));
    let options = [
        "COMPAT",
        "NO_EXTENSIONS",
        "NO_EXT_MASTER_SECRET",
        "FORCE_SESSION_HASH",
        "DUMBFW",
        "NO_TICKETS",
        "NO_TICKETS_TLS12",
        "NO_ETM",
        "FORCE_ETM",
        "NO_STATUS_REQUEST",
        "NO_SESSION_HASH",
        "STATELESS_COMPRESSION",
        "DEBUG_ALLOW_KEY_USAGE_VIOLATIONS",
        "DISABLE_SAFE_RENEGOTIATION",
        "SAFE_RENEGOTIATION",
        "UNSAFE_RENEGOTIATION",
        "PARTIAL_RENEGOTIATION",
        "INITIAL_SAFE_RENEGOTIATION",
        "FALLBACK_SCSV",
        "LATEST_RECORD_VERSION",
        "SSL3_RECORD_VERSION",
        "NEW_PADDING",
        "DISABLE_TLS13_COMPAT_MODE",
        "DISABLE_WILDCARDS",
        "SERVER_PRECEDENCE",
        "VERIFY_ALLOW_BROKEN",
        "VERIFY_ALLOW_SIGN_RSA_MD5",
        "VERIFY_ALLOW_SIGN_WITH_SHA1",
        "VERIFY_ALLOW_X509_V1_CA_CRT",
        "VERIFY_DISABLE_CRL_CHECKS",
        "PROFILE_VERY_WEAK",
        "PROFILE_LOW",
        "PROFILE_LEGACY",
        "PROFILE_MEDIUM",
        "PROFILE_HIGH",
        "PROFILE_ULTRA",
        "PROFILE_FUTURE",
        "PROFILE_SUITEB128",
        "PROFILE_SUITEB192",
        "PROFILE_FOO",
        "COMPATx",
        "compat",
        "ALLOW_SMALL_RECORDS",
        "NO_SHUFFLE_EXTENSIONS",
        "KTLS",
        "SERVER_KEY_USAGE_VIOLATIONS",
        "NO_DHE_PSK",
        "RSA_PSS",
    ];
    strings.extend(options.iter().map(|option| format!("NORMAL:%{option}")));
    for text in &strings {
        let ours = match TlsOffer::parse(text) {
            Ok(_) => "ok",
            Err(error) => error.error.name(),
        };
        let theirs = gnutls.ask(b'P', &[text.as_bytes()]);
        // Options of GnuTLS 3.8, which is modelled; an older one may be installed here.
        let is_newer = ["FORCE_SESSION_HASH", "NO_STATUS_REQUEST", "NO_SHUFFLE_EXTENSIONS"]
            .iter()
            .any(|option| text.ends_with(option));
        if ours != theirs && !is_newer {
            wrong.push(format!("{text}: ours {ours}, GnuTLS {theirs}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
