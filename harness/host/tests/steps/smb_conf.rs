//! smb.conf in every cell of `smb-conf.md`: what hosts find on their disks, what they are told,
//! and the file that they write.
//!
//! For each profile the whole text of one cell, LDAP with the ldaps bundle, is kept; every other
//! cell is told by its differences to that. Every file goes through the real `testparm`, too.

mod difference;
mod testparm;

use std::collections::BTreeSet;

use sim_host::{GENERAL_BUNDLE, LDAPS_BUNDLE, Profile, Quirk, smb_conf::PATH};

use crate::estate::{Estate, Image, Plan, Rig, disable};

/// What is found at the names of the two bundles (xapi-flows.md §2.4, smb-conf.md §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Nothing,
    Bundle,
    Directory,
}

const CHOICES: [(&str, Found, Found); 8] = [
    ("ldaps bundle", Found::Bundle, Found::Nothing),
    ("general bundle", Found::Nothing, Found::Bundle),
    ("both bundles", Found::Bundle, Found::Bundle),
    ("neither bundle", Found::Nothing, Found::Nothing),
    ("directory at the name of the ldaps bundle", Found::Directory, Found::Nothing),
    ("directory at the name of the general bundle", Found::Nothing, Found::Directory),
    ("directory and general bundle", Found::Directory, Found::Bundle),
    ("ldaps bundle and directory", Found::Bundle, Found::Directory),
];

/// Values of each item of smb-conf.md §6 that reaches the file: legal ones and one that is not;
/// then how the file itself may be written.
const ITEMS: [&str; 33] = [
    "winbind_debug_level = 0",
    "winbind_debug_level = 10",
    "winbind_debug_level = 11",
    "winbind_debug_level = -1",
    "winbind_debug_level = high",
    "winbind_cache_time = 0",
    "winbind_cache_time = 86400",
    "winbind_cache_time = soon",
    "winbind_scan_trusted_domains = true",
    "winbind_scan_trusted_domains = false",
    "winbind_scan_trusted_domains = yes",
    "winbind_kerberos_encryption_type = strong",
    "winbind_kerberos_encryption_type = legacy",
    "winbind_kerberos_encryption_type = all",
    "winbind_kerberos_encryption_type = weak",
    "winbind-tls-verify-peer = no_check",
    "winbind-tls-verify-peer = ca_only",
    "winbind-tls-verify-peer = ca_and_name_if_available",
    "winbind-tls-verify-peer = ca_and_name",
    "winbind-tls-verify-peer = as_strict_as_possible",
    "winbind-tls-verify-peer = always",
    "winbind_tls_verify_peer = ca_only",
    "winbind-cache-time = 5",
    "Winbind_cache_time = 5",
    "winbind_cache_time=5",
    "  winbind_cache_time   =   5   # seconds",
    "# winbind_cache_time = 5",
    "winbind_cache_time = '5'",
    "winbind_cache_time = \"5\"",
    "winbind_cache_time = '5\"",
    "winbind_cache_time = 5\nwinbind_cache_time = 6",
    "winbind_cache_time",
    "extauth_ad_backend = winbind",
];

/// A pool of one, out of the domain and in it.
struct World {
    estate: Estate,
    ldap: Image,
    ldaps: Image,
    base: String,
}

impl World {
    async fn start(profile: Profile) -> Self {
        let estate = Estate::start().await;
        let plan = Plan::new(profile, 1);
        let ldap = estate.joined(&plan, false).await;
        let ldaps = estate.joined(&plan, true).await;
        let mut world = Self { estate, ldap, ldaps, base: String::new() };
        world.base = world.restarted(&world.ldap, |_| ()).await;
        world
    }

    /// The file that the next start of xapi writes, after `change`.
    async fn restarted(&self, image: &Image, change: impl FnOnce(&Rig)) -> String {
        let rig = self.estate.begin(image);
        change(&rig);
        rig.restart(0).await;
        conf(&rig)
    }

    /// The cell as its differences to the base. The two pools differ by their hosts' names.
    fn told(&self, title: &str, text: &str) -> String {
        format!("== {title}\n{}", difference::between(&self.base, &renamed(text, &self.base)))
    }
}

fn conf(rig: &Rig) -> String {
    rig.host(0).root().read_text_if_present(PATH).unwrap().unwrap_or_default()
}

fn line(text: &str, key: &str) -> String {
    text.lines().find(|line| line.starts_with(key)).unwrap_or_default().to_owned()
}

/// Puts things, or nothing, at the names of the two bundles.
fn arrange(rig: &Rig, ldaps: Found, general: Found) {
    let host = rig.host(0);
    let root = host.root();
    let pem = root.read(LDAPS_BUNDLE).unwrap();
    root.remove(LDAPS_BUNDLE).unwrap();
    for (path, found) in [(LDAPS_BUNDLE, ldaps), (GENERAL_BUNDLE, general)] {
        match found {
            Found::Nothing => {}
            Found::Bundle => root.write(path, &pem, 0o644).unwrap(),
            Found::Directory => root.write(&format!("{path}/ca.pem"), &pem, 0o644).unwrap(),
        }
    }
}

