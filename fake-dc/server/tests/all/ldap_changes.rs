//! Changes by OpenLDAP's own programs, over LDAPS and StartTLS, and `fake-dc export` of what they
//! leave behind.
//!
//! Where a program is missing these tests say so and pass; with `TRUSTRIG_REQUIRE_TOOLS=1` they
//! fail.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{fs, process::Command};

use crate::programs::{Program, has};
use crate::served::Served;
use base64::{Engine as _, engine::general_purpose::STANDARD};

const ADMINISTRATOR: [&str; 4] = ["-D", "Administrator@corp.example", "-w", "Passw0rd!Lab1"];
const BOB: &str = "CN=Bob New,OU=Sales,DC=corp,DC=example";

/// A served domain as OpenLDAP's programs see it.
struct Lab {
    served: Served,
    /// Arguments that lead to it.
    way: Vec<String>,
}

impl Lab {
    /// Runs a program as the administrator: exit code, standard output and standard error.
    fn run(&self, program: &str, arguments: &[&str], input: &str) -> (i32, String) {
        self.run_as(&ADMINISTRATOR, program, arguments, input)
    }

    fn run_as(
        &self,
        who: &[&str],
        program: &str,
        arguments: &[&str],
        input: &str,
    ) -> (i32, String) {
        let ca = self.served.ready()["ca_file"].as_str().unwrap();
        let run = Program::new(program)
            .variable("LDAPTLS_CACERT", ca)
            .arguments(["-x"])
            .arguments(&self.way)
            .arguments(who)
            .arguments(arguments)
            .input(input)
            .run();
        (run.exit, format!("{}{}", run.stdout, run.stderr))
    }
}

/// One life of an account, the same over both kinds of TLS.
#[test]
fn an_account_lives_and_dies_by_ldapmodify_and_its_kin() {
    if !has("ldapmodify", "ldap-utils") {
        return;
    }
    for starttls in [false, true] {
        let served = Served::start(&["--seed", "3", "--control-port", "0"]);
        let way = if starttls {
            let port = served.port(0, "ldap");
            vec!["-ZZ".to_owned(), "-H".to_owned(), format!("ldap://127.0.0.10:{port}")]
        } else {
            vec!["-H".to_owned(), served.dc(0)["url"].as_str().unwrap().to_owned()]
        };
        let lab = Lab { served, way };
        live(&lab);
        export(&lab);
    }
}

fn live(lab: &Lab) {
    let password = |text: &str| {
        let units: Vec<u8> =
            format!("\"{text}\"").encode_utf16().flat_map(u16::to_le_bytes).collect();
        STANDARD.encode(units)
    };
    let new = format!(
        "dn: OU=Sales,DC=corp,DC=example\nobjectClass: organizationalUnit\n\n\
         dn: {BOB}\nobjectClass: user\nsAMAccountName: bobnew\nuserAccountControl: 512\n\
         unicodePwd:: {}\n",
        password("First0ne!")
    );
    let (code, said) = lab.run("ldapadd", &[], &new);
    assert_eq!(code, 0, "{said}");
    let bob = |password: &'static str| ["-D", "bobnew@corp.example", "-w", password];
    let (code, said) = lab.run_as(&bob("First0ne!"), "ldapwhoami", &[], "");
    assert_eq!((code, said.as_str()), (0, "u:CORP\\bobnew\n"));

    let again = lab.run("ldapadd", &["-c"], &new);
    assert_eq!(again.0, 68, "{}", again.1);
    assert!(again.1.contains("problem 6005 (ENTRY_EXISTS)"), "{}", again.1);

    let change = format!(
        "dn: {BOB}\nchangetype: modify\nadd: otherTelephone\notherTelephone: 1\n\
         otherTelephone: 2\n-\nreplace: title\ntitle: boss\n-\n\n\
         dn: CN=xsadmins,CN=Users,DC=corp,DC=example\nchangetype: modify\nadd: member\n\
         member: {BOB}\n"
    );
    assert_eq!(lab.run("ldapmodify", &[], &change).0, 0);
    assert_eq!(lab.run("ldapcompare", &[BOB, "title:BOSS"], "").0, 6);
    assert_eq!(lab.run("ldapcompare", &[BOB, "title:clerk"], "").0, 5);

    // AD has no password modify operation (RFC 3062): passwords are attributes.
    let (code, said) = lab.run("ldappasswd", &["-s", "Second0ne!", BOB], "");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("Protocol error (2)"), "{said}");
    let reset = format!(
        "dn: {BOB}\nchangetype: modify\nreplace: unicodePwd\nunicodePwd:: {}\n",
        password("Second0ne!")
    );
    assert_eq!(lab.run("ldapmodify", &[], &reset).0, 0);
    assert_eq!(lab.run_as(&bob("First0ne!"), "ldapwhoami", &[], "").0, 49);
    let (code, said) = lab.run_as(&bob("Second0ne!"), "ldapmodify", &[], &change);
    assert_eq!(code, 50, "{said}");

    let to = "CN=Users,DC=corp,DC=example";
    let (code, said) = lab.run("ldapmodrdn", &["-r", "-s", to, BOB, "CN=Bob Moved"], "");
    assert_eq!(code, 0, "{said}");
    let group = ["-LLL", "-o", "ldif-wrap=no", "-b", to, "(cn=xsadmins)", "member"];
    let (_, said) = lab.run("ldapsearch", &group, "");
    assert!(said.contains("member: CN=Bob Moved,CN=Users,DC=corp,DC=example"), "{said}");
    assert_eq!(lab.run("ldapdelete", &["OU=Sales,DC=corp,DC=example"], "").0, 0);
    assert_eq!(lab.run("ldapdelete", &["CN=Administrator,CN=Users,DC=corp,DC=example"], "").0, 53);
}

/// The running domain written out, and served again.
fn export(lab: &Lab) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("corp.ldif");
    let file = file.to_str().unwrap();
    let control = lab.served.ready()["control"].as_str().unwrap();
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_fake-dc"))
            .arg("export")
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let open = run(&["--control", control]);
    assert!(!open.contains("userPassword"));
    assert!(open.contains("dn: CN=Bob Moved,CN=Users,DC=corp,DC=example\n"));
    assert_eq!(run(&["--control", control, "--with-passwords", "--out", file]), "");
    let written = fs::read_to_string(file).unwrap();
    let again = run(&["--domain", "corp.example", "--ldif", file, "--with-passwords"]);
    assert_eq!(again, written);

    let served = Served::start(&["--ldif", file]);
    let way = vec!["-H".to_owned(), served.dc(0)["url"].as_str().unwrap().to_owned()];
    let copy = Lab { served, way };
    let bob = ["-D", "bobnew@corp.example", "-w", "Second0ne!"];
    assert_eq!(copy.run_as(&bob, "ldapwhoami", &[], "").1, "u:CORP\\bobnew\n");
}
