//! An HTTP/1.1 client that costs little: one request at a time on a connection that stays open.

use std::net::Ipv4Addr;

use anyhow::{Context, bail};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::{door::Door, stream::Stream};

/// A connection to the server.
#[derive(Debug)]
pub struct Connection {
    stream: Stream,
    /// What stands in every head: where it goes, and who asks.
    head: String,
    output: Vec<u8>,
    input: Vec<u8>,
}

impl Connection {
    /// Connects, with a token that names nobody where one is shown.
    ///
    /// # Errors
    /// When it can't.
    pub async fn open(door: &Door) -> anyhow::Result<Self> {
        let stream = door.connect(Ipv4Addr::LOCALHOST).await?;
        // Without a name: requests of one `sub` are limited, and no limit is measured here.
        let head = format!(" HTTP/1.1\r\nHost: {}\r\n{}", door.address(), door.authorization(None)?);
        Ok(Self { stream, head, output: Vec::new(), input: Vec::with_capacity(64 * 1024) })
    }

    /// Sends a request with a JSON body, or an empty one, and reads the answer's body.
    ///
    /// # Errors
    /// When the status is not the expected one, or the connection fails.
    pub async fn send(&mut self, method: &str, path: &str, body: &str, expected: u16) -> anyhow::Result<&[u8]> {
        self.output.clear();
        self.output.extend(method.as_bytes());
        self.output.push(b' ');
        self.output.extend(path.as_bytes());
        self.output.extend(self.head.as_bytes());
        if !body.is_empty() {
            let length = body.len();
            self.output.extend(format!("Content-Type: application/json\r\nContent-Length: {length}\r\n").into_bytes());
        }
        self.output.extend(b"\r\n");
        self.output.extend(body.as_bytes());
        self.stream.write_all(&self.output).await.context("can't send")?;
        self.stream.flush().await.context("can't send")?;
        let (status, answer) = self.read().await.with_context(|| format!("no answer to {method} {path}"))?;
        if status != expected {
            bail!("{method} {path} was answered with {status}: {}", String::from_utf8_lossy(answer));
        }
        Ok(answer)
    }

    async fn read(&mut self) -> anyhow::Result<(u16, &[u8])> {
        self.input.clear();
        let end = loop {
            self.fill().await?;
            if let Some(end) = self.input.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
        };
        let head = std::str::from_utf8(self.input.get(..end).unwrap_or_default()).context("the head is not text")?;
        let (status, length) = parse(head)?;
        while self.input.len() < end + length {
            self.fill().await?;
        }
        anyhow::ensure!(self.input.len() == end + length, "more was sent than was asked for");
        Ok((status, self.input.get(end..).unwrap_or_default()))
    }

    async fn fill(&mut self) -> anyhow::Result<()> {
        let count = self.stream.read_buf(&mut self.input).await.context("can't receive")?;
        anyhow::ensure!(count > 0, "the server ended the connection");
        Ok(())
    }
}

/// Status and content length of an answer's head.
fn parse(head: &str) -> anyhow::Result<(u16, usize)> {
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok());
    let status = status.with_context(|| format!("not an answer: {head}"))?;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    match length {
        Some(length) => Ok((status, length)),
        None if status == 204 || status == 304 => Ok((status, 0)),
        None => bail!("the answer has no Content-Length: {head}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_status_and_length() {
        assert_eq!(parse("HTTP/1.1 201 Created\r\ncontent-length: 12\r\n\r\n").unwrap(), (201, 12));
        assert_eq!(parse("HTTP/1.1 204 No Content\r\n\r\n").unwrap(), (204, 0));
        assert!(parse("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n").is_err());
        assert!(parse("nonsense").is_err());
    }
}
