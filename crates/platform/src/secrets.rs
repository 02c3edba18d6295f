//! Keeps other people's tokens unreadable at rest: XChaCha20-Poly1305, bound to where they belong.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use secrecy::SecretString;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const VERSION: &str = "v1";
const NONCE_BYTES: usize = 24;

/// Why a secret could not be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// The text is no key; the start must stop.
    #[error("a key is base64 of 32 bytes; make one with: openssl rand -base64 32")]
    NotAKey,
    /// The key that sealed this is not here; it has to be brought back or the secret pasted again.
    #[error("sealed with key {key_id}, which is not configured (configured: {})", known.join(", "))]
    UnknownKey {
        /// The key that would open it.
        key_id: String,
        /// The keys that we have.
        known: Vec<String>,
    },
    /// Somebody changed the bytes, or moved them to another place.
    #[error("the secret does not belong here or was changed (sealed with key {key_id})")]
    Tampered {
        /// The key that sealed it.
        key_id: String,
    },
    /// The text never was a sealed secret.
    #[error("not a sealed secret: expected {VERSION}:<key id>:<base64>")]
    Malformed,
}

/// 32 secret bytes, wiped when dropped and never printed.
#[derive(Clone)]
pub struct Key {
    bytes: Zeroizing<[u8; 32]>,
    id: String,
}

impl Key {
    /// A key from the bytes themselves.
    pub fn new(bytes: [u8; 32]) -> Key {
        let digest = Sha256::digest(bytes);
        let id = digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        Key { bytes: Zeroizing::new(bytes), id }
    }

    /// A key that nobody has seen before.
    pub fn random() -> Key {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).expect("the operating system has randomness");
        Key::new(bytes)
    }

    /// Names the key without giving it away: the first 8 hex digits of its SHA-256.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The bytes, for signing.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// The key as it is configured: base64.
    pub fn to_base64(&self) -> SecretString {
        SecretString::from(STANDARD.encode(self.bytes.as_slice()))
    }
}

impl FromStr for Key {
    type Err = Error;

    fn from_str(text: &str) -> Result<Key, Error> {
        let decoded = Zeroizing::new(STANDARD.decode(text.trim()).map_err(|_| Error::NotAKey)?);
        let bytes = decoded.as_slice().try_into().map_err(|_| Error::NotAKey)?;
        Ok(Key::new(bytes))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.id)
    }
}

/// A secret nobody can read without the key; as text `v1:<key id>:<base64>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The key that opens it.
    pub key_id: String,
    /// Nonce and ciphertext.
    pub bytes: Vec<u8>,
}

impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{VERSION}:{}:{}", self.key_id, STANDARD.encode(&self.bytes))
    }
}

impl FromStr for Sealed {
    type Err = Error;

    fn from_str(text: &str) -> Result<Sealed, Error> {
        let mut parts = text.splitn(3, ':');
        let (Some(VERSION), Some(key_id), Some(encoded)) =
            (parts.next(), parts.next(), parts.next())
        else {
            return Err(Error::Malformed);
        };
        let bytes = STANDARD.decode(encoded).map_err(|_| Error::Malformed)?;
        if bytes.len() <= NONCE_BYTES {
            return Err(Error::Malformed);
        }
        Ok(Sealed { key_id: key_id.to_owned(), bytes })
    }
}

/// Seals with the current key, opens with that and with older ones.
#[derive(Debug, Clone)]
pub struct Vault {
    current: Key,
    old: Vec<Key>,
}

impl Vault {
    /// A vault with one key.
    pub fn new(key: Key) -> Vault {
        Vault { current: key, old: Vec::new() }
    }

    /// The same vault, that also opens what these retired keys sealed.
    pub fn with_old(self, old: Vec<Key>) -> Vault {
        Vault { old, ..self }
    }

