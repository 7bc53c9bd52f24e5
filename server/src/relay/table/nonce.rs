//! Nonces that nobody has to keep: the time, and what shows that it was written here.

use std::time::Duration;

use ring::hmac;

use crate::relay::credentials::Secret;

/// How long one is good.
const GOOD_FOR: u64 = 60 * 60;
/// Bytes of the time, and of the hash behind it.
const TIME: usize = 8;
const HASH: usize = 8;

#[derive(Debug)]
pub(super) struct Nonces(hmac::Key);

impl Nonces {
    pub(super) fn new(secret: &Secret) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, &secret.key("nonce")))
    }

    /// One that is made at this time.
    pub(super) fn make(&self, now: Duration) -> String {
        let time = now.as_secs();
        format!("{time:08x}{:016x}", self.hash(time))
    }

    /// Whether it is one of ours, and not too old.
    pub(super) fn is_good(&self, nonce: &str, now: Duration) -> bool {
        let (Some(time), Some(hash)) = (nonce.get(..TIME), nonce.get(TIME..)) else { return false };
        let Ok(time) = u64::from_str_radix(time, 16) else { return false };
        hash == format!("{:016x}", self.hash(time)) && time <= now.as_secs() && now.as_secs() - time < GOOD_FOR
    }

    fn hash(&self, time: u64) -> u64 {
        let hash = hmac::sign(&self.0, &time.to_be_bytes());
        hash.as_ref().iter().take(HASH).fold(0, |all, byte| all << 8 | u64::from(*byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_good_for_an_hour_and_no_other_is() {
        let nonces = Nonces::new(&Secret::new(b"secret"));
        let (begun, hour) = (Duration::from_secs(7), Duration::from_secs(GOOD_FOR));
        let nonce = nonces.make(begun);
        assert!(nonces.is_good(&nonce, begun) && nonces.is_good(&nonce, begun + hour - Duration::from_secs(1)));
        assert!(!nonces.is_good(&nonce, begun + hour) && !nonces.is_good(&nonce, Duration::ZERO));
        assert!(!Nonces::new(&Secret::new(b"another")).is_good(&nonce, begun));
        for other in ["", "00000007", "é0000007", &nonce[1..], &nonce.replacen('7', "8", 1)] {
            assert!(!nonces.is_good(other, begun), "{other}");
        }
    }
}
