//! Object identifiers, by the names of the standards that give them.

// RFC 5280, appendix A: attributes of names.
pub(crate) const COMMON_NAME: &[u64] = &[2, 5, 4, 3];
pub(crate) const COUNTRY: &[u64] = &[2, 5, 4, 6];
pub(crate) const LOCALITY: &[u64] = &[2, 5, 4, 7];
pub(crate) const ORGANIZATION: &[u64] = &[2, 5, 4, 10];
pub(crate) const ORGANIZATIONAL_UNIT: &[u64] = &[2, 5, 4, 11];
pub(crate) const DOMAIN_COMPONENT: &[u64] = &[0, 9, 2342, 19_200_300, 100, 1, 25];
pub(crate) const EMAIL_ADDRESS: &[u64] = &[1, 2, 840, 113_549, 1, 9, 1];

// RFC 5280, section 4.2; RFC 7633 (TLS feature).
pub(crate) const SUBJECT_KEY_ID: &[u64] = &[2, 5, 29, 14];
pub(crate) const KEY_USAGE: &[u64] = &[2, 5, 29, 15];
pub(crate) const SUBJECT_ALT_NAME: &[u64] = &[2, 5, 29, 17];
pub(crate) const BASIC_CONSTRAINTS: &[u64] = &[2, 5, 29, 19];
pub(crate) const CRL_NUMBER: &[u64] = &[2, 5, 29, 20];
pub(crate) const REASON_CODE: &[u64] = &[2, 5, 29, 21];
pub(crate) const CRL_DISTRIBUTION_POINTS: &[u64] = &[2, 5, 29, 31];
pub(crate) const NAME_CONSTRAINTS: &[u64] = &[2, 5, 29, 30];
pub(crate) const POLICY_CONSTRAINTS: &[u64] = &[2, 5, 29, 36];
pub(crate) const AUTHORITY_KEY_ID: &[u64] = &[2, 5, 29, 35];
pub(crate) const EXTENDED_KEY_USAGE: &[u64] = &[2, 5, 29, 37];
pub(crate) const AUTHORITY_INFO_ACCESS: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 1];
pub(crate) const CA_ISSUERS: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 48, 2];
pub(crate) const CERTIFICATE_POLICIES: &[u64] = &[2, 5, 29, 32];
pub(crate) const POLICY_MAPPINGS: &[u64] = &[2, 5, 29, 33];
pub(crate) const INHIBIT_ANY_POLICY: &[u64] = &[2, 5, 29, 54];
pub(crate) const TLS_FEATURE: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 1, 24];

// [MS-WCCE], section 2.2.2.7.5.
pub(crate) const USER_PRINCIPAL_NAME: &[u64] = &[1, 3, 6, 1, 4, 1, 311, 20, 2, 3];

// RFC 5280, section 4.2.1.12.
pub(crate) const ANY_PURPOSE: &[u64] = &[2, 5, 29, 37, 0];
pub(crate) const SERVER_AUTH: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 3, 1];
pub(crate) const CLIENT_AUTH: &[u64] = &[1, 3, 6, 1, 5, 5, 7, 3, 2];

// RFC 8017, appendix C: keys, signatures and hashes of RSA.
pub(crate) const RSA_ENCRYPTION: &[u64] = &[1, 2, 840, 113_549, 1, 1, 1];
pub(crate) const MD5_WITH_RSA: &[u64] = &[1, 2, 840, 113_549, 1, 1, 4];
pub(crate) const SHA1_WITH_RSA: &[u64] = &[1, 2, 840, 113_549, 1, 1, 5];
pub(crate) const MGF1: &[u64] = &[1, 2, 840, 113_549, 1, 1, 8];
pub(crate) const RSASSA_PSS: &[u64] = &[1, 2, 840, 113_549, 1, 1, 10];
pub(crate) const SHA256_WITH_RSA: &[u64] = &[1, 2, 840, 113_549, 1, 1, 11];
pub(crate) const SHA384_WITH_RSA: &[u64] = &[1, 2, 840, 113_549, 1, 1, 12];
pub(crate) const SHA512_WITH_RSA: &[u64] = &[1, 2, 840, 113_549, 1, 1, 13];
pub(crate) const SHA224_WITH_RSA: &[u64] = &[1, 2, 840, 113_549, 1, 1, 14];
pub(crate) const MD5: &[u64] = &[1, 2, 840, 113_549, 2, 5];
pub(crate) const SHA1: &[u64] = &[1, 3, 14, 3, 2, 26];
pub(crate) const SHA256: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 2, 1];
pub(crate) const SHA384: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 2, 2];
pub(crate) const SHA512: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 2, 3];
pub(crate) const SHA224: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 2, 4];

// RFC 5480 and RFC 5758: keys and signatures on elliptic curves.
pub(crate) const EC_PUBLIC_KEY: &[u64] = &[1, 2, 840, 10_045, 2, 1];
pub(crate) const P256: &[u64] = &[1, 2, 840, 10_045, 3, 1, 7];
pub(crate) const P384: &[u64] = &[1, 3, 132, 0, 34];
pub(crate) const P521: &[u64] = &[1, 3, 132, 0, 35];
pub(crate) const ECDSA_WITH_SHA1: &[u64] = &[1, 2, 840, 10_045, 4, 1];
pub(crate) const ECDSA_WITH_SHA224: &[u64] = &[1, 2, 840, 10_045, 4, 3, 1];
pub(crate) const ECDSA_WITH_SHA256: &[u64] = &[1, 2, 840, 10_045, 4, 3, 2];
pub(crate) const ECDSA_WITH_SHA384: &[u64] = &[1, 2, 840, 10_045, 4, 3, 3];
pub(crate) const ECDSA_WITH_SHA512: &[u64] = &[1, 2, 840, 10_045, 4, 3, 4];

// RFC 8410.
pub(crate) const ED25519: &[u64] = &[1, 3, 101, 112];

// NIST's Computer Security Objects Register: SHA-3 (FIPS 202), which GnuTLS takes.
pub(crate) const SHA3_224: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 2, 7];
pub(crate) const SHA3_256: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 2, 8];
pub(crate) const SHA3_384: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 2, 9];
pub(crate) const SHA3_512: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 2, 10];
pub(crate) const ECDSA_WITH_SHA3_224: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 3, 9];
pub(crate) const ECDSA_WITH_SHA3_256: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 3, 10];
pub(crate) const ECDSA_WITH_SHA3_384: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 3, 11];
pub(crate) const ECDSA_WITH_SHA3_512: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 3, 12];
pub(crate) const SHA3_224_WITH_RSA: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 3, 13];
pub(crate) const SHA3_256_WITH_RSA: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 3, 14];
pub(crate) const SHA3_384_WITH_RSA: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 3, 15];
pub(crate) const SHA3_512_WITH_RSA: &[u64] = &[2, 16, 840, 1, 101, 3, 4, 3, 16];
