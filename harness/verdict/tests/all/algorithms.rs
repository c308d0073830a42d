//! Keys and signature algorithms: chains made by `openssl`, judged by us and, spoiled, judged again.
//!
//! What GnuTLS says to each was compared when this was written (GnuTLS 3.7.9); the table keeps it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use ground::Timestamp;
use trust_verdict::{
    Client, ClientConfig, PemFile, Presented, StatusBits, TlsVersion, TrustFiles, VerifyPeer,
};

/// Key of the root, how it signs, and GnuTLS' status for a sound and for a spoiled signature.
const CASES: [(&str, &str, u32, u32); 25] = [
    ("rsa:2048", "-md5", 0x102, 0x902),
    ("rsa:2048", "-sha1", 0x102, 0x902),
    ("rsa:2048", "-sha224", 0, 0x802),
    ("rsa:2048", "-sha256", 0, 0x802),
    ("rsa:2048", "-sha384", 0, 0x802),
    ("rsa:2048", "-sha512", 0, 0x802),
    ("rsa:2048", "-sha3-224", 0, 0x802),
    ("rsa:2048", "-sha3-256", 0, 0x802),
    ("rsa:2048", "-ripemd160", 0x902, 0x902),
    ("rsa:1024", "-sha256", 0, 0x802),
    ("rsa:1023", "-sha256", 0x102, 0x902),
    ("rsa:512", "-sha256", 0x102, 0x902),
    ("rsa:2048", "-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest", 0, 0x802),
    ("rsa:2048", "-sha512 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest", 0, 0x802),
    ("rsa:2048", "-sha1 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:digest", 0x2, 0x2),
    ("rsa:2048", "-sha256 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:0", 0x802, 0x802),
    ("ec:P-192", "-sha256", 0, 0x802),
    ("ec:P-224", "-sha512", 0, 0x802),
    ("ec:P-256", "-sha1", 0x102, 0x902),
    ("ec:P-256", "-sha3-256", 0, 0x802),
    ("ec:P-384", "-sha512", 0, 0x802),
    ("ec:P-521", "-sha256", 0, 0x802),
    ("ec:secp256k1", "-sha256", 0x102, 0x102),
    ("rsa-pss:2048", "-sha256", 0, 0x802),
    ("ed25519:", "", 0, 0x802),
];

#[test]
fn algorithms_are_judged_as_gnutls_does() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("algorithms");
    fs::create_dir_all(&folder).expect("a folder for keys");
    let openssl = Openssl { folder };
    if !openssl.run("version", "") {
        crate::support::skip("needs the openssl command");
        return;
    }
    fs::write(openssl.folder.join("ext"), "subjectAltName=DNS:dc1.ad.example.test").expect("ext");
    assert!(openssl.run("genpkey", "-algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out leaf.key"));
    assert!(openssl.run("req", "-new -key leaf.key -subj /CN=leaf -out leaf.csr"));
    let mut wrong = Vec::new();
    let mut tried = 0;
    for (key, signing, sound, spoiled) in CASES {
        let Some((root, leaf)) = openssl.chain(key, signing) else {
            crate::support::say(&format!("skipped: this openssl makes no {key} {signing}"));
            continue;
        };
        tried += 1;
        for (spoil, expected) in [(false, sound), (true, spoiled)] {
            let found = judge(&root, &leaf, spoil).bits();
            if found != expected {
                wrong.push(format!("{key} {signing} {spoil}: {found:#x}, not {expected:#x}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(tried > 15, "only {tried} cases could be made");
}

fn judge(root: &[u8], leaf: &[u8], spoil: bool) -> StatusBits {
    let client = Client::new(ClientConfig {
        mode: VerifyPeer::CaAndName,
        trust: TrustFiles { cafile: Some(PemFile::new("ca", root)), ..TrustFiles::default() },
        priority: "NORMAL".to_owned(),
    })
    .expect("a sound root");
    let mut presented = Presented::from_bytes(leaf, TlsVersion::Tls13).expect("a leaf");
    let peer = "dc1.ad.example.test".into();
    let early = client.judge(&peer, &presented, Timestamp::from_unix(0));
    // openssl dates certificates by the machine's clock.
    let (start, _) = early.chain[0].validity.expect("a validity");
    let last = presented.certificates[0].len() - 5;
    presented.certificates[0][last] ^= u8::from(spoil);
    client.judge(&peer, &presented, start.plus_days(1)).status
}

struct Openssl {
    folder: PathBuf,
}

impl Openssl {
    fn run(&self, command: &str, arguments: &str) -> bool {
        Command::new("openssl")
            .current_dir(&self.folder)
            .arg(command)
            .args(arguments.split_whitespace())
            .output()
            .is_ok_and(|output| output.status.success())
    }

    /// Root and leaf in PEM, or nothing where this openssl refuses.
    fn chain(&self, key: &str, signing: &str) -> Option<(Vec<u8>, Vec<u8>)> {
        let (kind, detail) = key.split_once(':')?;
        let options = match kind {
            "rsa" => format!("-algorithm RSA -pkeyopt rsa_keygen_bits:{detail}"),
            "rsa-pss" => format!("-algorithm RSA-PSS -pkeyopt rsa_keygen_bits:{detail}"),
            "ec" => format!("-algorithm EC -pkeyopt ec_paramgen_curve:{detail}"),
            _ => "-algorithm ED25519".to_owned(),
        };
        let name = key.replace(':', "-");
        let exists = self.folder.join(format!("{name}.key")).exists();
        let made = exists || self.run("genpkey", &format!("{options} -out {name}.key"));
        // The root's own signature is never looked at.
        let made =
            made && (self.run(
                "req",
                &format!(
                    "-x509 -new -key {name}.key -subj /CN=root -days 900 -out root.pem {signing}"
                ),
            ) || self.run(
                "req",
                &format!("-x509 -new -key {name}.key -subj /CN=root -days 900 -out root.pem"),
            )) && self.run(
                "x509",
                &format!(
                    "-req -in leaf.csr -CA root.pem -CAkey {name}.key -set_serial 5 -days 800 \
                     -extfile ext -out leaf.pem {signing}"
                ),
            );
        let read = |file: &str| fs::read(self.folder.join(file)).ok();
        if made { Some((read("root.pem")?, read("leaf.pem")?)) } else { None }
    }
}