    /// Locks a secret up. It opens only for the same `place`, such as client, integration, field.
    pub fn seal(&self, secret: &str, place: &[&str]) -> Sealed {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).expect("the operating system has randomness");
        let bound = associated_data(self.current.id(), place);
        let payload = Payload { msg: secret.as_bytes(), aad: &bound };
        let ciphertext = cipher(&self.current)
            .encrypt(&XNonce::from(nonce), payload)
            .expect("a secret is far below the cipher's 256 GB");
        let bytes = [nonce.as_slice(), &ciphertext].concat();
        Sealed { key_id: self.current.id().to_owned(), bytes }
    }

    /// Reads a secret back, at the place it was sealed for.
    pub fn open(&self, sealed: &Sealed, place: &[&str]) -> Result<SecretString, Error> {
        let Some(key) = self.keys().find(|key| key.id() == sealed.key_id) else {
            let known = self.keys().map(|key| key.id().to_owned()).collect();
            return Err(Error::UnknownKey { key_id: sealed.key_id.clone(), known });
        };
        let Some((nonce, ciphertext)) = sealed.bytes.split_first_chunk::<NONCE_BYTES>() else {
            return Err(Error::Malformed);
        };
        let tampered = || Error::Tampered { key_id: sealed.key_id.clone() };
        let bound = associated_data(key.id(), place);
        let payload = Payload { msg: ciphertext, aad: &bound };
        let plain = cipher(key).decrypt(&XNonce::from(*nonce), payload).map_err(|_| tampered())?;
        let plain = Zeroizing::new(plain);
        let text = std::str::from_utf8(&plain).map_err(|_| tampered())?;
        Ok(SecretString::from(text))
    }

    /// Whether a secret is sealed with the current key; others want sealing anew.
    pub fn is_current(&self, sealed: &Sealed) -> bool {
        sealed.key_id == self.current.id()
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.old)
    }
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(key.bytes().into())
}

/// Each part carries its length, so that ("a", "bc") is another place than ("ab", "c").
fn associated_data(key_id: &str, place: &[&str]) -> Vec<u8> {
    let mut bound = Vec::new();
    for part in [VERSION, key_id].iter().chain(place) {
        bound.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bound.extend_from_slice(part.as_bytes());
    }
    bound
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    const PLACE: [&str; 3] = ["client-1", "integration-7", "api_token"];

    #[test]
    fn what_was_sealed_opens_at_its_place() {
        let vault = Vault::new(Key::random());
        let sealed: Sealed = vault.seal("s3cret", &PLACE).to_string().parse().unwrap();
        assert_eq!(vault.open(&sealed, &PLACE).unwrap().expose_secret(), "s3cret");
        assert!(vault.is_current(&sealed));
    }

    #[test]
    fn the_same_secret_never_looks_the_same() {
        let vault = Vault::new(Key::random());
        assert_ne!(vault.seal("s3cret", &PLACE), vault.seal("s3cret", &PLACE));
    }

    #[test]
    fn a_moved_or_changed_secret_does_not_open() {
        let vault = Vault::new(Key::random());
        let sealed = vault.seal("s3cret", &["a", "bc"]);
        let key_id = sealed.key_id.clone();
        let tampered = Error::Tampered { key_id };
        for place in [&["ab", "c"][..], &["a", "bd"], &["a", "bc", ""], &[]] {
            assert_eq!(vault.open(&sealed, place).unwrap_err(), tampered, "{place:?}");
        }
        for position in 0..sealed.bytes.len() {
            let mut changed = sealed.clone();
            changed.bytes[position] ^= 1;
            assert_eq!(vault.open(&changed, &["a", "bc"]).unwrap_err(), tampered);
        }
    }

    #[test]
    fn a_missing_key_is_named() {
        let lost = Vault::new(Key::new([1; 32])).seal("s3cret", &PLACE);
        let error = Vault::new(Key::new([2; 32])).open(&lost, &PLACE).unwrap_err();
        let [missing, present] = [Key::new([1; 32]), Key::new([2; 32])];
        assert_eq!(
            error.to_string(),
            format!(
                "sealed with key {}, which is not configured (configured: {})",
                missing.id(),
                present.id()
            )
        );
    }

    #[test]
    fn an_old_key_opens_and_the_new_one_seals() {
        let (old, new) = (Key::random(), Key::random());
        let sealed = Vault::new(old.clone()).seal("s3cret", &PLACE);
        let vault = Vault::new(new).with_old(vec![old]);
        let opened = vault.open(&sealed, &PLACE).unwrap();
        assert!(!vault.is_current(&sealed));
        assert!(vault.is_current(&vault.seal(opened.expose_secret(), &PLACE)));
    }

    #[test]
    fn text_that_is_no_sealed_secret_is_refused() {
        for text in ["", "s3cret", "v1:abc", "v2:00000000:AAAA", "v1:00000000:%%%", "v1:0:AAAA"] {
            assert_eq!(text.parse::<Sealed>().unwrap_err(), Error::Malformed, "{text}");
        }
    }

    #[test]
    fn a_key_is_base64_of_32_bytes_and_never_printed() {
        let key = Key::random();
        let text = key.to_base64();
        let again: Key = format!(" {}\n", text.expose_secret()).parse().unwrap();
        assert_eq!(again.id(), key.id());
        assert_eq!(format!("{key:?}"), format!("Key({})", key.id()));
        for text in ["", "short", "AAAA"] {
            assert_eq!(text.parse::<Key>().unwrap_err(), Error::NotAKey);
        }
    }
}
