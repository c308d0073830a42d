//! Texts: scenarios, smb.conf, XML-RPC.

use std::{fmt::Write as _, hint::black_box};

use scenario::Vocabulary;
use sim_host::{
    HostRoot, Profile, XapiConf,
    samba::TlsSettings,
    smb_conf::{Joined, SmbConf, TrustLine},
};
use tempfile::tempdir;
use xenapi_client::{Value, xml_rpc};

use super::{NOW, expect};
use crate::{Failure, HotPath};

pub(super) fn paths() -> Result<Vec<HotPath>, Failure> {
    let scenario = scenario_text()?;
    let vocabulary = Vocabulary::default();
    let joined = smb_conf();
    let conf = XapiConf::default_in(Profile::Landed);
    let text = joined.render(Profile::Landed, &conf);
    let folder = tempdir()?;
    let root = HostRoot::open(folder.path())?;
    let records = records();
    let answer = xml_rpc::write_answer(Ok(records.clone()));
    Ok(vec![
        HotPath::new("scenario/parse-1000-steps", move || {
            let parsed = scenario::parse("large.toml", black_box(&scenario), &vocabulary);
            let steps = parsed.map_err(|mistakes| mistakes.to_string())?.steps.len();
            expect(steps == 1_000, || format!("{steps} steps"))
        }),
        HotPath::new("smb-conf/write-100-times", move || {
            let text = || black_box(&joined).render(Profile::Landed, &conf);
            let written: usize = (0..100).map(|_| text().len()).sum();
            expect(written > 0, || "no text".to_owned())
        }),
        HotPath::new("smb-conf/read", move || {
            // The folder stays as long as something is read from it.
            black_box(&folder);
            let settings = TlsSettings::from_smb_conf(black_box(&text), &root)?;
            expect(settings.uses_tls, || format!("{settings:?}"))
        }),
        HotPath::new("xml-rpc/write-100-records", move || {
            let text = xml_rpc::write_answer(Ok(black_box(&records).clone()));
            expect(!text.is_empty(), || "no text".to_owned())
        }),
        HotPath::new("xml-rpc/read-100-records", move || {
            let read = xml_rpc::read_answer(black_box(answer.as_bytes()))?;
            let records = read.ok().and_then(|value| value.members().map(<[_]>::len));
            expect(records == Some(100), || format!("{records:?} records"))
        }),
    ])
}

/// A world of 16 hosts, and 1,000 steps.
fn scenario_text() -> Result<String, Failure> {
    let mut text = "version = 1\nid = \"large\"\ntitle = \"Large\"\n\n\
                    [[world.domain]]\nname = \"corp.example\"\n\n\
                    [[world.domain.dc]]\nname = \"dc1\"\n\n"
        .to_owned();
    for host in 1..=16 {
        write!(text, "[[world.host]]\nname = \"host{host}\"\n\n")?;
    }
    for step in 0..500 {
        write!(
            text,
            "[[step]]\nname = \"login {step}\"\n\
             session.login_with_password = {{ uname = \"alice\", pwd = \"Passw0rd!Lab1\" }}\n\n\
             [[step]]\nclock.advance = \"1h\"\n\
             expect.session = [{{ user = 'CORP\\alice', count = 0 }}]\n\n"
        )?;
    }
    Ok(text)
}

fn smb_conf() -> SmbConf {
    SmbConf::Joined(Joined {
        service_name: "corp.example".to_owned(),
        workgroup: "CORP".to_owned(),
        netbios_name: "HOST1".to_owned(),
        ldaps: true,
        trust: TrustLine::File("/etc/trusted-certs.pem".to_owned()),
    })
}

/// What `host.get_all_records` might say of 100 hosts.
fn records() -> Value {
    let record = |number: usize| {
        let members = [
            ("uuid", Value::text(format_args!("00000000-0000-4000-8000-{number:012}"))),
            ("name__label", Value::text(format_args!("host{number} <rack & row>"))),
            ("enabled", Value::Bool(true)),
            ("last_seen", Value::Date(NOW)),
            ("external_auth_type", Value::text("AD")),
            ("tags", Value::texts(["one", "two", "three"])),
        ];
        let members = members.map(|(name, value)| (name.to_owned(), value));
        (format!("OpaqueRef:{number}"), Value::Struct(members.into()))
    };
    Value::Struct((0..100).map(record).collect())
}
