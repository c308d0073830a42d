//! The CRL file as GnuTLS 3.8.9 uses it (samba-tls-verify.md §8).
//!
//! Nothing about a CRL is verified: not its signature, not its dates, not its extensions.

use std::collections::BTreeMap;

use crate::{
    certificate::{algorithm_identifier, name, time},
    der::{DerError, Reader, tag},
    extensions::Extension,
    pem::{self, PemError},
    status::GnutlsError,
};

/// The CRLs in force: one per issuer name.
#[derive(Clone, Debug, Default)]
pub(crate) struct CrlSet {
    by_issuer: BTreeMap<Vec<u8>, Crl>,
}

#[derive(Clone, Debug)]
struct Crl {
    this_update: i64,
    serials: Vec<Vec<u8>>,
}

impl CrlSet {
    /// Reads a PEM file. One that holds no CRL is an error.
    pub(crate) fn load(text: &[u8]) -> Result<Self, (usize, GnutlsError)> {
        let blocks = pem::crls(text);
        if blocks.is_empty() {
            return Err((1, PemError::Decoding.into()));
        }
        let mut set = Self::default();
        for block in blocks {
            let bad = |error| (block.line, error);
            let der = block.der.map_err(|error| bad(error.into()))?;
            let (issuer, crl) = Crl::parse(&der).map_err(|error| bad(error.into()))?;
            let is_older = |known: &Crl| crl.this_update < known.this_update;
            if !set.by_issuer.get(&issuer).is_some_and(is_older) {
                set.by_issuer.insert(issuer, crl);
            }
        }
        Ok(set)
    }

    /// Whether the CRL of `issuer` lists `serial`.
    pub(crate) fn revokes(&self, issuer: &[u8], serial: &[u8]) -> bool {
        self.by_issuer
            .get(issuer)
            .is_some_and(|crl| crl.serials.iter().any(|listed| listed == serial))
    }
}

impl Crl {
    fn parse(der: &[u8]) -> Result<(Vec<u8>, Self), DerError> {
        let mut outer = Reader::only(der, tag::SEQUENCE)?.inner();
        let mut body = outer.expect(tag::SEQUENCE)?.inner();
        algorithm_identifier(&mut outer)?;
        outer.expect(tag::BIT_STRING)?;
        outer.end()?;

        body.optional(tag::INTEGER)?;
        algorithm_identifier(&mut body)?;
        let issuer = name(&mut body)?.whole.to_vec();
        let this_update = time(&mut body)?.unwrap_or(-1);
        if matches!(body.peek(), Some(tag::UTC_TIME | tag::GENERALIZED_TIME)) {
            time(&mut body)?;
        }
        let mut serials = Vec::new();
        if let Some(revoked) = body.optional(tag::SEQUENCE)? {
            let mut entries = revoked.inner();
            while !entries.is_empty() {
                let mut entry = entries.expect(tag::SEQUENCE)?.inner();
                serials.push(entry.expect(tag::INTEGER)?.content.to_vec());
                time(&mut entry)?;
                entry.optional(tag::SEQUENCE)?;
                entry.end()?;
            }
        }
        if let Some(wrapper) = body.optional(tag::context_constructed(0))? {
            Extension::list(wrapper)?;
        }
        body.end()?;
        Ok((issuer, Self { this_update, serials }))
    }
}
