//! Descriptions (RFC 8829, 8841, 8842, 8843) as any stack writes them, and as the library takes them.
//!
//! The library is strict and reads only some of what the RFCs allow. So it never sees what a peer wrote: from a remote
//! description is read what makes a data channel ([`Description::parse`]), which is written anew for the library
//! ([`Description::for_library`]); the library's answer is made the answer to the offer that really came
//! ([`Description::answer`]). Pure, and it takes any text.

mod answer;
mod candidate;
mod sections;
mod setup;
#[cfg(test)]
mod tests;
mod unusable;

pub(super) use self::{
    candidate::{LeftOut, usable as usable_candidate},
    setup::Role,
    unusable::Unusable,
};
use self::{
    sections::{Section, Sections, lines},
    setup::Setup,
};
use super::sizes::{SOCKET, STREAMS, STREAMS_TAKEN, Sizes, has_streams};
use crate::limits::{DESCRIPTION_BYTES, MESSAGE_BYTES, UNSAID_SOCKET_BYTES};

/// This side's SCTP port, and the other side's unless it says otherwise.
const SCTP_PORT: u16 = 5000;

/// What a remote description says of the data channels' transport.
#[derive(Debug)]
pub(super) struct Description {
    sections: Vec<Section>,
    /// The place of the data channels' section.
    data: usize,
    /// The names of the bundle that the data section is in, those of them that are answered with.
    bundle: Vec<String>,
    /// The place of another section whose transport is the data section's.
    carrier: Option<usize>,
    ice_lite: bool,
    username_fragment: String,
    password: String,
    fingerprint: String,
    setup: Setup,
    is_of_this_kind: bool,
    sctp_port: u16,
    /// As an offer: its side has streams.
    pub(super) offers_streams: bool,
    /// As an answer: its side has streams, as the offer's.
    pub(super) takes_streams: bool,
    /// What its side takes.
    pub(super) sizes: Sizes,
    /// Its candidates, as they are written.
    pub(super) candidates: Vec<String>,
}

impl Description {
    /// Reads an offer or an answer.
    pub(super) fn parse(sdp: &str) -> Result<Self, Unusable> {
        if sdp.len() > DESCRIPTION_BYTES {
            return Err(Unusable::TooLong);
        }
        let all = Sections::parse(sdp)?;
        let data = all.data()?;
        let username_fragment =
            all.value(data, "ice-ufrag").filter(|value| is_ice(value)).ok_or(Unusable::NoCredentials)?;
        let password = all.value(data, "ice-pwd").filter(|value| is_ice(value)).ok_or(Unusable::NoCredentials)?;
        let section = &all.media[data];
        let carrier = all.carrier(data);
        let bundle = match all.bundle_of(data) {
            Some(_) => carrier
                .into_iter()
                .chain([data])
                .filter_map(|place| all.media[place].mid())
                .map(str::to_owned)
                .collect(),
            None => Vec::new(),
        };
        Ok(Self {
            data,
            bundle,
            carrier,
            ice_lite: all.session.iter().any(|line| line == "a=ice-lite"),
            username_fragment: username_fragment.to_owned(),
            password: password.to_owned(),
            fingerprint: fingerprint(&all.values(data, "fingerprint"))?,
            setup: Setup::parse(all.value(data, "setup")),
            is_of_this_kind: section.value(SOCKET).is_some(),
            sctp_port: section.sctp_port().unwrap_or(SCTP_PORT),
            offers_streams: has_streams(section.value(STREAMS)),
            takes_streams: has_streams(section.value(STREAMS_TAKEN)),
            sizes: Sizes::said(section.value("max-message-size"), section.value(SOCKET)),
            candidates: all.values(data, "candidate").into_iter().map(str::to_owned).collect(),
            sections: all.media,
        })
    }

    /// The same, of an answer: somebody who does not take streams may say of its socket what the offer has said of this side's.
    pub(super) fn of_an_answer(self) -> Self {
        match self.takes_streams {
            true => self,
            false => {
                Self { is_of_this_kind: false, sizes: Sizes { socket: UNSAID_SOCKET_BYTES, ..self.sizes }, ..self }
            }
        }
    }

