//! A description as lines: those of the session, and those of each media section.

use super::unusable::Unusable;
use crate::limits::SECTIONS;

/// All of a description.
#[derive(Debug, Default)]
pub(super) struct Sections {
    pub(super) session: Vec<String>,
    pub(super) media: Vec<Section>,
}

/// One media section.
#[derive(Debug)]
pub(super) struct Section {
    media: String,
    port: String,
    pub(super) protocol: String,
    pub(super) formats: String,
    lines: Vec<String>,
}

impl Sections {
    pub(super) fn parse(sdp: &str) -> Result<Self, Unusable> {
        let mut all = Self::default();
        for line in lines(sdp) {
            let full = all.media.len() == SECTIONS;
            match (line.strip_prefix("m="), all.media.last_mut()) {
                (Some(_), _) if full => return Err(Unusable::TooManySections),
                (Some(media), _) => all.media.push(Section::new(media).ok_or(Unusable::Malformed)?),
                (None, Some(section)) => section.lines.push(line.to_owned()),
                (None, None) => all.session.push(line.to_owned()),
            }
        }
        Ok(all)
    }

    /// The place of the section that is to be used: the first one for data channels that is not switched off.
    pub(super) fn data(&self) -> Result<usize, Unusable> {
        if self.media.is_empty() {
            return Err(Unusable::NoSection);
        }
        let mut rejected = false;
        for (place, section) in self.media.iter().enumerate().filter(|(_, section)| section.is_data()) {
            if !section.is_rejected() {
                return Ok(place);
            }
            rejected = true;
        }
        Err(if rejected { Unusable::Rejected } else { Unusable::NoDataChannel })
    }

    /// The names in the bundle that this section belongs to, in their order.
    pub(super) fn bundle_of(&self, place: usize) -> Option<Vec<&str>> {
        let mid = self.media.get(place)?.mid()?;
        let groups = self.session.iter().filter_map(|line| line.strip_prefix("a=group:BUNDLE"));
        groups.map(|group| group.split_whitespace().collect::<Vec<_>>()).find(|group| group.contains(&mid))
    }

    /// The place of the section that carries the bundle of this one, where that is another: the first one of the bundle, whose
    /// transport this one has as well (RFC 8843, section 7.2).
    pub(super) fn carrier(&self, place: usize) -> Option<usize> {
        let bundle = self.bundle_of(place)?;
        let carrier = self.media.iter().position(|section| section.mid() == bundle.first().copied())?;
        let (own, carrying) = (self.media.get(place)?, &self.media[carrier]);
        let is_shared = |attribute| own.value(attribute).is_none_or(|value| carrying.value(attribute) == Some(value));
        let is_media = carrying.protocol.contains("RTP/") && !carrying.is_rejected();
        (is_media && is_shared("ice-ufrag") && is_shared("ice-pwd")).then_some(carrier)
    }

    /// All values of an attribute for this section: its own, or those of the bundle that carries it (RFC 8843, section
    /// 7.1.3), or the session's.
    pub(super) fn values(&self, place: usize, attribute: &str) -> Vec<&str> {
        let bundle = self.bundle_of(place).unwrap_or_default();
        let others = bundle.iter().filter_map(|mid| self.media.iter().find(|section| section.mid() == Some(mid)));
        let own = self.media.get(place).into_iter();
        own.chain(others)
            .map(|section| values(&section.lines, attribute))
            .chain(std::iter::once_with(|| values(&self.session, attribute)))
            .find(|values| !values.is_empty())
            .unwrap_or_default()
    }

    /// The first of them.
    pub(super) fn value(&self, place: usize, attribute: &str) -> Option<&str> {
        self.values(place, attribute).first().copied()
    }
}

impl Section {
    /// `None` when it is no such line.
    fn new(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [media, port, protocol, ref formats @ ..] = words[..] else { return None };
        words.iter().all(|word| is_word(word)).then(|| Self {
            media: media.to_owned(),
            port: port.to_owned(),
            protocol: protocol.to_owned(),
            formats: formats.join(" "),
            lines: Vec::new(),
        })
    }

    /// Its name.
    pub(super) fn mid(&self) -> Option<&str> {
        self.value("mid").filter(|mid| is_word(mid))
    }

    /// The first value of an attribute.
    pub(super) fn value(&self, attribute: &str) -> Option<&str> {
        values(&self.lines, attribute).first().copied()
    }

    /// Whether it is for data channels, in the form of RFC 8841 or in the one before it, which names a port and says of it
    /// with `a=sctpmap` what it is for.
    fn is_data(&self) -> bool {
        let protocol = self.protocol.to_ascii_uppercase();
        let of_data = || match self.is_old() {
            true => self.value("sctpmap").is_none_or(|map| map.split_whitespace().nth(1) == Some(FORMAT)),
            false => self.formats == FORMAT,
        };
        self.media == "application"
            && ["UDP/DTLS/SCTP", "TCP/DTLS/SCTP", "DTLS/SCTP"].contains(&&*protocol)
            && of_data()
    }

    /// Whether it is in the form before RFC 8841.
    pub(super) fn is_old(&self) -> bool {
        !self.formats.is_empty() && self.formats.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// Switched off; a port of 0 may also mean that it lives in a bundle alone.
    fn is_rejected(&self) -> bool {
        self.port == "0" && !self.lines.iter().any(|line| line == "a=bundle-only")
    }

    /// The SCTP port.
    pub(super) fn sctp_port(&self) -> Option<u16> {
        let old = || self.is_old().then(|| self.formats.split(' ').next()).flatten();
        self.value("sctp-port").or_else(old)?.parse().ok().filter(|port| *port != 0)
    }

    /// How the section of an answer begins.
    pub(super) fn head(&self, port: u16, formats: &str) -> Vec<String> {
        let mut lines =
            vec![format!("m={} {port} {} {formats}", self.media, self.protocol), "c=IN IP4 0.0.0.0".to_owned()];
        lines.extend(self.mid().map(|mid| format!("a=mid:{mid}")));
        lines
    }

    /// The section of an answer that takes nothing of it.
    pub(super) fn rejected(&self) -> Vec<String> {
        let mut lines = self.head(0, &self.formats);
        lines.push("a=inactive".to_owned());
        lines
    }

    /// The section of an answer that takes its transport, and nothing that is sent over it: of its formats the first.
    pub(super) fn silent(&self) -> Vec<String> {
        let format = self.formats.split(' ').next().unwrap_or_default();
        let mut lines = self.head(9, format);
        lines.push("a=inactive".to_owned());
        let of_format = [format!("a=rtpmap:{format} "), format!("a=fmtp:{format} ")];
        let is_kept = |line: &&String| {
            *line == "a=rtcp-mux" || of_format.iter().any(|of| line.starts_with(of)) && line.split(' ').all(is_word)
        };
        lines.extend(self.lines.iter().filter(is_kept).cloned());
        lines
    }
}

/// What a section for data channels has for a format.
const FORMAT: &str = "webrtc-datachannel";

/// What comes back in the answer as it was sent: no longer there, and no shorter.
fn is_word(text: &str) -> bool {
    text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

fn values<'a>(lines: &'a [String], attribute: &str) -> Vec<&'a str> {
    let value = |line: &'a String| line.strip_prefix("a=")?.strip_prefix(attribute)?.strip_prefix(':').map(str::trim);
    lines.iter().filter_map(value).filter(|value| !value.is_empty()).collect()
}

/// The lines of a description, whatever ends them.
pub(super) fn lines(sdp: &str) -> impl Iterator<Item = &str> {
    sdp.split(['\r', '\n']).map(str::trim_end).filter(|line| !line.is_empty())
}
