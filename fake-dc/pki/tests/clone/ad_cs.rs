//! Certificates as AD CS issues them.

use std::{fs, path::Path};

use fake_dc_pki::{
    PemFile,
    clone::{CloneOptions, ClonedChain, Original},
};
use x509_parser::prelude::{FromDer, GeneralName, ParsedExtension, X509Certificate};

use crate::{der, openssl::openssl, options};

/// What AD CS and its administrators put into certificates of domain controllers.
const AD_CS: &str = r"
[req]
prompt = no
distinguished_name = dn
utf8 = yes
[dn]
0.DC = com
1.DC = contoso
2.DC = ad
O = Contoso Nürnberg
OU = Domänencontroller
CN = dc1.ad.contoso.com
emailAddress = pki.team@contoso.com
[leaf]
subjectAltName = @san
1.3.6.1.4.1.311.20.2 = ASN1:BMPSTRING:ContosoDomainController
1.3.6.1.4.1.311.21.7 = ASN1:SEQUENCE:template
1.3.6.1.4.1.311.25.2 = ASN1:SEQUENCE:security
crlDistributionPoints = cdp
authorityInfoAccess = caIssuers;URI:http://pki.contoso.com/CertEnroll/Contoso-Issuing-CA.crt
certificatePolicies = 1.3.6.1.4.1.311.21.8.1234567.7654321.1.402
nsComment = Issued for Contoso by the Helvetia team
[san]
otherName.1 = 1.3.6.1.4.1.311.20.2.3;UTF8:DC1\$@AD.CONTOSO.COM
otherName.2 = 1.3.6.1.4.1.311.25.1;FORMAT:HEX,OCTETSTRING:00112233445566778899aabbccddeeff
DNS.1 = DC1.ad.contoso.com
DNS.2 = *.apps.contoso.com
DNS.3 = xn--mnchen-3ya.contoso.com
IP.1 = 10.20.30.40
IP.2 = 2001:db8::77
email.1 = pki.team@contoso.com
URI.1 = https://www.contoso.com:8443/start?user=helvetia
dirName.1 = dn
[template]
id = OID:1.3.6.1.4.1.311.21.8.1234567.7654321.1.402
major = INTEGER:100
[security]
sid = IMPLICIT:0,SEQUENCE:sid
[sid]
id = OID:1.3.6.1.4.1.311.25.2.1
value = EXPLICIT:0,FORMAT:ASCII,OCTETSTRING:S-1-5-21-3623811015-3361044348-30300820-1013
[cdp]
fullname = @cdp_names
[cdp_names]
URI.1 = ldap:///CN=Contoso-Issuing-CA,CN=pki1,CN=CDP,CN=Public%20Key%20Services,CN=Services,CN=Configuration,DC=ad,DC=contoso,DC=com?certificateRevocationList?base?objectClass=cRLDistributionPoint
URI.2 = http://pki.contoso.com/CertEnroll/Contoso-Issuing-CA.crl
[root]
basicConstraints = critical,CA:TRUE
nameConstraints = permitted;DNS:.contoso.com, permitted;IP:10.20.0.0/255.255.0.0, excluded;email:helvetia.contoso.com
";

fn ad_cs(here: &Path) -> Option<(Vec<u8>, Vec<u8>)> {
    fs::write(here.join("ad.cnf"), AD_CS).unwrap();
    for key in ["root.key", "leaf.key"] {
        openssl(here, &["genrsa", "-out", key, "2048"])?;
    }
    openssl(
        here,
        &[
            "req",
            "-x509",
            "-new",
            "-config",
            "ad.cnf",
            "-extensions",
            "root",
            "-key",
            "root.key",
            "-subj",
            "/DC=com/DC=contoso/CN=Contoso Root CA",
            "-days",
            "9000",
            "-out",
            "root.pem",
        ],
    )?;
    openssl(here, &["req", "-new", "-config", "ad.cnf", "-key", "leaf.key", "-out", "leaf.csr"])?;
    openssl(
        here,
        &[
            "x509",
            "-req",
            "-in",
            "leaf.csr",
            "-CA",
            "root.pem",
            "-CAkey",
            "root.key",
            "-days",
            "9000",
            "-extfile",
            "ad.cnf",
            "-extensions",
            "leaf",
            "-out",
            "leaf.pem",
        ],
    )?;
    Some((fs::read(here.join("leaf.pem")).unwrap(), fs::read(here.join("root.pem")).unwrap()))
}

fn ad_cs_clone(leaf: &[u8], root: &[u8], options: &CloneOptions) -> ClonedChain {
    Original::from_pem(&PemFile::new("leaf.pem", leaf))
        .unwrap()
        .trusted_by(&PemFile::new("root.pem", root))
        .clone_with(options)
        .unwrap()
}