    /// This side's DTLS role when it answers this offer.
    ///
    /// Left the choice, it begins where a peer of this kind has offered: so no time is lost (RFC 8842, section 5.3). Others
    /// begin: as the handshake's client the library begins the association too, and takes none that the other side begins,
    /// as some do because they have offered. Can go when it takes one in both roles. And the one that begins the association
    /// begins it to the library's own port, whatever the other one says.
    pub(super) fn answering_role(&self) -> Role {
        match self.is_of_this_kind && self.sctp_port == SCTP_PORT {
            true => self.setup.answering_role(Role::Active),
            false => self.setup.answering_role(Role::Passive),
        }
    }

    /// This side's DTLS role when this answers its offer, which leaves the choice.
    pub(super) fn answered_role(&self) -> Role {
        self.setup.answered_role()
    }

    /// The name and the place of the section that has the transport: what a candidate of this side names.
    pub(super) fn stream(&self) -> (Option<&str>, u16) {
        let place = self.carrier.unwrap_or(self.data);
        (self.sections[place].mid(), u16::try_from(place).unwrap_or(0))
    }

    /// Whether ICE begins anew after that other description of the same peer.
    pub(super) fn restarts(&self, other: &Self) -> bool {
        (&self.username_fragment, &self.password) != (&other.username_fragment, &other.password)
    }

    /// The same for the library: one section, without candidates, and with the one DTLS role that leaves `own` to this
    /// side. The library takes the smaller of both sides' longest messages as the bound of both directions, so that what this
    /// side has announced would not arrive: it is told our own, and this side keeps to what the other one really said. Can go
    /// when the library bounds what it receives by its own announcement alone.
    pub(super) fn for_library(&self, own: Role) -> Result<String, Unusable> {
        if own == Role::Active && self.sctp_port != SCTP_PORT {
            return Err(Unusable::OtherPort(self.sctp_port));
        }
        let Self { username_fragment, password, fingerprint, .. } = self;
        let lite = if self.ice_lite { "a=ice-lite\r\n" } else { "" };
        let setup = own.other().word();
        Ok(format!(
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n{lite}a=group:BUNDLE 0\r\n\
             m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\n\
             a=ice-ufrag:{username_fragment}\r\na=ice-pwd:{password}\r\na=ice-options:trickle\r\n\
             a=fingerprint:sha-256 {fingerprint}\r\na=setup:{setup}\r\n\
             a=sctp-port:{SCTP_PORT}\r\na=max-message-size:{MESSAGE_BYTES}\r\n"
        ))
    }
}

/// This description, of a lite agent.
pub(super) fn lite(sdp: &str) -> String {
    sdp.replacen("\r\nm=", "\r\na=ice-lite\r\nm=", 1)
}

/// The first stream's name in the library's offer.
pub(super) fn mid(sdp: &str) -> Option<String> {
    lines(sdp).find_map(|line| line.strip_prefix("a=mid:")).map(str::to_owned)
}

/// `ice-char`s, as long as RFC 8839 allows. Shorter ones than it asks for are in use.
fn is_ice(value: &str) -> bool {
    (1..=256).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/-_=#".contains(&byte))
}

/// The first usable of several, which may be of several hashes (RFC 8122, section 5). The library takes one alone.
fn fingerprint(all: &[&str]) -> Result<String, Unusable> {
    let mut reason = Unusable::NoFingerprint;
    for (hash, value) in all.iter().filter_map(|fingerprint| fingerprint.split_once(char::is_whitespace)) {
        let value = value.trim();
        let is_whole = value.split(':').count() == 32
            && value.split(':').all(|byte| byte.len() == 2 && byte.bytes().all(|digit| digit.is_ascii_hexdigit()));
        match (hash.eq_ignore_ascii_case("sha-256"), is_whole) {
            (true, true) => return Ok(value.to_ascii_uppercase()),
            (true, false) => reason = Unusable::BadFingerprint,
            (false, _) if reason == Unusable::NoFingerprint => {
                reason = Unusable::OtherFingerprint(hash.chars().take(20).collect());
            }
            (false, _) => {}
        }
    }
    Err(reason)
}
