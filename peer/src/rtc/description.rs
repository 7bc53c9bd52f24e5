//! Descriptions (RFC 8829, 8841, 8842, 8843) as any stack writes them, and as the library takes them.
//!
//! The library is strict and reads only some of what the RFCs allow. So it never sees what a peer wrote: from a remote
//! description is read what makes a data channel ([`Description::parse`]), which is written anew for the library
//! ([`Description::for_library`]); the library's answer is made the answer to the offer that really came
//! ([`Description::answer`]). Pure, and it takes any text.

mod candidate;
mod sections;
mod setup;
#[cfg(test)]
mod tests;
mod unusable;

use std::fmt::Write;

pub(super) use self::{candidate::usable as usable_candidate, setup::Role, unusable::Unusable};
use self::{
    sections::{Section, Sections, lines},
    setup::Setup,
};
use crate::limits::DESCRIPTION_BYTES;

/// What only a peer of this kind says of itself.
const OF_THIS_KIND: &str = "grtc-socket-buffer";

/// Where SCTP is, unless a description says otherwise.
const SCTP_PORT: u16 = 5000;

/// What a remote description says of the data channels' transport.
#[derive(Debug)]
pub(super) struct Description {
    sections: Vec<Section>,
    /// The place of the data channels' section.
    data: usize,
    /// The data section is one of a bundle.
    bundled: bool,
    ice_lite: bool,
    username_fragment: String,
    password: String,
    fingerprint: String,
    setup: Setup,
    is_of_this_kind: bool,
    sctp_port: u16,
    /// The longest message that it takes, where it says so; 0 is any.
    pub(super) max_message_size: Option<u64>,
    /// Its candidates, as they are written.
    pub(super) candidates: Vec<String>,
}

impl Description {
    /// Reads an offer or an answer.
    pub(super) fn parse(sdp: &str) -> Result<Self, Unusable> {
        if sdp.len() > DESCRIPTION_BYTES {
            return Err(Unusable::TooLong);
        }
        let all = Sections::parse(sdp);
        let data = all.data()?;
        let username_fragment =
            all.value(data, "ice-ufrag").filter(|value| is_ice(value)).ok_or(Unusable::NoCredentials)?;
        let password = all.value(data, "ice-pwd").filter(|value| is_ice(value)).ok_or(Unusable::NoCredentials)?;
        let section = &all.media[data];
        Ok(Self {
            data,
            bundled: all.bundle_of(data).is_some(),
            ice_lite: all.session.iter().any(|line| line == "a=ice-lite"),
            username_fragment: username_fragment.to_owned(),
            password: password.to_owned(),
            fingerprint: fingerprint(&all.values(data, "fingerprint"))?,
            setup: Setup::parse(all.value(data, "setup")),
            is_of_this_kind: section.value(OF_THIS_KIND).is_some(),
            sctp_port: section.sctp_port().unwrap_or(SCTP_PORT),
            max_message_size: section.value("max-message-size").and_then(|size| size.parse().ok()),
            candidates: all.values(data, "candidate").into_iter().map(str::to_owned).collect(),
            sections: all.media,
        })
    }

    /// This side's DTLS role when it answers this offer.
    ///
    /// Left the choice, it begins where a peer of this kind has offered: so no time is lost (RFC 8842, section 5.3). Others
    /// begin: as the handshake's client the library begins the association too, and takes none that the other side begins,
    /// as some do because they have offered. Can go when it takes one in both roles.
    pub(super) fn answering_role(&self) -> Role {
        self.setup.answering_role(if self.is_of_this_kind { Role::Active } else { Role::Passive })
    }

    /// This side's DTLS role when this answers its offer, which leaves the choice.
    pub(super) fn answered_role(&self) -> Role {
        self.setup.answered_role()
    }

    /// The stream's name, and its place: what a candidate of this side names.
    pub(super) fn stream(&self) -> (Option<&str>, u16) {
        (self.sections[self.data].value("mid"), u16::try_from(self.data).unwrap_or(0))
    }

    /// Whether ICE begins anew after that other description of the same peer.
    pub(super) fn restarts(&self, other: &Self) -> bool {
        (&self.username_fragment, &self.password) != (&other.username_fragment, &other.password)
    }

