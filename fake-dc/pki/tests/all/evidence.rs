//! Two programs that know nothing of us agree that each defect is there: `openssl` and GnuTLS'
//! `certtool`. What they must say is in `evidence/`.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test stops where it fails")]

use std::{
    collections::{BTreeMap, BTreeSet},
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    sync::{Mutex, atomic::AtomicUsize, atomic::Ordering},
};

use crate::common::{chain, now, pki, program_is_there};
use fake_dc_pki::{Chain, catalogue};

const FILES: [&str; 8] = [
    include_str!("../evidence/algorithm.txt"),
    include_str!("../evidence/anchor.txt"),
    include_str!("../evidence/chain.txt"),
    include_str!("../evidence/name.txt"),
    include_str!("../evidence/profile.txt"),
    include_str!("../evidence/revocation.txt"),
    include_str!("../evidence/store.txt"),
    include_str!("../evidence/time.txt"),
];

/// What is expected of one fault.
#[derive(Default)]
struct Evidence {
    verify: &'static str,
    with_anchor: Option<&'static str>,
    /// Program, `+`, `-` or `=`, and the line.
    lines: Vec<(&'static str, char, &'static str)>,
}

fn evidence() -> BTreeMap<&'static str, Evidence> {
    let mut all = BTreeMap::new();
    let mut id = "";
    for line in FILES.into_iter().flat_map(str::lines) {
        let Some(entry) = line.strip_prefix("    ") else {
            id = line;
            assert!(all.insert(id, Evidence::default()).is_none(), "{id} is there twice");
            continue;
        };
        let evidence = all.get_mut(id).expect("a fault comes before its evidence");
        let (word, rest) = entry.split_at(12);
        match word.trim_end() {
            "verify" => evidence.verify = rest,
            "with anchor" => evidence.with_anchor = Some(rest),
            word => {
                let sign = rest.chars().next().expect("a sign follows the program");
                evidence.lines.push((word, sign, rest[1..].trim_start()));
            }
        }
    }
    all
}

#[test]
fn each_fault_has_evidence_of_two_programs() {
    let all = evidence();
    let known: BTreeSet<_> = catalogue().map(|fault| fault.id).collect();
    assert_eq!(all.keys().copied().collect::<BTreeSet<_>>(), known);
    for (id, Evidence { verify, lines, .. }) in &all {
        let of = |program: &str| lines.iter().any(|(word, ..)| *word == program);
        assert!(!verify.is_empty(), "{id}: what does `openssl verify` say");
        assert!(of("certtool"), "{id}: what does `certtool` see");
        let seen = of("openssl") || of("asn1parse") || verify.starts_with("error ");
        assert!(seen || id.starts_with("algorithm.bad-signature"), "{id}: what does `openssl` see");
    }
}

