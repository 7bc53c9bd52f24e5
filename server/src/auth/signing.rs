//! Keys that tokens are made with: for `grtc-server token`, and for programs that make their own.

use std::fmt;

use anyhow::{Context as _, bail};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
    },
};
use serde_json::json;
use spki::{
    AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned,
    der::{EncodePem as _, asn1::BitString, pem},
};

use super::key::{Algorithm, ED25519_KEY, Key, is_pem, secret};

/// A key with which tokens can be signed.
pub(crate) enum SigningKey {
    Secret(hmac::Key),
    Ed25519(Ed25519KeyPair),
    P256(EcdsaKeyPair),
    Rsa(RsaKeyPair),
}

/// Makes tokens with a key that it has read, for a program that needs many of them.
pub struct TokenMaker(SigningKey);

/// A new key: what belongs into its file, and the public key that belongs to it, if it is a pair.
pub(crate) struct NewKey {
    pub(crate) private: String,
    pub(crate) public: Option<String>,
}

impl SigningKey {
    /// Reads a key: a private one in PEM (PKCS #8), else a secret.
    ///
    /// # Errors
    /// When it is neither.
    pub(crate) fn read(bytes: &[u8]) -> anyhow::Result<Self> {
        if !is_pem(bytes) {
            return secret(bytes).map(Self::Secret);
        }
        let (label, der) = pem::decode_vec(bytes.trim_ascii_start())
            .map_err(|error| anyhow::anyhow!("it begins as a key in PEM and goes on otherwise: {error}"))?;
        match label {
            "PRIVATE KEY" => {}
            "PUBLIC KEY" => bail!("it is a public key: tokens are made with the private one that belongs to it"),
            other => bail!("it is {other:?}, and has to be a PRIVATE KEY in PKCS #8 (openssl pkcs8 -topk8 -nocrypt)"),
        }
        let random = SystemRandom::new();
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der) {
            return Ok(Self::Ed25519(pair));
        }
        if let Ok(pair) = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &der, &random) {
            return Ok(Self::P256(pair));
        }
        match RsaKeyPair::from_pkcs8(&der) {
            Ok(pair) => Ok(Self::Rsa(pair)),
            Err(error) => bail!("it is neither Ed25519, P-256 nor RSA of 2048 bits and more ({error})"),
        }
    }

    pub(crate) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Secret(_) => Algorithm::Hs256,
            Self::Ed25519(_) => Algorithm::EdDsa,
            Self::P256(_) => Algorithm::Es256,
            Self::Rsa(_) => Algorithm::Rs256,
        }
    }

    /// The key that checks what this one signs.
    ///
    /// # Errors
    /// When there is none that grtc can use.
    pub(crate) fn verifying(&self, bytes: &[u8]) -> anyhow::Result<Key> {
        match self {
            Self::Secret(_) => Key::secret(bytes),
            Self::Ed25519(pair) => Key::ed25519(pair.public_key().as_ref()),
            Self::P256(pair) => Key::p256(pair.public_key().as_ref()),
            Self::Rsa(pair) => {
                let numbers = ring::rsa::PublicKeyComponents::<Vec<u8>>::from(pair.public());
                Key::rsa(numbers.n, numbers.e)
            }
        }
    }

    /// A token with these claims.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(crate) fn sign(&self, claims: &serde_json::Value) -> anyhow::Result<String> {
        let header = json!({ "alg": self.algorithm().name(), "typ": "JWT" });
        let part = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let message = format!("{}.{}", part(&header), part(claims));
        let signature = self.signature(message.as_bytes()).context("the token can't be signed")?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    fn signature(&self, message: &[u8]) -> anyhow::Result<Vec<u8>> {
        let (random, failed) = (SystemRandom::new(), |_| anyhow::anyhow!("the system gives no randomness"));
        Ok(match self {
            Self::Secret(key) => hmac::sign(key, message).as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::P256(pair) => pair.sign(&random, message).map_err(failed)?.as_ref().to_vec(),
            Self::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).map_err(failed)?;
                signature
            }
        })
    }
}

impl TokenMaker {
    /// Reads the content of a key's file: a private key in PEM (PKCS #8), else a secret of 32 bytes at least.
    ///
    /// # Errors
    /// When it is neither.
    pub fn read(bytes: &[u8]) -> anyhow::Result<Self> {
        SigningKey::read(bytes).map(Self)
    }

    /// A token with these claims (RFC 7519), whatever they say.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn sign(&self, claims: &serde_json::Value) -> anyhow::Result<String> {
        self.0.sign(claims)
    }
}

/// The key stays out of it.
impl fmt::Debug for TokenMaker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokenMaker").field(&self.0.algorithm()).finish()
    }
}

impl NewKey {
    /// A secret of 256 bits, as 64 hexadecimal digits and a line feed.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(crate) fn secret() -> anyhow::Result<Self> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        let digits = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        Ok(Self { private: format!("{digits}\n"), public: None })
    }

    /// An Ed25519 pair (RFC 8410).
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(crate) fn ed25519() -> anyhow::Result<Self> {
        let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
            .map_err(|_| anyhow::anyhow!("the system gives no randomness"))?;
        let pair =
            Ed25519KeyPair::from_pkcs8(der.as_ref()).map_err(|error| anyhow::anyhow!("no key was made: {error}"))?;
        let algorithm = AlgorithmIdentifierOwned { oid: ED25519_KEY, parameters: None };
        let subject_public_key = BitString::from_bytes(pair.public_key().as_ref())?;
        let public = SubjectPublicKeyInfoOwned { algorithm, subject_public_key }.to_pem(pem::LineEnding::LF)?;
        let private = pem::encode_string("PRIVATE KEY", pem::LineEnding::LF, der.as_ref())
            .map_err(|error| anyhow::anyhow!("the key can't be written: {error}"))?;
        Ok(Self { private, public: Some(public) })
    }
}
