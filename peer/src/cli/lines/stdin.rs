//! Stdin, line by line.

use std::io::{self, BufRead, Read};

use grtc_peer::MESSAGE_BYTES;
use tokio::sync::mpsc;

/// Lines that were read and not sent yet.
const LINES: usize = 16;

/// What stdin gave.
#[derive(Debug)]
pub(crate) enum Line {
    /// Without its end.
    Text(String),
    /// Longer than a message can be.
    TooLong,
    /// Nothing more can be read.
    Broken(io::Error),
}

/// Reads stdin on a thread of its own, which nobody waits for. The end of the lines is the end of stdin.
pub(crate) fn read() -> mpsc::Receiver<Line> {
    let (sender, lines) = mpsc::channel(LINES);
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        loop {
            let (line, last) = match next(&mut stdin) {
                Ok(None) => return,
                Ok(Some(line)) => (line, false),
                Err(error) => (Line::Broken(error), true),
            };
            if sender.blocking_send(line).is_err() || last {
                return;
            }
        }
    });
    lines
}

/// The next line. Of one that is too long no more than a message is held.
fn next(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    // Room for the end of the line.
    let limit = MESSAGE_BYTES as u64 + 2;
    if input.take(limit).read_until(b'\n', &mut line)? == 0 {
        return Ok(None);
    }
    let is_cut = line.len() as u64 == limit && !line.ends_with(b"\n");
    if is_cut {
        input.skip_until(b'\n')?;
    }
    let text = String::from_utf8_lossy(&line);
    let text = text.trim_end_matches(['\r', '\n']);
    // What is no UTF-8 becomes longer.
    Ok(Some(match is_cut || text.len() > MESSAGE_BYTES {
        true => Line::TooLong,
        false => Line::Text(text.to_owned()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_a_bound_and_the_next_one_is_whole() {
        let long = "x".repeat(MESSAGE_BYTES + 3);
        let most = "y".repeat(MESSAGE_BYTES);
        let text = format!("a\r\n{long}\n{most}\r\n{most}z\n\nlast");
        let mut input = io::BufReader::new(text.as_bytes());
        let mut lines = Vec::new();
        while let Some(line) = next(&mut input).unwrap() {
            lines.push(match line {
                Line::Text(text) => Some(text),
                _ => None,
            });
        }
        let expected = [Some("a"), None, Some(&*most), None, Some(""), Some("last")];
        assert_eq!(lines, expected.map(|line| line.map(str::to_owned)));
    }
}
