//! Keys that tokens are checked with. Each is good for one algorithm (RFC 8725 section 3.1), which it decides and the
//! token does not.

use std::{fmt, fs, path::Path};

use anyhow::{Context as _, bail, ensure};
use ring::{
    hmac,
    signature::{
        ECDSA_P256_SHA256_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
    },
};
use spki::{
    ObjectIdentifier, SubjectPublicKeyInfoOwned,
    der::{Decode as _, DecodePem as _, Reader as _, SliceReader, asn1::UintRef},
};

/// Shortest secret, in bytes: as long as the hash (RFC 7518 section 3.2).
pub(crate) const SECRET_BYTES: usize = 32;
/// Bytes of the modulus of an RSA key: 2,048 bits at least, and what is checked within a reasonable time at most.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1_024;

pub(super) const ED25519_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const EC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const RSA_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");

/// The algorithms that grtc knows (RFC 7518, RFC 8037).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Hs256,
    EdDsa,
    Es256,
    Rs256,
}

/// A key, and perhaps the name that it has in its set (`kid`). `Debug` shows neither secret nor public bytes.
#[derive(Clone)]
pub(crate) struct Key {
    algorithm: Algorithm,
    pub(crate) id: Option<Box<str>>,
    material: Material,
}

#[derive(Clone)]
enum Material {
    Secret(hmac::Key),
    /// The bytes of a key on a curve.
    Point(Box<[u8]>),
    Rsa(Box<RsaPublicKeyComponents<Vec<u8>>>),
}

impl Algorithm {
    /// As a token's header has it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

impl Key {
    /// The secret in a file: its bytes, without a final line feed.
    ///
    /// # Errors
    /// When it can't be read, is too short, or is a key of another kind.
    pub(crate) fn secret_file(path: &Path) -> anyhow::Result<Self> {
        let bytes = fs::read(path).context("it can't be read")?;
        Self::secret(&bytes)
    }

    /// # Errors
    /// When it is too short, or a key of another kind: a public one that is taken for a secret lets everybody in.
    pub(crate) fn secret(bytes: &[u8]) -> anyhow::Result<Self> {
        let material = Material::Secret(secret(bytes)?);
        Ok(Self { algorithm: Algorithm::Hs256, id: None, material })
    }

    /// The public key in a PEM file (`BEGIN PUBLIC KEY`, RFC 7468 section 13).
    ///
    /// # Errors
    /// When it can't be read or is none that grtc can use.
    pub(crate) fn public_file(path: &Path) -> anyhow::Result<Self> {
        let bytes = fs::read(path).context("it can't be read")?;
        Self::public(&bytes)
    }

    /// # Errors
    /// When it is none that grtc can use.
    pub(crate) fn public(pem: &[u8]) -> anyhow::Result<Self> {
        if String::from_utf8_lossy(pem).contains("PRIVATE KEY-----") {
            bail!("it is a private key, which a server does not need: name the public one that belongs to it");
        }
        let key = SubjectPublicKeyInfoOwned::from_pem(pem)
            .map_err(|error| anyhow::anyhow!("it is no public key in PEM (-----BEGIN PUBLIC KEY-----): {error}"))?;
        let bytes = key.subject_public_key.as_bytes().context("its key is no whole number of bytes")?;
        let curve = || key.algorithm.parameters.as_ref()?.decode_as::<ObjectIdentifier>().ok();
        match key.algorithm.oid {
            ED25519_KEY => Self::ed25519(bytes),
            EC_KEY if curve() == Some(P256) => Self::p256(bytes),
            EC_KEY => bail!("its curve is not P-256"),
            RSA_KEY => {
                let (n, e) =
                    rsa_numbers(bytes).map_err(|error| anyhow::anyhow!("its RSA key can't be read: {error}"))?;
                Self::rsa(n, e)
            }
            other => bail!("its kind ({other}) is neither Ed25519, P-256 nor RSA"),
        }
    }

    /// # Errors
    /// When it has not 32 bytes.
    pub(crate) fn ed25519(bytes: &[u8]) -> anyhow::Result<Self> {
        ensure!(bytes.len() == 32, "an Ed25519 key has 32 bytes, and this has {}", bytes.len());
        Ok(Self { algorithm: Algorithm::EdDsa, id: None, material: Material::Point(bytes.into()) })
    }

    /// # Errors
    /// When it is no uncompressed point (SEC 1 section 2.3.3).
    pub(crate) fn p256(bytes: &[u8]) -> anyhow::Result<Self> {
        ensure!(bytes.len() == 65 && bytes[0] == 4, "a P-256 key has to be an uncompressed point of 65 bytes");
        Ok(Self { algorithm: Algorithm::Es256, id: None, material: Material::Point(bytes.into()) })
    }

    /// From its modulus and exponent, as numbers with the highest byte first.
    ///
    /// # Errors
    /// When it is too short or too long.
    pub(crate) fn rsa(n: Vec<u8>, e: Vec<u8>) -> anyhow::Result<Self> {
        let bits = 8 * n.len();
        ensure!(RSA_BYTES.contains(&n.len()), "its RSA key has {bits} bits, and has to have 2048 to 8192");
        let material = Material::Rsa(Box::new(RsaPublicKeyComponents { n, e }));
        Ok(Self { algorithm: Algorithm::Rs256, id: None, material })
    }

    /// The same under this name.
    pub(crate) fn named(self, id: Option<Box<str>>) -> Self {
        Self { id, ..self }
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Whether `signature` is this key's of `message`.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match (&self.material, self.algorithm) {
            (Material::Secret(key), _) => hmac::verify(key, message, signature).is_ok(),
            (Material::Rsa(key), _) => key.verify(&RSA_PKCS1_2048_8192_SHA256, message, signature).is_ok(),
            (Material::Point(key), Algorithm::Es256) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key).verify(message, signature).is_ok()
            }
            (Material::Point(key), _) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature).is_ok(),
        }
    }
}

/// The secret that a file with these bytes has: all of them but a final line feed.
///
/// # Errors
/// When it is too short, or a key of another kind: a public one that is taken for a secret lets everybody in.
pub(crate) fn secret(bytes: &[u8]) -> anyhow::Result<hmac::Key> {
    let secret = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    ensure!(
        !is_pem(bytes),
        "it is a key in PEM and no secret (a public one that checks tokens is for --auth-public-key)"
    );
    ensure!(
        secret.len() >= SECRET_BYTES,
        "it has {} bytes, and a secret has to have {SECRET_BYTES} at least: `grtc-server token key` makes one",
        secret.len()
    );
    Ok(hmac::Key::new(hmac::HMAC_SHA256, secret))
}

/// Whether this is a key in PEM.
pub(crate) fn is_pem(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"-----BEGIN ")
}

/// The modulus and the exponent (RFC 8017 appendix A.1.1).
fn rsa_numbers(der: &[u8]) -> spki::der::Result<(Vec<u8>, Vec<u8>)> {
    SliceReader::new(der)?.sequence(|numbers| {
        let (n, e) = (UintRef::decode(numbers)?, UintRef::decode(numbers)?);
        Ok((n.as_bytes().to_vec(), e.as_bytes().to_vec()))
    })
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("algorithm", &self.algorithm.name()).finish_non_exhaustive()
    }
}
