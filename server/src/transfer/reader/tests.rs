//! What is no export, and what is one.

use proptest::prelude::*;

use super::*;
use crate::transfer::Writer;

const HEADER: &str = r#"{"header":{"format":"grtc-export","version":1,"exported_at":"2026-01-31T12:00:00.000000Z","highest_item_id":9,"highest_job_id":5}}"#;
const ITEM: &str = r#"{"item":{"id":3,"title":"t","description":null,"status":"active","created_at":"2026-01-31T12:00:00.000000Z","updated_at":"2026-01-31T12:00:00.000001Z","version":2}}"#;
const JOB: &str = r#"{"job":{"id":1,"item_id":4,"state":"done","attempts":1,"run_at":"2026-01-31T12:00:00.000000Z","result":{"words":1e400},"error":null,"created_at":"2026-01-31T12:00:00.000000Z","updated_at":"2026-01-31T12:00:00.000000Z"}}"#;
const REVOKED: &str = r#"{"revocation":{"kind":"sub","name":"ann","at":"2026-01-31T12:00:00.000000Z"}}"#;

fn end(items: u64, jobs: u64, revocations: u64) -> String {
    format!(r#"{{"end":{{"items":{items},"jobs":{jobs},"revocations":{revocations}}}}}"#)
}

fn lines(lines: &[&str]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

fn read(file: &[u8]) -> Result<Vec<Record>, BadFile> {
    let mut reader = Reader::open(file)?;
    let mut records = Vec::new();
    while let Some(record) = reader.record()? {
        records.push(record);
    }
    Ok(records)
}

fn refused(file: &[u8]) -> String {
    read(file).expect_err(&String::from_utf8_lossy(file)).to_string()
}

/// The file is written the same again.
fn written_again(file: &[u8]) -> Result<Vec<u8>, BadFile> {
    let mut reader = Reader::open(file)?;
    let mut writer = Writer::begin(Vec::new(), reader.header()).unwrap();
    while let Some(record) = reader.record()? {
        match record {
            Record::Item(item) => writer.item(&item),
            Record::Job(job) => writer.job(&job),
            Record::Revocation(revocation) => writer.revocation(&revocation),
        }
        .unwrap();
    }
    assert_eq!(writer.counts(), reader.counts());
    Ok(writer.end().unwrap().0)
}

#[test]
fn a_whole_file_is_read_and_written_the_same() {
    let file = lines(&[HEADER, ITEM, JOB, REVOKED, &end(1, 1, 1)]);
    assert_eq!(String::from_utf8(written_again(file.as_bytes()).unwrap()).unwrap(), file);
    let windows = file.replace('\n', "\r\n");
    assert_eq!(written_again(windows.trim_end().as_bytes()).unwrap(), file.as_bytes(), "line ends are no content");
    assert_eq!(read(lines(&[HEADER, &end(0, 0, 0)]).as_bytes()).unwrap().len(), 0);
}

#[test]
fn a_file_that_ends_too_early_is_noticed_wherever_it_does() {
    let file = lines(&[HEADER, ITEM, JOB, REVOKED, &end(1, 1, 1)]);
    // The last line feed alone is not missed.
    for length in 0..file.len() - 1 {
        assert!(read(&file.as_bytes()[..length]).is_err(), "{length}");
    }
    assert!(refused(lines(&[HEADER, ITEM]).as_bytes()).contains("line 2: the file ends before its last line"));
    assert!(refused(b"").contains("line 1: there is nothing in it"));
}

#[test]
fn what_stands_at_the_wrong_place_or_twice_is_refused() {
    let (none, one) = (end(0, 0, 0), end(1, 0, 0));
    for (file, said) in [
        (lines(&[ITEM, &one]), "line 1: there is no header"),
        (lines(&[HEADER, HEADER, &none]), "line 2: there is a header already"),
        (lines(&[HEADER, ITEM, ITEM, &one]), "line 3: its id 3 does not come after 3"),
        (lines(&[HEADER, JOB, ITEM, &one]), "line 3: an item has to come before the jobs"),
        (lines(&[HEADER, REVOKED, ITEM, &one]), "before the revocations"),
        (lines(&[HEADER, REVOKED, JOB, &one]), "before the revocations"),
        (lines(&[HEADER, JOB, JOB]), "does not come after"),
        (lines(&[HEADER, REVOKED, REVOKED]), "each once"),
        (lines(&[HEADER, &one]), "lines are missing or too many"),
        (lines(&[HEADER, ITEM, &none]), "lines are missing or too many"),
        (lines(&[HEADER, &none, ITEM]), "line 3: it comes after the end"),
        (lines(&[HEADER, &none, ""]), "line 3: it comes after the end"),
        (lines(&[HEADER, "", &none]), "line 2: it is no line of an export: it is empty"),
        (lines(&[HEADER, r#"{"song":{}}"#]), "unknown variant `song`"),
        (lines(&[HEADER, r#"{"end":{"items":0,"jobs":0,"revocations":0},"end":1}"#]), "line 2"),
        (lines(&[HEADER, "\"end\""]), "it is no object"),
    ] {
        assert!(refused(file.as_bytes()).contains(said), "{said}: {}", refused(file.as_bytes()));
    }
}

#[test]
fn every_field_has_to_be_there_once_and_in_bounds() {
    let long = format!(r#""{}""#, "é".repeat(201));
    let longer = format!(r#""{}""#, "é".repeat(10_001));
    for (line, from, to, said) in [
        (ITEM, r#""id":3"#, r#""id":0"#, "id has to be from 1 to 9"),
        (ITEM, r#""id":3"#, r#""id":-1"#, "id has to be from 1 to 9"),
        (ITEM, r#""id":3"#, r#""id":10"#, "id has to be from 1 to 9"),
        (ITEM, r#""id":3"#, r#""id":1e400"#, "number out of range"),
        (ITEM, r#""id":3"#, r#""id":3.0"#, "invalid type"),
        (ITEM, r#""id":3"#, r#""id":99999999999999999999"#, "expected i64"),
        (ITEM, r#""id":3"#, r#""id":3,"id":3"#, "duplicate field `id`"),
        (ITEM, r#""id":3,"#, "", "missing field `id`"),
        (ITEM, r#""description":null,"#, "", "missing field `description`"),
        (ITEM, r#""title":"t""#, r#""title":"t","later":1"#, "unknown field `later`"),
        (ITEM, r#""title":"t""#, r#""title":"""#, "title has to have 1 to 200 characters"),
        (ITEM, r#""t""#, &long, "title has to have 1 to 200 characters"),
        (ITEM, "null", &longer, "description has to have 0 to 10000 characters"),
        (ITEM, r#""t""#, r#""\ud800""#, "hex escape"),
        (ITEM, "active", "gone", "unknown variant `gone`"),
        (ITEM, "2026-01-31T12:00:00.000000Z", "1969-12-31T23:59:59.999999Z", "a time from 1970 to 9999"),
        (ITEM, r#""version":2"#, r#""version":0"#, "version has to be from 1"),
        (ITEM, r#""version":2"#, r#""version":9007199254740992"#, "version has to be from 1 to 9007199254740991"),
        (ITEM, r#"{"id""#, r#"[{"id""#, "line 2"),
        (JOB, r#""item_id":4"#, r#""item_id":10"#, "item_id has to be from 1 to 9"),
        (JOB, r#""id":1"#, r#""id":6"#, "id has to be from 1 to 5"),
        (JOB, r#""attempts":1"#, r#""attempts":-1"#, "attempts has to be from 0"),
        (JOB, r#"{"words":1e400}"#, "[1]", "result has to be an object or null"),
        (JOB, r#""error":null,"#, "", "missing field `error`"),
        (JOB, "done", "finished", "unknown variant `finished`"),
        (REVOKED, "sub", "aud", "kind has to be sub or jti"),
        (REVOKED, "ann", "", "name has to have 1 to 8192 bytes"),
    ] {
        assert!(line.contains(from), "{from}");
        let said_now = refused(lines(&[HEADER, &line.replacen(from, to, 1)]).as_bytes());
        assert!(said_now.starts_with("line 2: ") && said_now.contains(said), "{said}: {said_now}");
    }
    let array = r#"{"item":[3,"t",null,"active","2026-01-31T12:00:00.000000Z","2026-01-31T12:00:00.000000Z",2]}"#;
    assert!(refused(lines(&[HEADER, array]).as_bytes()).contains("it is no object"));
}

#[test]
fn another_format_and_a_newer_one_are_named() {
    for (from, to, said) in [
        (r#""version":1"#, r#""version":2,"compressed":true"#, "it is of version 2 of the format"),
        (r#""version":1"#, r#""version":0"#, "it is of version 0"),
        (r#""version":1"#, r#""version":1,"later":1"#, "unknown field `later`"),
        ("grtc-export", "songs", r#"its format is "songs""#),
        (r#""highest_item_id":9"#, r#""highest_item_id":-1"#, "highest_item_id has to be from 0"),
        (r#""highest_job_id":5"#, r#""highest_job_id":9223372036854775807"#, "highest_job_id has to be from 0"),
    ] {
        let said_now = refused(HEADER.replacen(from, to, 1).as_bytes());
        assert!(said_now.starts_with("line 1: ") && said_now.contains(said), "{said}: {said_now}");
    }
    for (file, said) in [
        (&b"SQLite format 3\0..."[..], "a database itself"),
        (b"\x1f\x8b\x08", "compressed"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        (b"id,title\n", "line 1: it is no line of an export"),
    ] {
        assert!(refused(file).contains(said), "{}", refused(file));
    }
}

#[test]
fn a_line_without_an_end_takes_no_more_than_its_bound() {
    struct Endless(u64);
    impl io::Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            buffer.fill(b'[');
            self.0 += buffer.len() as u64;
            assert!(self.0 < 2 * LINE_BYTES as u64, "it reads on");
            Ok(buffer.len())
        }
    }
    let input = io::Read::chain(HEADER.as_bytes(), io::Read::chain(&b"\n"[..], Endless(0)));
    let mut reader = Reader::open(io::BufReader::new(input)).unwrap();
    assert!(reader.record().unwrap_err().to_string().contains("line 2: it is longer than 1048576 bytes"));
    // What the longest item takes when every character is an escape is far below.
    let item = ITEM.replace(r#""t""#, &format!(r#""{}""#, r"\u0000".repeat(200)));
    let item = item.replace("null", &format!(r#""{}""#, r"\u0000".repeat(10_000)));
    assert!(item.len() < LINE_BYTES / 8);
    assert_eq!(read(lines(&[HEADER, &item, &end(1, 0, 0)]).as_bytes()).unwrap().len(), 1);
    let utf8 = [HEADER.as_bytes(), b"\n{\"item\":\"\xff\"}\n"].concat();
    assert!(refused(&utf8).starts_with("line 2: "));
}

proptest! {
    #[test]
    fn never_panics(file in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&file);
        let _ = read(&[HEADER.as_bytes(), b"\n", &file].concat());
    }

    /// A whole file with something changed in it is refused, or what came out of it is written and read the same.
    #[test]
    fn what_is_read_comes_back(place in 0..700_usize, byte in any::<u8>(), removed in 0..3_usize) {
        let mut file = lines(&[HEADER, ITEM, JOB, REVOKED, &end(1, 1, 1)]).into_bytes();
        let place = place.min(file.len() - removed);
        file.splice(place..place + removed, [byte]);
        if let Ok(again) = written_again(&file) {
            prop_assert_eq!(written_again(&again).unwrap(), again);
        }
    }
}
