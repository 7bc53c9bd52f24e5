//! Who may use the relay (the "REST API for access to TURN services", as coturn's `use-auth-secret` has it): a name that says
//! until when, and a password that is made of it with a secret. Nothing is kept for them.
//!
//! The name is `<unix time>:<room's tag>:<who>`. The tag is a hash that nobody can make who does not know the secret: a name
//! gives no room away, and two rooms have two tags.

use std::fmt::Write as _;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use md5::{Digest as _, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use ring::hmac;

/// The realm of the relay (RFC 8489, section 9.2).
pub const REALM: &str = "grtc";
/// How long credentials are good to begin a session, in seconds.
pub const GOOD_FOR: u64 = 600;
/// Longer names of whoever it is are replaced by a hash of them: a USERNAME has 508 bytes (RFC 8489, section 14.3).
const WHO_BYTES: usize = 384;
/// What stands in a name as it is: nothing that clients prepare in different ways.
const AS_IT_IS: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'@').remove(b'+');

/// What passwords and tags are made with.
#[derive(Clone, Debug)]
pub struct Secret {
    passwords: hmac::Key,
    tags: hmac::Key,
}

/// What a client is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// `<unix time>:<room's tag>:<who>`
    pub username: String,
    /// The password for it, in Base64.
    pub credential: String,
}

/// Whom a name names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct User<'a> {
    /// The room's tag.
    pub tag: &'a str,
    /// Whose quotas it counts in.
    pub who: &'a str,
}

/// What a message is signed with: a hash of name, realm and password (RFC 8489, section 9.2.2).
pub type Key = [u8; 16];

impl Secret {
    /// One that is known to whoever knows these bytes.
    #[must_use]
    pub fn new(secret: &[u8]) -> Self {
        let passwords = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
        Self { passwords, tags: hmac::Key::new(hmac::HMAC_SHA256, secret) }
    }

    /// Credentials for `who` in `room`, good for [`GOOD_FOR`] from `now`, in seconds since 1970.
    #[must_use]
    pub fn issue(&self, room: &str, who: &str, now: u64) -> Credentials {
        let who = match utf8_percent_encode(who, AS_IT_IS).to_string() {
            short if short.len() <= WHO_BYTES => short,
            _ => self.tag("who", who),
        };
        let username = format!("{}:{}:{who}", now.saturating_add(GOOD_FOR), self.tag("room", room));
        let credential = self.password(&username);
        Credentials { username, credential }
    }

    /// What shows that somebody knows the password of this name. It is good for as long as a session lasts.
    #[must_use]
    pub fn key(&self, username: &str) -> Key {
        key(username, &self.password(username))
    }

    fn password(&self, username: &str) -> String {
        BASE64_STANDARD.encode(hmac::sign(&self.passwords, username.as_bytes()))
    }

    /// 64 bits of a hash, in hexadecimal digits.
    fn tag(&self, what: &str, name: &str) -> String {
        let hash = hmac::sign(&self.tags, format!("{what}:{name}").as_bytes());
        hash.as_ref().iter().take(8).fold(String::with_capacity(16), |mut text, byte| {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

/// What somebody signs with who has been told this password.
#[must_use]
pub fn key(username: &str, password: &str) -> Key {
    Md5::digest(format!("{username}:{REALM}:{password}")).into()
}

impl<'a> User<'a> {
    /// Reads a name whose time is not over at `now`, in seconds since 1970. Whether it is one of ours, its password shows.
    #[must_use]
    pub fn read(username: &'a str, now: u64) -> Option<Self> {
        let (until, rest) = username.split_once(':')?;
        let (tag, who) = rest.split_once(':')?;
        (until.parse::<u64>().ok()? >= now).then_some(Self { tag, who })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: u64 = 1_700_000_000;

    #[test]
    fn the_password_is_that_of_coturn() {
        // printf %s 1700000600:room:ann | openssl dgst -sha1 -hmac north -binary | base64
        assert_eq!(Secret::new(b"north").password("1700000600:room:ann"), "ndLPDS/f0MCDyq3HJD+RCCpISUs=");
        // printf %s 'ann:grtc:…' | md5sum, with the password of ann
        let key = u128::from_be_bytes(Secret::new(b"north").key("ann"));
        assert_eq!(format!("{key:032x}"), "792ddfa16751659e5e0b610d5df70494");
    }

    #[test]
    fn they_are_good_for_ten_minutes() {
        let Credentials { username, .. } = Secret::new(b"secret").issue("r", "ann", NOW);
        assert!(username.starts_with("1700000600:"), "{username}");
        assert!(User::read(&username, NOW + GOOD_FOR).is_some() && User::read(&username, NOW + GOOD_FOR + 1).is_none());
        for name in ["", "ann", "1700000600", "1700000600:tag", "later:tag:ann", "-1:tag:ann"] {
            assert_eq!(User::read(name, 0), None, "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_name_says_whom_it_is_for_and_hides_its_room(
            room in "\\PC{1,64}", other in "\\PC{1,64}", who in "\\PC{1,64}", secret: [u8; 32], now in 0..NOW,
        ) {
            let secret = Secret::new(&secret);
            let issued = secret.issue(&room, &who, now);
            let user = User::read(&issued.username, now).unwrap();
            prop_assert_eq!((user.tag.len(), issued.username.is_ascii()), (16, true));
            prop_assert!(issued.username.len() <= 508);
            let elsewhere = secret.issue(&other, &who, now);
            let there = User::read(&elsewhere.username, now).unwrap();
            prop_assert_eq!((user.tag == there.tag, user.who), (room == other, there.who));
            let strange = Secret::new(b"another");
            prop_assert_ne!(strange.key(&issued.username), secret.key(&issued.username));
        }
    }
}