/// ldap or ldaps × which bundle, written by a start, by a toggle, and by enable.
#[tokio::test]
async fn by_bundle() {
    for profile in Profile::ALL {
        let world = World::start(profile).await;
        insta::assert_snapshot!(format!("base-{profile}"), world.base);
        let mut told = String::new();
        for (ldaps, image) in [(false, &world.ldap), (true, &world.ldaps)] {
            for (name, first, second) in CHOICES {
                let text = world.restarted(image, |rig| arrange(rig, first, second)).await;
                let wrapping = if ldaps { "ldaps" } else { "ldap" };
                told += &world.told(&format!("{wrapping}, {name}"), &text);
                // The same by the calls, where they do not refuse for want of a certificate.
                let refused = ldaps && (first, second) == (Found::Nothing, Found::Nothing);
                let other = if ldaps { &world.ldap } else { &world.ldaps };
                let rig = world.estate.begin(other);
                arrange(&rig, first, second);
                let error = rig.set_ldaps(ldaps, None).await.err().map(|error| error.code);
                if refused {
                    assert_eq!(error.as_deref(), Some("AUTH_NO_TRUSTED_CERTS"));
                } else {
                    assert_eq!(error, None, "{name}");
                    let same = conf(&rig) == renamed(&text, &conf(&rig));
                    assert!(same, "{profile}, {name}: set_ldaps({ldaps}) writes another file");
                }
                let rig = world.estate.fresh(&Plan::new(profile, 1)).await;
                arrange(&rig, first, second);
                let error = rig.enable(ldaps).await.err().map(|error| error.code);
                if refused {
                    let code = "POOL_AUTH_ENABLE_FAILED_NO_TRUSTED_CERTS";
                    assert_eq!(error.as_deref(), Some(code));
                } else {
                    assert_eq!(error, None, "{name}");
                    let same = conf(&rig) == renamed(&text, &conf(&rig));
                    assert!(same, "{profile}, {name}: enable(ldaps={ldaps}) writes another file");
                }
            }
            let quirk = Quirk::LegacyCaDirectory;
            for (name, first) in
                [("neither bundle", Found::Nothing), ("ldaps bundle", Found::Bundle)]
            {
                let rig = world.estate.begin_with(image, |plan| plan.quirk(quirk, true));
                arrange(&rig, first, Found::Nothing);
                rig.restart(0).await;
                let title = format!("option legacy_ca_directory, ldaps {ldaps}, {name}");
                told += &world.told(&title, &conf(&rig));
            }
        }
        insta::assert_snapshot!(format!("bundles-{profile}"), told);
        world.estate.domain.stop().await;
    }
}

/// `text` with the name of the host that wrote `other`.
fn renamed(text: &str, other: &str) -> String {
    text.replace(&line(text, "netbios name"), &line(other, "netbios name"))
}

/// Each item of xapi.conf with its legal values and others, in the file and in a fragment.
#[tokio::test]
async fn by_item_of_xapi_conf() {
    for profile in Profile::ALL {
        let world = World::start(profile).await;
        let mut told = String::new();
        for item in ITEMS {
            let written = |path: &'static str| {
                move |rig: &Rig| {
                    rig.host(0).root().write(path, item.as_bytes(), 0o644).unwrap();
                }
            };
            let text = world.restarted(&world.ldap, written("/etc/xapi.conf")).await;
            told += &world.told(&item.replace('\n', " ⏎ "), &text);
            let fragment = written("/etc/xapi.conf.d/50-ad.conf");
            let same = world.restarted(&world.ldap, fragment).await == text;
            assert!(same, "{profile}: `{item}` in a fragment gives another file");
        }
        insta::assert_snapshot!(format!("items-{profile}"), told);
        world.estate.domain.stop().await;
    }
}

/// "The joined form needs the three values"; who leaves, or fails to join, and may not keep it.
#[tokio::test]
async fn not_joined() {
    const NOT_JOINED: &str = "# autogenerated by xapi\n[global]\n";
    const NOT_KEPT: &str = "winbind_keep_configuration = false";
    for profile in Profile::ALL {
        let estate = Estate::start().await;
        for (conf_item, expected) in [("", None), (NOT_KEPT, Some(NOT_JOINED))] {
            let plan = Plan::new(profile, 1).conf(conf_item);
            let rig = estate.begin(&estate.joined(&plan, true).await);
            let joined = conf(&rig);
            rig.call(disable()).await.unwrap();
            assert_eq!(conf(&rig), expected.unwrap_or(&joined), "{profile}, {conf_item}");
        }
        estate.domain.stop().await;
    }
}

/// The real parser of the real format: no word is unknown to it, and it takes each as meant.
#[tokio::test]
async fn testparm_understands_all_of_them() {
    let mut texts = BTreeSet::new();
    for profile in Profile::ALL {
        let world = World::start(profile).await;
        for (_, first, second) in CHOICES {
            for image in [&world.ldap, &world.ldaps] {
                texts.insert(world.restarted(image, |rig| arrange(rig, first, second)).await);
            }
        }
        for item in ITEMS {
            let write =
                |rig: &Rig| rig.host(0).root().write("/etc/xapi.conf", item.as_bytes(), 0o644);
            texts.insert(world.restarted(&world.ldaps, |rig| write(rig).unwrap()).await);
        }
        world.estate.domain.stop().await;
    }
    texts.insert("# autogenerated by xapi\n[global]\n".to_owned());
    testparm::understands(&texts);
}
