//! Why a description can't be used, as its sender is told.

use webrtc::error::Error;

use crate::limits::{DESCRIPTION_BYTES, SECTIONS};

/// Why a description can't be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(in crate::rtc) enum Unusable {
    #[error("it is longer than {DESCRIPTION_BYTES} bytes")]
    TooLong,
    #[error("it is no SDP: it has no m= line")]
    NoSection,
    #[error("it has more than {SECTIONS} m= lines")]
    TooManySections,
    #[error("it is no SDP: an m= line is none")]
    Malformed,
    #[error("it has no data channel: no m=application line with DTLS/SCTP")]
    NoDataChannel,
    #[error("it rejects the data channel: the port of its m=application line is 0")]
    Rejected,
    #[error("it has no a=ice-ufrag and a=ice-pwd for the data channel, or what is no ICE credential")]
    NoCredentials,
    #[error("its SCTP port is {0}, and it does not begin the handshake: this side can begin it with port 5000 alone")]
    OtherPort(u16),
    #[error("it has no a=fingerprint for the data channel")]
    NoFingerprint,
    #[error("its sha-256 fingerprint is not 32 bytes in hexadecimal")]
    BadFingerprint,
    #[error("its fingerprint is none of sha-256, but of {0}")]
    OtherFingerprint(String),
}

impl From<Unusable> for Error {
    fn from(reason: Unusable) -> Self {
        Self::Other(reason.to_string())
    }
}
