//! Netlogon pings: the captured datagrams byte for byte, and what faults and flavours change.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use crate::support::{
    CAPTURED_AT, bytes, captured_config, captured_dc, captured_ldif, clock_at, json, messages,
};
use fake_dc_directory::{DcView, Directory, DirectoryConfig, LdifSource, Protection};
use ground::Seed;
use ldap_wire::{Decoded, Filter, LdapMessage, Limits, ProtocolOp, decode};
use serde_json::Value;

#[test]
fn captured_pings_get_the_captured_datagrams() {
    let directory = Directory::build(captured_config(captured_ldif())).unwrap();
    // Whoever was locked out while binds were captured was not while pings were.
    let file = json("wire/cldap.json");
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 11);
    for case in cases {
        let request = messages(&bytes(&case["request"])).remove(0);
        let answer = directory.handle_datagram(&captured_dc(), None, request);
        let datagram: Vec<u8> = answer.iter().flat_map(|message| message.encode()).collect();
        assert_eq!(datagram, bytes(&case["response"]), "{}", case["name"]);
    }
}

/// The forms of ping that `wire/netlogon.json` has beside those: every bit of `NtVer`, every term,
/// every way to get one wrong.
#[test]
fn every_form_of_ping_gets_the_observed_answer() {
    let directory = Directory::build(captured_config(captured_ldif())).unwrap();
    let file = json("wire/netlogon.json");
    let cases = file["cases"].as_array().unwrap();
    assert!(cases.len() > 200);
    let mut different = Vec::new();
    for case in cases {
        let datagram = bytes(&case["request"]);
        let Ok(Decoded::Message { message, .. }) = decode(&datagram, &Limits::default()) else {
            assert_eq!(case["udp"], Value::Null, "{}", case["name"]);
            continue;
        };
        let over_tcp = matches!(message.op, ProtocolOp::SearchRequest(_)).then(|| {
            let mut session = directory.open_session(&captured_dc(), Protection::None);
            encoded(&directory.handle(&mut session, message.clone()).messages)
        });
        let answer = encoded(&directory.handle_datagram(&captured_dc(), None, message));
        let captured = |of: &Value| if of.is_null() { Vec::new() } else { bytes(of) };
        let tcp = case.get("tcp").unwrap_or(&case["udp"]);
        if answer != captured(&case["udp"]) {
            different.push((&case["name"], "udp", answer.escape_ascii().to_string()));
        }
        if let Some(answer) = over_tcp.filter(|answer| *answer != captured(tcp)) {
            different.push((&case["name"], "tcp", answer.escape_ascii().to_string()));
        }
    }
    assert!(different.is_empty(), "{} differ: {different:#?}", different.len());
}

fn encoded(messages: &[LdapMessage]) -> Vec<u8> {
    messages.iter().flat_map(LdapMessage::encode).collect()
}

