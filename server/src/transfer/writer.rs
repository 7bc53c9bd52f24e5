//! Writing a file, line by line.

use std::io::{self, Write};

use serde::Serialize;

use super::{
    job::JobRecord,
    record::{Counts, Header, ItemRecord, RevocationRecord},
};

/// A file that is being written. Without [`Writer::end`] it is no whole one.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    counts: Counts,
}

#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
enum Line<'a> {
    Header(&'a Header),
    Item(&'a ItemRecord),
    Job(&'a JobRecord),
    Revocation(&'a RevocationRecord),
    End(&'a Counts),
}

impl<W: Write> Writer<W> {
    /// Begins a file.
    ///
    /// # Errors
    /// Those of `out`, as of everything here; and of a value that has no text, as a time before 1970.
    pub fn begin(mut out: W, header: &Header) -> io::Result<Self> {
        write(&mut out, &Line::Header(header))?;
        Ok(Self { out, counts: Counts::default() })
    }

    /// Writes an item, which has a higher id than the one before.
    ///
    /// # Errors
    /// See [`Writer::begin`].
    pub fn item(&mut self, item: &ItemRecord) -> io::Result<()> {
        self.counts.items += 1;
        write(&mut self.out, &Line::Item(item))
    }

    /// Writes a job, which has a higher id than the one before. The items come first.
    ///
    /// # Errors
    /// See [`Writer::begin`].
    pub fn job(&mut self, job: &JobRecord) -> io::Result<()> {
        self.counts.jobs += 1;
        write(&mut self.out, &Line::Job(job))
    }

    /// Writes a revocation, which comes after the one before by its kind and then its name, byte by byte. Jobs come first.
    ///
    /// # Errors
    /// See [`Writer::begin`].
    pub fn revocation(&mut self, revocation: &RevocationRecord) -> io::Result<()> {
        self.counts.revocations += 1;
        write(&mut self.out, &Line::Revocation(revocation))
    }

    /// How much was written up to now.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Writes the last line, and all that waits to be written.
    ///
    /// # Errors
    /// See [`Writer::begin`].
    pub fn end(mut self) -> io::Result<(W, Counts)> {
        write(&mut self.out, &Line::End(&self.counts))?;
        self.out.flush()?;
        Ok((self.out, self.counts))
    }
}

fn write(out: &mut impl Write, line: &Line<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}
