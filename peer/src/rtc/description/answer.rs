//! The answer to an offer: a section for each of the offer's, in its words.

use super::{
    Description, Role, SCTP_PORT,
    sections::{Section, lines},
};

/// What of the library's answer is this side's end of the transport.
const OF_TRANSPORT: [&str; 6] =
    ["a=ice-ufrag:", "a=ice-pwd:", "a=ice-options:", "a=fingerprint:", "a=candidate:", "a=end-of-candidates"];
/// What of it is about data channels.
const OF_DATA: [&str; 3] = ["a=max-message-size:", "a=grtc-socket-buffer:", "a=grtc-streams-taken:"];

impl Description {
    /// The answer to this offer, out of the library's. The data channels' section alone is taken; the one that carries its
    /// transport stays beside it and is silent, since Chromium moves a bundle to no other transport in an answer.
    pub(in crate::rtc) fn answer(&self, library: &str, own: Role) -> String {
        let own_lines: Vec<&str> = lines(library).collect();
        let session = own_lines.iter().take_while(|line| !line.starts_with("m="));
        let mut answer: Vec<String> =
            session.filter(|line| !line.starts_with("a=")).map(|line| (*line).to_owned()).collect();
        if !self.bundle.is_empty() {
            answer.push(format!("a=group:BUNDLE {}", self.bundle.join(" ")));
        }
        let of = |attributes: &'static [&str]| {
            let is_one = move |line: &&&str| attributes.iter().any(|attribute| line.starts_with(attribute));
            own_lines.iter().filter(is_one).map(|line| (*line).to_owned())
        };
        let transport = || std::iter::once(format!("a=setup:{}", own.word())).chain(of(&OF_TRANSPORT));
        for (place, section) in self.sections.iter().enumerate() {
            if place == self.data {
                answer.extend(accepted(section).into_iter().chain(transport()).chain(of(&OF_DATA)));
            } else if Some(place) == self.carrier {
                answer.extend(section.silent().into_iter().chain(transport()));
            } else {
                answer.extend(section.rejected());
            }
        }
        answer.into_iter().fold(String::new(), |sdp, line| sdp + &line + "\r\n")
    }
}

/// The data channels' section, in the form that the offer has.
fn accepted(section: &Section) -> Vec<String> {
    let (format, port) = match section.is_old() {
        true => (SCTP_PORT.to_string(), format!("a=sctpmap:{SCTP_PORT} webrtc-datachannel 65535")),
        false => (section.formats.clone(), format!("a=sctp-port:{SCTP_PORT}")),
    };
    let mut lines = section.head(9, &format);
    lines.push(port);
    lines
}
