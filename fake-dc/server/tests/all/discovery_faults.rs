//! Every fault of the family `discovery`, and those of `name` that pings show, as `dig` and
//! `ldapsearch` see them.
//!
//! Each fault is on the first of two DCs of a domain of its own. What the programs print must
//! differ from what they print for a sound domain; the differences are a snapshot. The netlogon
//! value is read here once more, from the layout of [MS-ADTS] 6.3.1.9.
//!
//! Needs `dig` (Debian: `bind9-dnsutils`) and `ldapsearch` (`ldap-utils`). Without them the tests
//! say that they are skipped; with `TRUSTRIG_REQUIRE_TOOLS=1` they fail.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::{TcpStream, UdpSocket},
    time::Duration,
};

use crate::common::{ADMINISTRATOR, PASSWORD};
use crate::programs::{Program, Run};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use fake_dc::{Dc, Domain};
use ldap_wire::{Decoded, Filter, LdapMessage, Limits, ProtocolOp, SearchRequest};
use tokio::runtime::Runtime;

/// A question to the DNS server of the first DC.
#[derive(Clone, Copy, Debug)]
struct Question {
    name: &'static str,
    kind: &'static str,
}

/// What a client asks on its way to a DC, and what some faults make it ask next.
const QUESTIONS: [Question; 7] = [
    Question { name: "_ldap._tcp.dc._msdcs.corp.example", kind: "SRV" },
    Question { name: "_kerberos._tcp.dc._msdcs.corp.example", kind: "SRV" },
    Question { name: "corp.example", kind: "A" },
    Question { name: "dc1.corp.example", kind: "A" },
    Question { name: "gone-dc1.corp.example", kind: "A" },
    Question { name: "alias-dc1.corp.example", kind: "A" },
    Question { name: "dc1.other.example", kind: "A" },
];

impl Question {
    fn ask(self, dc: &Dc) -> Run {
        let server = format!("@{}", dc.dns().ip());
        let port = dc.dns().port().to_string();
        Program::new("dig")
            .arguments([&server, "-p", &port, "+noall", "+comments", "+answer", "+qid=4711"])
            .arguments(["+tries=1", "+time=1", self.name, self.kind])
            .replacing(&format!("#{port}"), "#DNS")
            .run()
    }
}

/// What a client learns of the first DC of `domain`, part by part.
fn look(domain: &Domain) -> Vec<String> {
    let dc = domain.dc("dc1").unwrap();
    let mut parts = Vec::new();
    for question in QUESTIONS {
        let run = question.ask(dc);
        let mut answer = answer(&run);
        for dc in domain.dcs() {
            answer = answer.replace(&format!(" {} ", dc.ldap().port()), " LDAP ");
        }
        parts.push(format!("$ dig {} {}\n{answer}", question.name, question.kind));
        if run.exit == 9 {
            // No answer: there will be none to the next question.
            break;
        }
    }
    parts.push(format!("$ netlogon ping over UDP\n{}", ping_over_udp(dc)));
    parts.push(format!("$ netlogon ping over TCP\n{}", ping_over_tcp(dc)));
    parts
}

/// What `dig` says, without what it always says.
fn answer(run: &Run) -> String {
    let mut answer = String::new();
    for line in run.stdout.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let Some((_, rest)) = line.split_once("status: ") {
            answer.push_str(rest.split(',').next().unwrap());
        } else if let Some(rest) = line.strip_prefix(";; flags: ") {
            writeln!(answer, ", {}", rest.split(';').next().unwrap()).unwrap();
        } else if let [_, _, "IN", data @ ..] = words.as_slice() {
            writeln!(answer, "{}", data.join(" ")).unwrap();
        } else if line.ends_with("SECTION:") || line.contains(" WARNING: ") {
            // Of no interest.
        } else if line.starts_with(";; ") && words[1] != "Got" {
            writeln!(answer, "{line}").unwrap();
        } else if line.starts_with(";; Got bad packet") {
            // The reason depends on the version.
            writeln!(answer, ";; Got bad packet").unwrap();
        }
    }
    answer.trim_end().to_owned()
}