    /// The same for the library: one section, without candidates, and with the one DTLS role that leaves `own` to this
    /// side.
    pub(super) fn for_library(&self, own: Role) -> String {
        let Self { username_fragment, password, fingerprint, sctp_port, .. } = self;
        let lite = if self.ice_lite { "a=ice-lite\r\n" } else { "" };
        let (setup, size) = (own.other().word(), self.max_message_size.unwrap_or(65_536));
        format!(
            "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n{lite}a=group:BUNDLE 0\r\n\
             m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\n\
             a=ice-ufrag:{username_fragment}\r\na=ice-pwd:{password}\r\na=ice-options:trickle\r\n\
             a=fingerprint:sha-256 {fingerprint}\r\na=setup:{setup}\r\n\
             a=sctp-port:{sctp_port}\r\na=max-message-size:{size}\r\n"
        )
    }

    /// The library's answer as it sets it: with the port of this offer, since it knows one port for both sides.
    pub(super) fn library_answer(&self, answer: &str) -> String {
        let port = format!("a=sctp-port:{}", self.sctp_port);
        lines(answer).map(|line| if line.starts_with("a=sctp-port:") { port.as_str() } else { line }).fold(
            String::new(),
            |mut sdp, line| {
                let _ = write!(sdp, "{line}\r\n");
                sdp
            },
        )
    }

    /// The answer to this offer, out of the library's: a section for each of the offer's, in its words, of which the data
    /// channels' alone is taken.
    pub(super) fn answer(&self, library: &str, own: Role) -> String {
        let mut sdp = String::new();
        let mut put = |line: &str| {
            let _ = write!(sdp, "{line}\r\n");
        };
        let own_lines: Vec<&str> = lines(library).collect();
        let session = own_lines.iter().take_while(|line| !line.starts_with("m="));
        for line in session.clone().filter(|line| !line.starts_with("a=")) {
            put(line);
        }
        if let (true, Some(mid)) = (self.bundled, self.stream().0) {
            put(&format!("a=group:BUNDLE {mid}"));
        }
        for (place, section) in self.sections.iter().enumerate() {
            if place != self.data {
                section.rejected().iter().for_each(|line| put(line));
                continue;
            }
            put(&format!("m=application 9 {} {}", section.protocol, section.formats));
            put("c=IN IP4 0.0.0.0");
            if let Some(mid) = section.value("mid") {
                put(&format!("a=mid:{mid}"));
            }
            put(&format!("a=setup:{}", own.word()));
            match section.is_old() {
                true => put(&format!("a=sctpmap:{} webrtc-datachannel 65535", self.sctp_port)),
                false => put(&format!("a=sctp-port:{}", self.sctp_port)),
            }
            for line in own_lines.iter().filter(|line| OF_DATA.iter().any(|attribute| line.starts_with(attribute))) {
                put(line);
            }
        }
        sdp
    }
}

/// What of the library's answer is this side's own.
const OF_DATA: [&str; 7] = [
    "a=ice-ufrag:",
    "a=ice-pwd:",
    "a=ice-options:",
    "a=fingerprint:",
    "a=max-message-size:",
    "a=candidate:",
    "a=end-of-candidates",
];

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

/// The first usable of several, which may be of several hashes (RFC 8122, section 5).
fn fingerprint(all: &[&str]) -> Result<String, Unusable> {
    let mut other = None;
    for (hash, value) in all.iter().filter_map(|fingerprint| fingerprint.split_once(char::is_whitespace)) {
        let value = value.trim();
        let is_whole = value.split(':').count() == 32
            && value.split(':').all(|byte| byte.len() == 2 && byte.bytes().all(|digit| digit.is_ascii_hexdigit()));
        if hash.eq_ignore_ascii_case("sha-256") && is_whole {
            return Ok(value.to_ascii_uppercase());
        }
        other = other.or(Some(hash));
    }
    Err(other.map_or(Unusable::NoFingerprint, |hash| Unusable::OtherFingerprint(hash.chars().take(20).collect())))
}
