//! The other judge: GnuTLS in a process of its own, and the cases both are asked about.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use ground::Timestamp;
use trust_verdict::{
    Class, Client, ClientConfig, PeerName, PemFile, Presented, StatusBits, TlsVersion, TrustFiles,
    Verdict, VerifyPeer,
};

use crate::support;

/// The name all cases are asked about.
pub(crate) const PEER: &str = "dc1.ad.example.test";

/// GnuTLS in a process of its own.
pub(crate) struct Gnutls {
    process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Gnutls {
    /// Builds and starts it; `None` if the machine cannot.
    pub(crate) fn start() -> Option<Self> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gnutls/judge.c");
        let program = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("gnutls-judge-{:?}", std::thread::current().id()));
        let built = Command::new("cc").arg(source).arg("-o").arg(&program).arg("-lgnutls").output();
        if !built.is_ok_and(|output| output.status.success()) {
            support::skip("needs a C compiler and libgnutls (Debian: gcc and libgnutls28-dev)");
            return None;
        }
        let mut process = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program that was just built");
        let questions = process.stdin.take().expect("piped");
        let answers = BufReader::new(process.stdout.take().expect("piped"));
        Some(Self { process, questions, answers })
    }

    pub(crate) fn ask(&mut self, kind: u8, fields: &[&[u8]]) -> String {
        let mut bytes = vec![kind];
        for field in fields {
            bytes.extend(u32::try_from(field.len()).expect("a short field").to_be_bytes());
            bytes.extend(*field);
        }
        self.questions.write_all(&bytes).expect("GnuTLS takes questions");
        self.questions.flush().expect("GnuTLS takes questions");
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("GnuTLS answers");
        line.trim().to_owned()
    }

    /// Version of the library.
    pub(crate) fn version(&mut self) -> String {
        self.ask(b'G', &[])
    }

    pub(crate) fn verify(&mut self, case: &Case, at: Timestamp) -> String {
        let (time, count) = (at.unix().to_string(), case.sent.len().to_string());
        let mut fields: Vec<&[u8]> =
            vec![time.as_bytes(), case.cafile.as_bytes(), case.crlfile.as_bytes()];
        fields.push(PEER.as_bytes());
        fields.push(count.as_bytes());
        fields.extend(case.sent.iter().map(Vec::as_slice));
        self.ask(b'V', &fields)
    }
}

impl Drop for Gnutls {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to stop.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
/// One chain, the files it is judged with, and how it was made.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) cafile: String,
    pub(crate) crlfile: String,
    pub(crate) sent: Vec<Vec<u8>>,
    pub(crate) story: String,
}

impl Case {
    /// Our verdict, as the C program would tell it.
    pub(crate) fn judge(&self, at: Timestamp) -> Ours {
        let crlfile = Some(&self.crlfile).filter(|text| !text.is_empty());
        let config = ClientConfig {
            mode: VerifyPeer::CaAndName,
            trust: TrustFiles {
                cafile: Some(PemFile::new("cafile", self.cafile.as_str())),
                crlfile: crlfile.map(|text| PemFile::new("crlfile", text.as_str())),
                ..TrustFiles::default()
            },
            priority: "NORMAL".to_owned(),
        };
        let peer = PeerName::new(PEER);
        Ours::of(&match Client::new(config) {
            Ok(client) => {
                let sent = Presented { certificates: self.sent.clone(), tls: TlsVersion::Tls13 };
                client.judge(&peer, &sent, at)
            }
            Err(error) => error.verdict(&peer, at),
        })
    }

    pub(crate) fn has_repeats(&self) -> bool {
        self.sent.iter().enumerate().any(|(place, der)| self.sent[..place].contains(der))
    }
}

/// Where Samba differs from the one function of GnuTLS that the C program calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Difference {
    ChannelBinding,
    EmptyTrustSet,
    MustStaple,
}

impl Difference {
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::ChannelBinding => {
                "Samba computes tls-server-end-point after verification and fails if it cannot"
            }
            Self::EmptyTrustSet => {
                "Samba refuses an empty trust set before TLS; GnuTLS just finds no signer"
            }
            Self::MustStaple => {
                "stapling is checked by gnutls_certificate_verify_peers3, which Samba calls, and not \
                 by gnutls_x509_trust_list_verify_crt2 below it"
            }
        }
    }
}

/// What GnuTLS should say if we are right.
#[derive(Clone, Debug)]
pub(crate) struct Ours {
    pub(crate) answer: String,
    /// What had to be left out of the verdict for that.
    pub(crate) difference: Option<Difference>,
}

impl Ours {
    fn of(verdict: &Verdict) -> Self {
        let error = verdict.gnutls.map_or("", |error| error.name());
        let mut difference = None;
        let answer = match verdict.class {
            Class::Accept => "0x0".to_owned(),
            Class::BindingError => {
                difference = Some(Difference::ChannelBinding);
                "0x0".to_owned()
            }
            Class::Reject => {
                let stapling = StatusBits::MISSING_OCSP_STATUS.bits();
                let bits = verdict.status.bits();
                if bits & stapling != 0 {
                    difference = Some(Difference::MustStaple);
                }
                match bits & !stapling {
                    2 if bits & stapling != 0 => "0x0".to_owned(),
                    bits => format!("{bits:#x}"),
                }
            }
            Class::ConfigError if error.is_empty() => {
                difference = Some(Difference::EmptyTrustSet);
                String::new()
            }
            Class::ConfigError => {
                let is_cafile = verdict.words(0).stderr[0].contains("cafile");
                format!("{} {error}", if is_cafile { "cafile" } else { "crlfile" })
            }
            Class::TlsError | Class::VerifyError => format!("certificate {error}"),
        };
        Self { answer, difference }
    }

    pub(crate) fn agrees(&self, theirs: &str) -> bool {
        self.answer == theirs || self.difference == Some(Difference::EmptyTrustSet)
    }
}