fn ping() -> Vec<u8> {
    let search = SearchRequest {
        filter: Filter::And(vec![Filter::equality("NtVer", [6, 0, 0, 0])]),
        attributes: vec!["NetLogon".to_owned()],
        ..SearchRequest::default()
    };
    LdapMessage::new(1, ProtocolOp::SearchRequest(search)).encode()
}

fn ping_over_udp(dc: &Dc) -> String {
    /// Longer than a DC on loopback takes.
    const PATIENCE: Duration = Duration::from_millis(700);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(dc.cldap()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send(&ping()).unwrap();
    let mut datagram = vec![0; 4_096];
    let Ok(size) = socket.recv(&mut datagram) else { return "no answer".to_owned() };
    told(&datagram[..size])
}

/// The answer to a ping, in words.
fn told(mut bytes: &[u8]) -> String {
    while !bytes.is_empty() {
        match ldap_wire::decode(bytes, &Limits::DEFAULT) {
            Ok(Decoded::Message { message, consumed }) => {
                if let ProtocolOp::SearchResultEntry(entry) = &message.op {
                    return Netlogon::read(&entry.values("netlogon")[0]);
                }
                bytes = &bytes[consumed..];
            }
            _ => return "no whole message".to_owned(),
        }
    }
    "no entry".to_owned()
}

fn ping_over_tcp(dc: &Dc) -> String {
    let run = Program::new("ldapsearch")
        .arguments(["-x", "-LLL", "-o", "ldif-wrap=no", "-H", &format!("ldap://{}", dc.ldap())])
        .arguments(["-s", "base", "-b", "", "(&(NtVer=\\06\\00\\00\\00))", "NetLogon"])
        .variable("LDAPTIMEOUT", "1")
        .variable("LDAPRC", "none")
        .run();
    assert_eq!(run.exit, 0, "{run}");
    match run.stdout.lines().find_map(|line| line.strip_prefix("netlogon:: ")) {
        Some(value) => Netlogon::read(&STANDARD.decode(value).unwrap()),
        None => "no entry".to_owned(),
    }
}

/// NETLOGON_SAM_LOGON_RESPONSE_EX, read by the layout of [MS-ADTS] 6.3.1.9.
struct Netlogon<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Netlogon<'_> {
    fn read(bytes: &[u8]) -> String {
        let code = u16::from_le_bytes([bytes[0], bytes[1]]);
        if ![23, 24, 25].contains(&code) {
            return format!("code {code}, {} bytes", bytes.len());
        }
        let flags = u32::from_le_bytes(bytes[4..8].try_into().unwrap());
        let mut rest = Netlogon { bytes, at: 24 };
        let names = [
            "forest",
            "domain",
            "dc",
            "netbios domain",
            "netbios dc",
            "user",
            "dc site",
            "client site",
        ];
        let names = names.map(|what| format!("{what} `{}`", rest.name()));
        assert_eq!(rest.at + 8, bytes.len(), "version and tokens are left");
        format!("code {code}, flags {flags:#x}\n{}", names.join("\n"))
    }

    /// A name compressed as in DNS (RFC 1035 §4.1.4).
    fn name(&mut self) -> String {
        let mut labels = Vec::new();
        let (mut at, mut end) = (self.at, None);
        loop {
            let length = usize::from(self.bytes[at]);
            at += 1;
            match length {
                0 => break,
                0xc0.. => {
                    end.get_or_insert(at + 1);
                    at = (length & 0x3f) << 8 | usize::from(self.bytes[at]);
                }
                _ => {
                    let label = &self.bytes[at..at + length];
                    labels.push(String::from_utf8_lossy(label).into_owned());
                    at += length;
                }
            }
        }
        self.at = end.unwrap_or(at);
        labels.join(".")
    }
}

