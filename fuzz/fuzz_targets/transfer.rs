//! What `import` reads. Whatever it is, nothing panics; and what is taken for a whole export is written again, and that is
//! read as the same. The first byte says whether a header that is good stands before the rest.
#![no_main]

use grtc_server::transfer::{BadFile, Counts, LINE_BYTES, Reader, Record, Writer};
use libfuzzer_sys::fuzz_target;

const HEADER: &[u8] =
    b"{\"header\":{\"format\":\"grtc-export\",\"version\":1,\"exported_at\":\"2026-01-31T12:00:00.000000Z\",\
    \"highest_item_id\":9,\"highest_job_id\":9}}\n";

fuzz_target!(|input: &[u8]| {
    let Some((first, rest)) = input.split_first() else { return };
    let file = if first % 2 == 0 { rest.to_vec() } else { [HEADER, rest].concat() };
    if let Ok((again, counts)) = rewritten(&file) {
        assert!(again.split(|byte| *byte == b'\n').all(|line| line.len() <= LINE_BYTES));
        assert_eq!(rewritten(&again).ok(), Some((again, counts)));
    }
});

/// The file as it would be exported, and what is in it.
fn rewritten(file: &[u8]) -> Result<(Vec<u8>, Counts), BadFile> {
    let mut reader = Reader::open(file)?;
    let mut writer = Writer::begin(Vec::new(), reader.header()).expect("memory");
    while let Some(record) = reader.record()? {
        let written = match record {
            Record::Item(item) => writer.item(&item),
            Record::Job(job) => writer.job(&job),
            Record::Revocation(revocation) => writer.revocation(&revocation),
        };
        written.expect("what is read can be written");
    }
    Ok(writer.end().expect("memory"))
}
