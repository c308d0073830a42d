//! Keytabs are those of MIT's format. `klist -k` reads one in the server's interoperability tests.

use fake_dc_kerberos::{Etype, Keys, Keytab, Principal, PrincipalName, Salt};
use ground::{Secret, Timestamp};

#[test]
fn a_keytab_holds_both_keys_of_a_principal() {
    let salt = Salt::of_computer("CORP.EXAMPLE", "HOST1$");
    let keys = Keys::from_password(&Secret::new("Passw0rd!Lab1"), salt, 300);
    let name = PrincipalName::account("HOST1$");
    let principal = Principal { name, realm: "CORP.EXAMPLE".to_owned() };
    let mut keytab = Keytab::new();
    assert_eq!(keytab.to_bytes(), [5, 2]);
    keytab.add(&principal, &keys, Timestamp::from_unix(0x0102_0304));

    let mut expected = vec![5, 2];
    for etype in Etype::ALL {
        let key = keys.of(etype.number()).map(|key| key.expose()).unwrap_or_default();
        let (kind, octets) = match etype {
            Etype::Aes256 => (18, 32),
            Etype::Aes128 => (17, 16),
            Etype::Rc4 => (23, 16),
        };
        expected.extend([0, 0, 0, 2 + 14 + 8 + 4 + 4 + 1 + 4 + octets + 4]);
        expected.extend([0, 1, 0, 12]);
        expected.extend(b"CORP.EXAMPLE");
        expected.extend([0, 6]);
        expected.extend(b"HOST1$");
        // Kind of name, time, low octet of the version, kind and length of the key.
        expected.extend([0, 0, 0, 1, 1, 2, 3, 4, 44, 0, kind, 0, octets]);
        expected.extend(key);
        expected.extend([0, 0, 1, 44]);
    }
    assert_eq!(keytab.to_bytes(), expected);
}