fn faults() -> Vec<&'static str> {
    let catalogue = fake_dc::faults::catalogue();
    let ours = |id: &&str| id.starts_with("discovery.") || id.starts_with("name.cldap-");
    catalogue.iter().map(|fault| fault.id).filter(ours).collect()
}

fn have_programs() -> bool {
    [("dig", "bind9-dnsutils"), ("ldapsearch", "ldap-utils")]
        .iter()
        .all(|(program, package)| crate::programs::has(program, package))
}

#[test]
fn every_fault_is_seen_by_dig_or_a_ping() {
    if !have_programs() {
        return;
    }
    let faults = [&["none"], &faults()[..]].concat();
    let runtime = Runtime::new().unwrap();
    let seen = crate::programs::in_parallel(&faults, |_, fault| {
        let builder = Domain::builder("corp.example").dcs(2);
        let domain = runtime.block_on(builder.start()).unwrap();
        if *fault != "none" {
            domain.set_faults("dc1", [*fault]).unwrap();
        }
        let seen = look(&domain);
        domain.clear_faults("dc1").unwrap();
        let cleared = Question { name: "corp.example", kind: "A" }.ask(domain.dc("dc1").unwrap());
        assert!(cleared.stdout.contains("127.0.0.10"), "{fault}: {cleared}");
        runtime.block_on(domain.stop());
        seen
    });
    let control = &seen[0];
    assert!(control.iter().all(|part| !part.contains("no answer")), "{control:?}");
    let mut transcript = format!("== no fault\n{}\n", control.join("\n"));
    for (fault, seen) in faults.iter().zip(&seen).skip(1) {
        // What is as it should be is not told again.
        let wrong: Vec<&str> =
            seen.iter().filter(|part| !control.contains(part)).map(String::as_str).collect();
        assert!(!wrong.is_empty(), "{fault} is not seen");
        writeln!(transcript, "\n== {fault}\n{}", wrong.join("\n")).unwrap();
    }
    insta::assert_snapshot!("dig_and_netlogon", transcript);
}

/// A domain of one DC, and that DC's answer to a ping with this fault.
fn told_with(runtime: &Runtime, domain: &Domain, fault: &str) -> String {
    let _inside = runtime.enter();
    domain.set_faults("dc1", [fault]).unwrap();
    ping_over_udp(domain.dc("dc1").unwrap())
}

#[test]
fn values_say_how_wrong_it_is() {
    if !have_programs() {
        return;
    }
    let runtime = Runtime::new().unwrap();
    let domain = runtime.block_on(Domain::builder("corp.example").start()).unwrap();
    for (fault, wanted) in [
        ("name.cldap-name-differs:dc7.lab.test", "dc `dc7.lab.test`"),
        ("discovery.cldap-other-domain:lab.test", "domain `lab.test`\ndc `dc1.lab.test`"),
        ("discovery.srv-other-domain:lab.test", "domain `lab.test`\ndc `dc1.lab.test`"),
        ("discovery.cldap-wrong-flags:0x8", "flags 0x3f1f5"),
    ] {
        let told = told_with(&runtime, &domain, fault);
        assert!(told.contains(wanted), "{fault}: {told}");
    }
    let services = Question { name: "_ldap._tcp.corp.example", kind: "SRV" };
    for (fault, wanted) in [
        ("discovery.srv-weights:5/200", "SRV 5 200 LDAP dc1.corp.example."),
        ("discovery.srv-wrong-port:3890", "SRV 0 100 3890 dc1.corp.example."),
        ("discovery.srv-other-domain:lab.test", "SRV 0 100 LDAP dc1.lab.test."),
    ] {
        told_with(&runtime, &domain, fault);
        let dc = domain.dc("dc1").unwrap();
        let told = answer(&services.ask(dc)).replace(&dc.ldap().port().to_string(), "LDAP");
        assert!(told.contains(wanted), "{fault}: {told}");
    }
    for mistake in [
        "discovery.srv-weights:5",
        "discovery.srv-wrong-port:70000",
        "discovery.cldap-wrong-flags:8",
        "discovery.cldap-other-domain:a..b",
        "name.cldap-name-differs:",
        "discovery.nxdomain:soon",
        "discovery.nxdomain@ldap",
    ] {
        assert!(domain.set_faults("dc1", [mistake]).is_err(), "{mistake}");
    }
    runtime.block_on(domain.stop());
}

