//! Where a token comes from: a file, stdin or the environment, and never the command line, which everybody on the machine can read.

use std::{
    io::{self, BufRead, Read},
    path::Path,
};

use grtc_peer::TokenSource;
use tokio::sync::oneshot;

use super::exit::{Exit, NotJoined};

/// The environment variable that has a token itself.
const VARIABLE: &str = "GRTC_TOKEN";
/// The first line of stdin is read up to here.
const LINE_BYTES: u64 = 16 * 1024;

/// The token that was asked for, if any.
pub(super) async fn source(file: Option<&Path>) -> Result<Option<TokenSource>, NotJoined> {
    match file {
        Some(file) if file == Path::new("-") => match first_line().await {
            Ok(line) => Ok(Some(TokenSource::Text(line))),
            Err(error) => {
                let message = format!("--token-file -: the first line of stdin can't be read: {error}");
                Err(NotJoined::new("token_file", message, Exit::Local))
            }
        },
        Some(file) => Ok(Some(TokenSource::File(file.to_owned()))),
        None => Ok(std::env::var(VARIABLE).ok().filter(|token| !token.trim().is_empty()).map(TokenSource::Text)),
    }
}

/// Reads it on a thread of its own, which nobody waits for. What follows it can still be read.
async fn first_line() -> io::Result<String> {
    let (sender, line) = oneshot::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = io::stdin().lock().take(LINE_BYTES).read_until(b'\n', &mut bytes);
        // Whoever asked may have gone.
        let _ = sender.send(read.map(|_| String::from_utf8_lossy(&bytes).into_owned()));
    });
    line.await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