#[test]
fn a_certificate_of_ad_cs_is_cloned_to_the_last_octet() {
    let folder = tempfile::tempdir().unwrap();
    let Some((leaf, root)) = ad_cs(folder.path()) else { return };
    let clone = ad_cs_clone(&leaf, &root, &options());
    let old = &der(&leaf)[0];
    let new = clone.chain().certificates[0].to_vec();
    let (_, old) = X509Certificate::from_der(old).unwrap();
    let (_, new) = X509Certificate::from_der(&new).unwrap();
    assert_eq!(new.subject().as_raw(), old.subject().as_raw());
    assert_eq!(new.issuer().as_raw(), old.issuer().as_raw());
    assert_eq!(new.raw_serial(), old.raw_serial());
    assert_eq!(new.validity(), old.validity());
    assert_eq!(new.extensions().len(), old.extensions().len());
    for (new, old) in new.extensions().iter().zip(old.extensions()) {
        assert_eq!((&new.oid, new.critical), (&old.oid, old.critical));
        if !["2.5.29.14", "2.5.29.35"].contains(&old.oid.to_id_string().as_str()) {
            assert_eq!(new.value, old.value);
        }
    }
}

#[test]
fn a_certificate_of_ad_cs_is_scrubbed_of_every_name() {
    let folder = tempfile::tempdir().unwrap();
    let Some((leaf, root)) = ad_cs(folder.path()) else { return };
    let clone = ad_cs_clone(&leaf, &root, &options().scrubbing_names());
    let mut map = clone.map().unwrap().clone();
    let made = [clone.chain().certificates[0].to_vec(), der(&clone.trusted()[0])[0].clone()];
    let all = made.concat().to_ascii_lowercase();
    let held = |part: &[u8]| all.windows(part.len()).any(|window| window == part);
    for name in [
        "contoso",
        "rnberg",
        "nencontroller",
        "helvetia",
        "team",
        "nchen",
        "apps",
        "dc1",
        "pki1",
        "3623811015",
        "3361044348",
        "30300820",
        "1013",
    ] {
        let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert!(!held(name.as_bytes()) && !held(&wide), "`{name}` is left");
    }
    for octets in
        [&[0x00, 0x11, 0x22, 0x33, 0x44, 0x55][..], &[10, 20, 30, 40], &[0x04, 0x10, 0, 0x11]]
    {
        assert!(!held(octets), "{octets:?} is left");
    }

    // The outline is the same: every tag in the same place.
    let print = |der: &[u8]| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("it.der"), der).unwrap();
        let text =
            openssl(folder.path(), &["asn1parse", "-inform", "DER", "-in", "it.der"]).unwrap();
        let text = String::from_utf8_lossy(&text).into_owned();
        let outline = text.lines().filter_map(|line| {
            let (_, line) = line.split_once("d=")?;
            let (depth, _) = line.split_once(' ')?;
            let (_, what) = line.split_once(": ")?;
            let what = what.split(':').next()?.trim();
            Some(format!("{depth} {what}\n"))
        });
        outline.collect::<String>()
    };
    assert_eq!(print(&made[0]), print(&der(&leaf)[0]));

    // Names that belonged together still do.
    let (_, leaf) = X509Certificate::from_der(&made[0]).unwrap();
    let (_, root) = X509Certificate::from_der(&made[1]).unwrap();
    assert_eq!(leaf.issuer().as_raw(), root.subject().as_raw());
    let host = map.name("dc1.ad.contoso.com");
    let domain = map.name("contoso.com");
    assert!(host.ends_with(&format!(".{domain}")), "{host} {domain}");
    let common_name = leaf.subject().iter_common_name().next().unwrap().as_str().unwrap();
    assert_eq!(common_name, host);
    let san = leaf.subject_alternative_name().unwrap().unwrap().value.general_names.clone();
    let names: Vec<String> = san
        .iter()
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some((*name).to_owned()),
            _ => None,
        })
        .collect();
    assert!(
        names[0].eq_ignore_ascii_case(&host) && names[0].starts_with(|it: char| it.is_uppercase())
    );
    assert!(names[1].starts_with("*.") && names[1].ends_with(&domain), "{names:?}");
    assert!(names[2].starts_with("xn--") && names[2].ends_with(&domain), "{names:?}");
    let (unicode, sound) = idna::domain_to_unicode(&names[2]);
    assert!(sound.is_ok() && !unicode.is_ascii(), "{unicode}");
    let constraints = root.name_constraints().unwrap().unwrap().value.clone();
    let permitted: Vec<String> =
        constraints.permitted_subtrees.unwrap().iter().map(|it| format!("{:?}", it.base)).collect();
    assert!(permitted[0].contains(&format!(".{domain}")), "{permitted:?}");
    // 10.20.0.0/16 covered 10.20.30.40, and its exchange covers what that became.
    let range = root.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::NameConstraints(it) => {
            it.permitted_subtrees.as_ref()?.iter().find_map(|it| match it.base {
                GeneralName::IPAddress(range) => Some(range.to_vec()),
                _ => None,
            })
        }
        _ => None,
    });
    let address = san.iter().find_map(|name| match name {
        GeneralName::IPAddress(address) if address.len() == 4 => Some(address.to_vec()),
        _ => None,
    });
    let (range, address) = (range.unwrap(), address.unwrap());
    assert_eq!(range[..2], address[..2]);
    assert_eq!(range[2..], [0, 0, 255, 255, 0, 0]);
    assert_ne!(range[..2], [10, 20]);
}