/// Netlogon pings over TCP are answered as those over UDP, on connections that were open before,
/// too; and a fault may be limited to one of the ways.
#[test]
fn pings_over_tcp_follow() {
    let runtime = Runtime::new().unwrap();
    let domain = runtime.block_on(Domain::builder("corp.example").start()).unwrap();
    let dc = domain.dc("dc1").unwrap();
    let mut stream = TcpStream::connect(dc.ldap()).unwrap();
    let mut ask = || {
        stream.write_all(&ping()).unwrap();
        let mut answer = Vec::new();
        // An entry and a result; the result is the shorter of the two, and whole when it is there.
        while !answer.windows(5).any(|bytes| bytes == [0x65, 0x07, 0x0a, 0x01, 0x00]) {
            let mut bytes = [0; 1_024];
            let size = stream.read(&mut bytes).unwrap();
            assert!(size > 0);
            answer.extend_from_slice(&bytes[..size]);
        }
        told(&answer)
    };
    assert!(ask().contains("dc `dc1.corp.example`"));
    domain.set_faults("dc1", ["name.cldap-name-netbios"]).unwrap();
    assert!(ask().contains("dc `DC1`"));
    domain.set_faults("dc1", ["name.cldap-name-netbios@cldap"]).unwrap();
    assert!(ask().contains("dc `dc1.corp.example`"));
    assert!(ping_over_udp(dc).contains("dc `DC1`"));
    domain.clear_faults("dc1").unwrap();
    assert!(ping_over_udp(dc).contains("dc `dc1.corp.example`"));
    drop(stream);
    runtime.block_on(domain.stop());
}

/// A DC of another domain does not answer who asks for ours, and a read-only DC takes no changes.
#[test]
fn what_a_client_meets_next() {
    if !have_programs() {
        return;
    }
    let runtime = Runtime::new().unwrap();
    let builder = Domain::builder("corp.example").dcs(2);
    let domain = runtime.block_on(builder.start()).unwrap();
    domain.set_faults("dc1", ["discovery.cldap-other-domain"]).unwrap();
    domain.set_faults("dc2", ["discovery.read-only-dc"]).unwrap();
    let [url, read_only] =
        ["dc1", "dc2"].map(|dc| format!("ldap://{}", domain.dc(dc).unwrap().ldap()));
    for (asked, answered) in [("corp.example", false), ("other.example", true)] {
        let filter = format!("(&(DnsDomain={asked})(NtVer=\\06\\00\\00\\00))");
        let run = Program::new("ldapsearch")
            .arguments(["-x", "-LLL", "-H", &url, "-s", "base", "-b", "", &filter, "NetLogon"])
            .run();
        assert_eq!(run.stdout.contains("netlogon:"), answered, "{asked}: {run}");
    }
    let entry = "dn: CN=XS1,CN=Computers,DC=corp,DC=example\nobjectClass: computer\n\
                 sAMAccountName: XS1$\n";
    let run = Program::new("ldapadd")
        .arguments(["-x", "-H", &read_only, "-D", ADMINISTRATOR, "-w", PASSWORD])
        .input(entry)
        .run();
    assert_eq!(run.exit, 10, "{run}");
    assert!(run.stderr.contains("ldap://corp.example/CN=XS1,CN=Computers"), "{run}");
    runtime.block_on(domain.stop());
}