#[test]
fn both_programs_see_each_defect() {
    if !(program_is_there("openssl") && program_is_there("certtool")) {
        return;
    }
    let all = evidence();
    let programs = Programs::default();
    let sound = chain(&[]);
    let usual: BTreeMap<&str, Vec<String>> = ["openssl", "asn1parse", "certtool"]
        .into_iter()
        .map(|program| (program, programs.lines(program, &sound)))
        .collect();
    let wrong = Mutex::new(Vec::new());
    in_parallel(all.iter().collect(), |(id, evidence)| {
        let chain = chain(&[id]);
        let mut said: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for &(program, sign, line) in &evidence.lines {
            let lines = said.entry(program).or_insert_with(|| programs.lines(program, &chain));
            let usual = &usual[program];
            let (now, before) = (count(lines, line), count(usual, line));
            let holds = match sign {
                '+' => now > before,
                '-' => now < before,
                '=' => without_numbers(lines) == without_numbers(usual),
                other => panic!("{id}: {other} is no sign"),
            };
            if !holds {
                let complaint = format!("{id}: {program} {sign} {line}\n{}", lines.join("\n"));
                wrong.lock().unwrap().push(complaint);
            }
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} lines differ; the first: {}", wrong.len(), wrong[0]);
}

#[test]
fn openssl_judges_each_chain() {
    if !program_is_there("openssl") {
        return;
    }
    let wrong = Mutex::new(Vec::new());
    in_parallel(evidence().into_iter().collect(), |(id, evidence)| {
        let chain = chain(&[id]);
        let anchor = chain.anchor_pem().unwrap();
        let said = openssl_verify(&chain, pki().root_pem());
        let with_anchor = (anchor != pki().root_pem()).then(|| openssl_verify(&chain, &anchor));
        if (said.as_str(), with_anchor.as_deref()) != (evidence.verify, evidence.with_anchor) {
            wrong.lock().unwrap().push(format!("{id}: {said}, with its anchor {with_anchor:?}"));
        }
    });
    assert_eq!(wrong.into_inner().unwrap(), Vec::<String>::new());
    assert_eq!(openssl_verify(&chain(&[]), pki().root_pem()), "OK");
}

/// An anchor's own signature is looked at by nobody who is not told to.
#[test]
fn a_broken_root_is_seen_by_those_who_look() {
    if !program_is_there("openssl") {
        return;
    }
    let said = |id| {
        let chain = chain(&[id]);
        verify(&chain, &chain.anchor_pem().unwrap(), &["-check_ss_sig"])
    };
    assert_eq!(
        said("algorithm.bad-signature-root"),
        "error 7 at 2 depth lookup: certificate signature failure"
    );
    assert_eq!(said("algorithm.md5-root"), "OK");
}

/// GnuTLS names a signature that is wrong, whatever the time.
#[test]
fn certtool_sees_broken_signatures() {
    if !program_is_there("certtool") {
        return;
    }
    let invalid = |ids: &[&str]| {
        let directory = tempfile::tempdir().unwrap();
        let root = write(directory.path(), "root.pem", pki().root_pem());
        let sent = write(directory.path(), "sent.pem", &chain(ids).to_pem());
        let output = Command::new("certtool")
            .args(["--verify", "--load-ca-certificate", &root, "--infile", &sent])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).contains("signature in the certificate is invalid")
    };
    assert!(invalid(&["algorithm.bad-signature"]));
    assert!(invalid(&["algorithm.bad-signature-intermediate"]));
    assert!(invalid(&["algorithm.wrong-algorithm"]));
    assert!(!invalid(&[]));
    assert!(!invalid(&["algorithm.bad-signature-root"]));
}

fn count(lines: &[String], wanted: &str) -> usize {
    let matches = |line: &&String| match wanted.strip_suffix('…') {
        Some(start) => line.starts_with(start),
        None => *line == wanted,
    };
    lines.iter().filter(matches).count()
}

/// The lines that are not serial numbers, signatures and fingerprints.
fn without_numbers(lines: &[String]) -> Vec<&String> {
    let is_number = |line: &&String| {
        let rest = line.rsplit(' ').next().unwrap_or_default();
        let hexadecimal = rest.replace(':', "");
        let fingerprint = ["sha1", "sha256"].iter().any(|name| hexadecimal.starts_with(name));
        fingerprint || hexadecimal.len() > 3 && hexadecimal.bytes().all(|it| it.is_ascii_hexdigit())
    };
    lines.iter().filter(|line| !is_number(line)).collect()
}

/// Programs that print certificates, and what they have printed: chains share most of theirs.
#[derive(Default)]
struct Programs(Mutex<BTreeMap<Asked, Vec<String>>>);

/// A command and what it is given to read.
type Asked = (Vec<&'static str>, Vec<u8>);

impl Programs {
    /// Everything that the program prints of a chain, with the place in front of each line.
    fn lines(&self, program: &str, chain: &Chain) -> Vec<String> {
        let (certificate, list): (&[&str], &[&str]) = match program {
            "openssl" => (
                &["openssl", "x509", "-inform", "DER", "-noout", "-text"],
                &["openssl", "crl", "-inform", "DER", "-noout", "-text"],
            ),
            "certtool" => (&["certtool", "-i", "--inder"], &["certtool", "--crl-info", "--inder"]),
            _ => (&["openssl", "asn1parse", "-inform", "DER"], &[]),
        };
        let sent = chain.certificates.iter().enumerate();
        let sent = sent.map(|(place, der)| (place.to_string(), certificate, der.to_vec()));
        let anchor = chain.anchor.iter().map(|it| ("anchor".to_owned(), certificate, it.to_vec()));
        let lists = chain.crls.iter().map(|crl| {
            let root = crl.ca.ends_with("Root CA");
            (format!("crl {}", u8::from(!root)), list, crl.der.clone())
        });
        sent.chain(anchor)
            .chain(lists)
            .filter(|(_, command, _)| !command.is_empty())
            .flat_map(|(place, command, der)| {
                let lines = self.print(command, der);
                lines.into_iter().map(move |line| format!("{place}: {line}"))
            })
            .collect()
    }

    fn print(&self, command: &[&'static str], der: Vec<u8>) -> Vec<String> {
        let key = (command.to_vec(), der);
        if let Some(known) = self.0.lock().unwrap().get(&key) {
            return known.clone();
        }
        let [program, arguments @ ..] = command else { panic!("a command has a name") };
        let printed = run(Command::new(program).args(arguments), &key.1);
        let lines: Vec<String> = printed
            .lines()
            .map(|line| {
                // `  161:d=3  hl=2 l=  15 prim: UTCTIME           :260722020023Z`
                let words = line.split_once("prim:").map_or(line, |(_, value)| value);
                words.split_whitespace().collect::<Vec<_>>().join(" ").replace(" = ", "=")
            })
            .take_while(|line| !line.starts_with("-----BEGIN"))
            .filter(|line| !line.is_empty())
            .collect();
        self.0.lock().unwrap().insert(key, lines.clone());
        lines
    }
}

fn run(command: &mut Command, input: &[u8]) -> String {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its input may close it early.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

fn openssl_verify(chain: &Chain, anchor: &str) -> String {
    verify(chain, anchor, &["-purpose", "sslserver", "-verify_hostname", "dc1.corp.example"])
}

fn verify(chain: &Chain, anchor: &str, options: &[&str]) -> String {
    if chain.certificates.is_empty() {
        return "nothing is sent".to_owned();
    }
    let directory = tempfile::tempdir().unwrap();
    let file = |name, content: &str| write(directory.path(), name, content);
    let output = Command::new("openssl")
        .arg("verify")
        .args(["-attime", &now().unix().to_string()])
        .args(options)
        .args(["-CAfile", &file("anchor.pem", anchor)])
        .args(["-untrusted", &file("sent.pem", &chain.to_pem())])
        .arg(file("leaf.pem", &chain.leaf_pem()))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    let verdict = said.lines().find_map(|line| match line {
        line if line.ends_with("leaf.pem: OK") => Some("OK".to_owned()),
        line => line.starts_with("error ").then(|| line.to_owned()),
    });
    verdict.unwrap_or_else(|| "cannot be read".to_owned())
}

fn write(directory: &Path, name: &str, content: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, content).unwrap();
    path.into_os_string().into_string().unwrap()
}

fn in_parallel<T: Sync>(items: Vec<T>, each: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
                    each(item);
                }
            });
        }
    });
}
