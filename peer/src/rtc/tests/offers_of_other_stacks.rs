//! Offers as other stacks write them, through a real connection. Each is a file of `offers/`, whose head says what it is and
//! then what becomes of it:
//!
//! - `answered`: this side's DTLS role and SCTP port, the longest message that is sent, the section's name, and the bundle that
//!   it is in, behind the section that carries it, if there is one;
//! - `line`: the section's `m=` line in the answer, where it is not the usual one;
//! - `left out`: why a candidate is, once for each;
//! - `refused`: why all of it is, in the words that its sender gets;
//! - `ends`: how lines end, where they do not with CRLF.

use std::{fmt::Write, fs, io, sync::Mutex, time::Instant};

use tracing::Level;

use super::*;
use crate::{limits::MESSAGE_BYTES, rtc::description::Description};

const LINE: &str = "m=application 9 UDP/DTLS/SCTP webrtc-datachannel";

/// What is logged, to be taken.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

impl io::Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(text)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Offer {
    name: String,
    /// What becomes of it.
    expected: Vec<String>,
    sdp: String,
}

impl Offer {
    fn read(name: String, file: &str) -> Self {
        let (head, sdp): (Vec<&str>, Vec<&str>) = file.lines().partition(|line| line.starts_with("# "));
        let mut expected: Vec<String> = head.iter().skip(1).map(|line| line[2..].to_owned()).collect();
        let ends = expected.iter().position(|line| line.starts_with("ends: ")).map(|place| expected.remove(place));
        let end = match ends.as_deref() {
            Some("ends: LF") => "\n",
            Some("ends: CR") => "\r",
            _ => "\r\n",
        };
        let mut sdp = sdp.iter().fold(String::new(), |sdp, line| sdp + line + end);
        if ends.as_deref() == Some("ends: CRLF, but for the last") {
            sdp.truncate(sdp.trim_end().len());
        }
        Self { name, expected, sdp }
    }

    /// What becomes of it, as a head says it.
    async fn becomes(&self, log: &Log) -> Vec<String> {
        log.take();
        let mut opening = begin(None, false, 64 * 1024);
        opening.handle.command(Command::AcceptOffer(self.sdp.clone()));
        let mut came = loop {
            match opening.events.recv().await.unwrap().2 {
                Event::Input(Input::AnswerCreated { sdp, .. }) => break self.answered(&sdp),
                Event::Input(Input::OperationFailed { message, .. }) => break vec![format!("refused: {message}")],
                _ => {}
            }
        };
        let log = log.take();
        let reasons = log.lines().filter_map(|line| line.split_once("a candidate is left out ")?.1.split_once('='));
        came.extend(reasons.map(|(_, reason)| format!("left out: {reason}")));
        came
    }

    fn answered(&self, answer: &str) -> Vec<String> {
        assert_eq!(answer.replace("\r\n", "").find(['\r', '\n']), None, "{}: {answer}", self.name);
        let offered = sections(&self.sdp);
        let sections = sections(answer);
        assert_eq!(sections.len(), offered.len(), "{}: {answer}", self.name);
        for (section, offered) in sections.iter().zip(offered) {
            let [answered, offered] = [&section[0], &offered[0]].map(|line| line.splitn(4, ' ').collect::<Vec<_>>());
            assert_eq!((answered[0], answered[2]), (offered[0], offered[2]), "{}: {answer}", self.name);
            assert!(answered[1] != "0" || answered[3] == offered[3], "{}: {answer}", self.name);
        }
        let (mut taken, silent): (Vec<_>, Vec<_>) = (sections.into_iter())
            .filter(|section| !section[0].contains(" 0 "))
            .partition(|section| section[0].starts_with("m=application"));
        let taken = taken.pop().unwrap();
        let all = |name: &str| taken.iter().filter_map(|line| line.strip_prefix(name)).collect::<Vec<_>>();
        for section in silent {
            let transport = |line: &&String| line.starts_with("a=ice-") || line.starts_with("a=fingerprint");
            assert!(section.contains(&"a=inactive".to_owned()), "{}: {answer}", self.name);
            assert!(section.iter().filter(transport).eq(taken.iter().filter(transport)), "{}: {answer}", self.name);
        }
        for once in ["a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:sha-256 ", "a=grtc-socket-buffer:", "c="] {
            assert_eq!(all(once).len(), 1, "{}: {once} in {answer}", self.name);
        }
        // What its sender reads of it.
        let read = Description::parse(answer).unwrap();
        assert_eq!(read.sizes.message, MESSAGE_BYTES, "{}: {answer}", self.name);
        let port = [all("a=sctp-port:"), all("a=sctpmap:")].concat();
        let mid = all("a=mid:").first().map_or("no mid".to_owned(), |mid| format!("mid {mid}"));
        let group = answer.lines().find_map(|line| line.strip_prefix("a=group:"));
        let mut came = vec![format!(
            "answered: {}, port {}, {} bytes, {mid}, {}",
            all("a=setup:").join(" "),
            port.join(" ").split(' ').next().unwrap(),
            Description::parse(&self.sdp).unwrap().sizes.message,
            group.unwrap_or("no BUNDLE"),
        )];
        if taken[0] != LINE {
            came.push(format!("line: {}", taken[0]));
        }
        came
    }
}

/// The lines of each section.
fn sections(sdp: &str) -> Vec<Vec<String>> {
    let mut sections: Vec<Vec<String>> = Vec::new();
    for line in sdp.split(['\r', '\n']).filter(|line| !line.is_empty()) {
        if line.starts_with("m=") {
            sections.push(Vec::new());
        }
        if let Some(section) = sections.last_mut() {
            section.push(line.to_owned());
        }
    }
    sections
}

fn offers() -> Vec<Offer> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/rtc/tests/offers");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let name = |path: &std::path::Path| path.file_stem().unwrap().to_str().unwrap().to_owned();
    paths.iter().map(|path| Offer::read(name(path), &fs::read_to_string(path).unwrap())).collect()
}

#[tokio::test]
async fn offers_of_other_stacks_are_answered_or_refused() {
    let log = Log::default();
    let writer = log.clone();
    let logged =
        tracing_subscriber::fmt().with_max_level(Level::DEBUG).with_ansi(false).with_writer(move || writer.clone());
    let _logged = tracing::subscriber::set_default(logged.finish());
    let (offers, begin, mut wrong) = (offers(), Instant::now(), String::new());
    for offer in &offers {
        let came = offer.becomes(&log).await;
        if came != offer.expected {
            let _ = writeln!(wrong, "{}: {came:#?} instead of {:#?}", offer.name, offer.expected);
        }
    }
    println!("{} offers in {:?}", offers.len(), begin.elapsed());
    assert!(wrong.is_empty(), "{wrong}");
    assert!(offers.len() >= 60);
}
