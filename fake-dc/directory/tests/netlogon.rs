//! Netlogon pings: the captured datagrams byte for byte, and what faults and flavours change.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

mod support;

use fake_dc_directory::{DcView, Directory, DirectoryConfig};
use ground::Seed;
use ldap_wire::Filter;
use support::{
    CAPTURED_AT, bytes, captured_config, captured_dc, captured_ldif, clock_at, json, messages,
};

#[test]
fn captured_pings_get_the_captured_datagrams() {
    let directory = Directory::build(captured_config(captured_ldif())).unwrap();
    // Whoever was locked out while binds were captured was not while pings were.
    let file = json("wire/cldap.json");
    let cases = file["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 11);
    for case in cases {
        let request = messages(&bytes(&case["request"])).remove(0);
        let answer = directory.handle_datagram(&captured_dc(), request);
        let datagram: Vec<u8> = answer.iter().flat_map(|message| message.encode()).collect();
        assert_eq!(datagram, bytes(&case["response"]), "{}", case["name"]);
    }
}

#[test]
fn a_dc_may_give_another_name_in_pings_alone() {
    let directory = default_directory();
    let ping = Filter::parse(r"(&(NtVer=\06\00\00\00))").unwrap();
    let name_in = |dc: &DcView, name: &[u8]| {
        let answer = directory.netlogon(dc, &ping).unwrap();
        answer.windows(name.len()).any(|window| window == name)
    };
    let mut dc = DcView::new("dc1", "corp.example");
    assert!(name_in(&dc, b"\x03dc1\xc0\x18"));
    // name.cldap-name-differs
    dc.netlogon.dns_name = Some("other.corp.example".into());
    assert!(name_in(&dc, b"\x05other\xc0\x18"));
    // name.cldap-name-netbios
    dc.netlogon.dns_name = Some("DC1".into());
    assert!(name_in(&dc, b"\x03DC1\0\x04CORP\0\x03DC1\0"));
}

#[test]
fn windows_marks_its_flags_and_only_the_first_dc_is_pdc() {
    let directory = default_directory();
    let ping = Filter::parse(r"(&(DnsDomain=CORP.example.)(NtVer=\06\00\00\00))").unwrap();
    let flags = |name: &str| {
        let answer = directory.netlogon(&DcView::new(name, "corp.example"), &ping).unwrap();
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
        "(&(DnsDomain=corp.example))",
        r"(&(DnsDomain=other.example)(NtVer=\06\00\00\00))",
        r"(&(NtVer=\06))",
        r"(&(NtVer=\06\00\00\00)(DomainGuid=\00\01\02\03\04\05\06\07\08\09\0a\0b\0c\0d\0e\0f))",
    ] {
        assert_eq!(directory.netlogon(&dc, &Filter::parse(filter).unwrap()), None, "{filter}");
    }
}

fn default_directory() -> Directory {
    let clock = clock_at(CAPTURED_AT).clock();
    let dcs = ["dc1", "dc2"].map(|name| DcView::new(name, "corp.example"));
    let config = DirectoryConfig {
        dcs: dcs.to_vec(),
        ..DirectoryConfig::new("corp.example", Seed::new(1), clock)
    };
    Directory::build(config).unwrap()
}
