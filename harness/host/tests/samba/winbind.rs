//! `wbinfo` against the fake domain.

use fake_dc_directory::Flavour;
use ground::Secret;
use sim_host::{Output, SambaCommand, Wbinfo};

use crate::{support::Host, world::World};

const PASSWORD: &str = "Passw0rd!Lab1";
const SECRETS: &str = "/var/lib/samba/private/secrets.json";

const LDIF: &str = "\
dn: CN=Alice,CN=Users,DC=lab,DC=example
objectClass: user
sAMAccountName: alice
userPrincipalName: alice@lab.example
displayName: Alice Tester

dn: CN=ops,CN=Users,DC=lab,DC=example
objectClass: group
sAMAccountName: ops
member: CN=Alice,CN=Users,DC=lab,DC=example
";

async fn joined(world: &World) -> Host {
    let host = world.host();
    let joined = host
        .run(SambaCommand::AdsJoin {
            domain: "lab.example".into(),
            user: "Administrator".into(),
            password: Secret::new(PASSWORD),
            netbios_name: "XS1".into(),
            server: None,
            ou: None,
            dns_hostname: None,
        })
        .await;
    assert_eq!(joined.exit, 0, "{joined:?}");
    let started = host.run(SambaCommand::StartWinbind).await;
    assert_eq!(started.exit, 0, "{started:?}");
    host
}

async fn ask(host: &Host, question: Wbinfo) -> Output {
    host.run(SambaCommand::Wbinfo(question)).await
}

#[tokio::test]
async fn a_user_of_the_domain_is_known_in_every_form_of_its_name_and_logs_on() {
    let world = World::of_entries(Flavour::Samba4_22, LDIF).await;
    let host = joined(&world).await;
    let named = async |name: &str| ask(&host, Wbinfo::NameToSid { name: name.into() }).await;
    let alice = named("alice").await.stdout;
    for name in ["LAB\\alice", "lab.example\\Alice", "alice@lab.example", "alice@LAB"] {
        assert_eq!(named(name).await.stdout, alice, "{name}");
    }
    let sid = alice.strip_suffix(" SID_USER (1)\n").unwrap().to_owned();
    let rid: u32 = sid.rsplit('-').next().unwrap().parse().unwrap();
    let uid = 2_100_000 + rid;
    let number = ask(&host, Wbinfo::SidToUid { sid: sid.clone() }).await;
    assert_eq!(number.stdout, format!("{uid}\n"));
    let line = async || ask(&host, Wbinfo::UidInfo { uid }).await.stdout;
    let gecos =
        |name: &str| format!("LAB\\alice:*:{uid}:2100513:{name}:/home/LAB/alice:/bin/bash\n");
    assert_eq!(line().await, gecos(""));
    let log_on = async |name: &str, password: &str| {
        let (name, password) = (name.to_owned(), Secret::new(password));
        ask(&host, Wbinfo::Krb5Auth { name, password }).await
    };
    assert!(log_on("LAB\\alice", "wrong").await.stderr.contains("NT_STATUS_LOGON_FAILURE"));
    assert!(log_on("LAB\\nobody", "wrong").await.stderr.contains("NT_STATUS_NO_SUCH_USER"));
    assert_eq!(line().await, gecos(""), "nobody has logged on");
    assert!(log_on("alice@lab.example", PASSWORD).await.succeeded());
    assert_eq!(line().await, gecos("Alice Tester"), "the KDC has said who she is");
    let groups = ask(&host, Wbinfo::UserDomgroups { sid }).await.stdout;
    assert_eq!(groups.lines().count(), 3, "{groups}");
}

#[tokio::test]
async fn the_machine_gets_a_new_password_and_goes_on_with_it() {
    let world = World::sound().await;
    let host = joined(&world).await;
    let before = host.root.read(SECRETS).unwrap();
    for _ in 0..2 {
        let changed = ask(&host, Wbinfo::ChangeSecret).await;
        let words = "changing the trust secret for domain LAB via RPC calls succeeded\n";
        assert_eq!((changed.exit, &*changed.stdout), (0, words), "{}", changed.stderr);
    }
    assert_ne!(host.root.read(SECRETS).unwrap(), before);
    let name = "Domain Admins".to_owned();
    assert!(ask(&host, Wbinfo::NameToSid { name }).await.succeeded());
}
