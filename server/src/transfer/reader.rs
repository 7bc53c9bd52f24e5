//! Reading a file: whatever it is, what comes out is in bounds and in order, or the line at fault is named.

use std::io::{self, BufRead, Read as _};

use grtc_protocol::json::{self, not_json};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    bounds::{FORMAT, LINE_BYTES, VERSION},
    job::JobRecord,
    record::{Counts, Header, ItemRecord, RevocationRecord},
};

#[cfg(test)]
mod tests;

/// Why a file can't be read on.
#[derive(Debug, thiserror::Error)]
pub enum BadFile {
    /// A line is not as it has to be.
    #[error("line {line}: {why}")]
    Line {
        /// From 1.
        line: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The file itself can't be read.
    #[error("after line {line} it can't be read: {error}")]
    Read {
        /// The last one that could be read.
        line: u64,
        /// What the system says.
        error: io::Error,
    },
}

/// What a line between the header and the end says.
#[derive(Clone, Debug)]
pub enum Record {
    /// An item.
    Item(ItemRecord),
    /// A job.
    Job(JobRecord),
    /// Tokens that are dead.
    Revocation(RevocationRecord),
}

/// A file that is being read: one line at a time, of at most [`LINE_BYTES`].
#[derive(Debug)]
pub struct Reader<R> {
    lines: Lines<R>,
    header: Header,
    counts: Counts,
    /// The ids of the last item and the last job.
    last: (i64, i64),
    /// The kind and the name of the last revocation.
    last_revoked: (String, String),
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line<'a> {
    #[serde(borrow)]
    Header(&'a RawValue),
    Item(&'a RawValue),
    Job(&'a RawValue),
    Revocation(&'a RawValue),
    End(&'a RawValue),
}

impl<R: BufRead> Reader<R> {
    /// Reads the header.
    ///
    /// # Errors
    /// When it is none, or that of a newer version.
    pub fn open(input: R) -> Result<Self, BadFile> {
        let mut lines = Lines { input, line: 0, buffer: Vec::new() };
        let header = match lines.next()? {
            Some(line) => header(line).map_err(|why| lines.wrong(why))?,
            None => return Err(lines.wrong("there is nothing in it".to_owned())),
        };
        let last_revoked = <_>::default();
        Ok(Self { lines, header, counts: Counts::default(), last: (0, 0), last_revoked })
    }

    /// What the file says of itself.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How much was read up to now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// The next line; nothing when the last one has come, its counts are right and nothing is after it.
    ///
    /// # Errors
    /// When a line is not as it has to be, or the file ends too early. Nothing after that is to be relied on.
    pub fn record(&mut self) -> Result<Option<Record>, BadFile> {
        let Some(line) = self.lines.next()? else {
            return Err(self
                .lines
                .wrong("the file ends before its last line, {\"end\":…}: it is not whole".to_owned()));
        };
        let record = parse::<Line<'_>>(line).and_then(|line| match line {
            Line::Header(_) => Err("there is a header already".to_owned()),
            Line::Item(raw) => read(raw, "item").map(Record::Item).map(Ok),
            Line::Job(raw) => read(raw, "job").map(Record::Job).map(Ok),
            Line::Revocation(raw) => read(raw, "revocation").map(Record::Revocation).map(Ok),
            Line::End(raw) => read(raw, "end").map(Err),
        });
        match record.map_err(|why| self.lines.wrong(why))? {
            Ok(record) => {
                self.check(&record).map_err(|why| self.lines.wrong(why))?;
                Ok(Some(record))
            }
            Err(counts) => self.end(counts),
        }
    }

    /// Whether a record is in bounds and comes after the one before.
    fn check(&mut self, record: &Record) -> Result<(), String> {
        let Counts { items, jobs, revocations } = &mut self.counts;
        match record {
            Record::Item(item) => {
                item.check(&self.header)?;
                upwards(item.id, &mut self.last.0)?;
                before("an item", "jobs", *jobs)?;
                before("an item", "revocations", *revocations)?;
                *items += 1;
            }
            Record::Job(job) => {
                job.check(&self.header)?;
                upwards(job.id, &mut self.last.1)?;
                before("a job", "revocations", *revocations)?;
                *jobs += 1;
            }
            Record::Revocation(revocation) => {
                revocation.check()?;
                let this = (revocation.kind.clone(), revocation.name.clone());
                if this <= self.last_revoked {
                    return Err("revocations have to come by kind and name, byte by byte, each once".to_owned());
                }
                self.last_revoked = this;
                *revocations += 1;
            }
        }
        Ok(())
    }

    fn end(&mut self, said: Counts) -> Result<Option<Record>, BadFile> {
        if said != self.counts {
            let why = format!("it says {said}, and before it there are {}: lines are missing or too many", self.counts);
            return Err(self.lines.wrong(why));
        }
        match self.lines.next()? {
            Some(_) => Err(self.lines.wrong("it comes after the end".to_owned())),
            None => Ok(None),
        }
    }
}

fn header(line: &[u8]) -> Result<Header, String> {
    /// What tells another version, whatever else that one has.
    #[derive(Deserialize)]
    struct Marks {
        format: String,
        version: u64,
    }
    if line.starts_with(b"SQLite format 3\0") {
        return Err(
            "this is a database itself: put it in the place of the server's, as docs/OPERATIONS.md says".to_owned()
        );
    }
    let Line::Header(raw) = parse(line)? else { return Err("there is no header before it".to_owned()) };
    let Marks { format, version } = read(raw, "header")?;
    if format != FORMAT {
        return Err(format!("its format is {format:?} and not {FORMAT:?}"));
    }
    if !(1..=VERSION).contains(&version) {
        return Err(format!(
            "it is of version {version} of the format, and this grtc-server reads up to {VERSION}: import it with the one that exported it, or a newer one"
        ));
    }
    let header: Header = read(raw, "header")?;
    header.check().map(|()| header)
}

fn parse<'a, T: Deserialize<'a>>(line: &'a [u8]) -> Result<T, String> {
    json::object(line).map_err(|error| format!("it is no line of an export: {}", words(line, &error)))
}

fn read<'a, T: Deserialize<'a>>(raw: &'a RawValue, kind: &str) -> Result<T, String> {
    let json = raw.get().as_bytes();
    json::object(json).map_err(|error| format!("its {kind} can't be read: {}", words(json, &error)))
}

/// What is wrong, without the place, which is one within the line.
fn words(json: &[u8], error: &serde_json::Error) -> String {
    let said = error.to_string();
    let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
    not_json(json).unwrap_or(said).to_owned()
}

fn upwards(id: i64, last: &mut i64) -> Result<(), String> {
    if id <= *last {
        return Err(format!("its id {id} does not come after {last}: each id is there once, and they go upwards"));
    }
    *last = id;
    Ok(())
}

fn before(what: &str, others: &str, count: u64) -> Result<(), String> {
    if count == 0 { Ok(()) } else { Err(format!("{what} has to come before the {others}")) }
}

#[derive(Debug)]
struct Lines<R> {
    input: R,
    line: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    /// The next line, without its line feed.
    fn next(&mut self) -> Result<Option<&[u8]>, BadFile> {
        self.buffer.clear();
        let mut bounded = (&mut self.input).take(LINE_BYTES as u64 + 1);
        let read = bounded.read_until(b'\n', &mut self.buffer);
        if read.map_err(|error| BadFile::Read { line: self.line, error })? == 0 {
            return Ok(None);
        }
        self.line += 1;
        match self.buffer.strip_suffix(b"\n") {
            None if self.buffer.len() > LINE_BYTES => Err(self.wrong(format!("it is longer than {LINE_BYTES} bytes"))),
            line => Ok(Some(line.unwrap_or(&self.buffer))),
        }
    }

    /// The line read last is at fault.
    fn wrong(&self, why: String) -> BadFile {
        BadFile::Line { line: self.line.max(1), why }
    }
}