/// As Samba 4.22.6 places clients, from a forest of one site to one of two with subnets.
#[test]
fn the_smallest_subnet_places_a_client() {
    const TWO_SITES: &str = "dn: CN=Branch,CN=Sites,CN=Configuration,DC=corp,DC=example\n\
        objectClass: site\n";
    let subnet = |prefix: &str, site: &str| {
        format!(
            "\ndn: CN={prefix},CN=Subnets,CN=Sites,CN=Configuration,DC=corp,DC=example\n\
             objectClass: subnet\n\
             siteObject: CN={site},CN=Sites,CN=Configuration,DC=corp,DC=example\n"
        )
    };
    let hub = "Default-First-Site-Name";
    let both = [subnet("198.51.100.0/24", "Branch"), subnet("192.0.2.0/24", hub)].concat();
    let worlds = [
        (String::new(), [hub, hub, hub]),
        (TWO_SITES.to_owned(), ["", "", ""]),
        (format!("{TWO_SITES}{}", subnet("198.51.100.0/24", "Branch")), ["", "Branch", ""]),
        (format!("{TWO_SITES}{both}"), [hub, "Branch", ""]),
        (
            format!("{TWO_SITES}{both}{}", subnet("192.0.2.16/28", "Branch")),
            ["Branch", "Branch", ""],
        ),
    ];
    let ping = Filter::parse(r"(&(NtVer=\06\00\00\00))").unwrap();
    let dc = DcView::new("dc1", "corp.example");
    for (ldif, expected) in worlds {
        let directory = directory_with(&ldif);
        let clients = ["192.0.2.20", "198.51.100.7", "203.0.113.9"];
        for (client, expected) in clients.into_iter().zip(expected) {
            let client = client.parse().unwrap();
            let answer = directory.netlogon(&dc, Some(client), &ping).unwrap();
            let tail: &[u8] = match expected {
                "" => b"-Name\0\0\x05\0\0\0",
                "Branch" => b"-Name\0\x06Branch\0\x05\0\0\0",
                _ => b"-Name\0\xc0",
            };
            assert!(answer.windows(tail.len()).any(|part| part == tail), "{ldif}{client}");
            let is_near = answer[4] & 0x80 != 0;
            assert_eq!(is_near, expected == hub, "{ldif}{client}");
        }
    }
}

#[test]
fn a_dc_may_give_another_name_in_pings_alone() {
    let directory = default_directory();
    let ping = Filter::parse(r"(&(NtVer=\06\00\00\00))").unwrap();
    let name_in = |dc: &DcView, name: &[u8]| {
        let answer = directory.netlogon(dc, None, &ping).unwrap();
        answer.windows(name.len()).any(|window| window == name)
    };
    let mut dc = DcView::new("dc1", "corp.example");
    assert!(name_in(&dc, b"\x03dc1\xc0\x18"));
    // name.cldap-name-differs
    dc.netlogon.dns_name = Some("other.corp.example".into());
    assert!(name_in(&dc, b"\x05other\xc0\x18"));
    // name.cldap-name-netbios
    dc.netlogon.dns_name = Some("DC1".into());
    assert!(name_in(&dc, b"\x03DC1\0\x04CORP\0\xc0"));
}

#[test]
fn windows_marks_its_flags_and_only_the_first_dc_is_pdc() {
    let directory = default_directory();
    let ping = Filter::parse(r"(&(DnsDomain=CORP.example.)(NtVer=\06\00\00\00))").unwrap();
    let flags = |name: &str| {
        let answer = directory.netlogon(&DcView::new(name, "corp.example"), None, &ping).unwrap();
        u32::from_le_bytes(answer[4..8].try_into().unwrap())
    };
    assert_eq!(flags("dc1"), 0x3_f1fd);
    assert_eq!(flags("dc2"), 0x3_f1fc);
}

#[test]
fn pings_for_others_are_not_answered() {
    let directory = default_directory();
    let dc = DcView::new("dc1", "corp.example");
    for filter in [
        r"(NtVer=\06\00\00\00)",
        "(objectClass=*)",
        r"(&(DnsDomain=other.example)(NtVer=\06\00\00\00))",
        r"(&(NtVer=\06\00\00\00)(DomainGuid=\00\01\02\03\04\05\06\07\08\09\0a\0b\0c\0d\0e\0f))",
    ] {
        assert_eq!(
            directory.netlogon(&dc, None, &Filter::parse(filter).unwrap()),
            None,
            "{filter}"
        );
    }
}

fn default_directory() -> Directory {
    directory_with("")
}

fn directory_with(ldif: &str) -> Directory {
    let clock = clock_at(CAPTURED_AT).clock();
    let dcs = ["dc1", "dc2"].map(|name| DcView::new(name, "corp.example"));
    let config = DirectoryConfig {
        dcs: dcs.to_vec(),
        sources: vec![LdifSource { name: "sites".into(), text: ldif.into() }],
        ..DirectoryConfig::new("corp.example", Seed::new(1), clock)
    };
    Directory::build(config).unwrap()
}
