//! Every certificate fault of the catalogue, alone and two at a time, judged by both.

use fake_dc_pki::{Chain, ChainFault, DcIdentity, Pki, catalogue};
use ground::Seed;

use crate::{
    gnutls::{Case, Gnutls},
    support,
};

/// What ends the handshake, before the function of GnuTLS that is asked here: the number of
/// certificates, what the key may be used for, a key that nobody knows.
const IN_THE_HANDSHAKE: [&str; 4] = [
    "algorithm.unknown-key",
    "chain.too-long",
    "profile.key-usage-agreement-only",
    "profile.key-usage-without-signature",
];

/// How far in the catalogue the other fault of a pair is: into another family.
const STEP: usize = 37;

#[test]
fn the_catalogue_agrees_with_gnutls() {
    let Some(mut gnutls) = Gnutls::start() else { return };
    let at = support::now();
    let pki = Pki::new(&Seed::new(7), at, "ad.example.test").expect("a domain");
    let dc1 = DcIdentity::new("dc1", "ad.example.test", [127, 0, 1, 11].into());
    let all: Vec<ChainFault> = catalogue().filter_map(|info| info.id.parse().ok()).collect();
    let (mut count, mut accepted, mut disagreements) = (0, 0, Vec::new());
    for (index, &fault) in all.iter().enumerate() {
        for faults in [vec![fault], vec![fault, all[(index + STEP) % all.len()]]] {
            let chain = pki.chain(&dc1, &faults).expect("a chain");
            for case in cases(&chain, pki.root_pem()) {
                let ours = case.judge(at);
                if faults.iter().any(|fault| IN_THE_HANDSHAKE.contains(&fault.id())) {
                    assert!(ours.answer.starts_with("certificate GNUTLS_E_"), "{faults:?}");
                    continue;
                }
                let theirs = gnutls.verify(&case, at);
                count += 1;
                accepted += u32::from(theirs == "0x0");
                if !ours.agrees(&theirs) {
                    let (answer, story) = (ours.answer, &case.story);
                    disagreements
                        .push(format!("{faults:?}, {story}: ours {answer}, GnuTLS {theirs}"));
                }
            }
        }
    }
    support::say(&format!(
        "GnuTLS {}: {} of {count} judgements of the catalogue agree ({accepted} accept)",
        gnutls.version(),
        count - disagreements.len()
    ));
    assert!(disagreements.is_empty(), "{}", disagreements.join("\n"));
}

/// The chain before hosts that trust the domain's root, its own root, or both, and before hosts
/// that have its revocation lists.
fn cases(chain: &Chain, root: &str) -> Vec<Case> {
    let sent: Vec<Vec<u8>> = chain.certificates.iter().map(|der| der.to_vec()).collect();
    if sent.is_empty() {
        return Vec::new();
    }
    let anchor = chain.anchor_pem().unwrap_or_default();
    let case = |story: &str, cafile: String, crlfile: String| Case {
        cafile,
        crlfile,
        sent: sent.clone(),
        story: story.to_owned(),
    };
    let mut cases = vec![
        case("the domain's root", root.to_owned(), String::new()),
        case("with lists", root.to_owned(), chain.crl_pem()),
    ];
    if anchor != root {
        cases.push(case("its own root", anchor.clone(), String::new()));
        cases.push(case("both roots", format!("{root}{anchor}"), String::new()));
        cases.push(case("both roots, its own first", format!("{anchor}{root}"), String::new()));
    }
    cases
}
