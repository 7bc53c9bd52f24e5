//! The file that `grtc-server export` writes and `grtc-server import` reads: one JSON object a line, with one key that
//! says what the line is.
//!
//! ```text
//! {"header":{"format":"grtc-export","version":1,"exported_at":"…","highest_item_id":7,"highest_job_id":2}}
//! {"item":{"id":3,"title":"…","description":null,"status":"active","created_at":"…","updated_at":"…","version":1}}
//! {"job":{"id":1,"item_id":3,"state":"done","attempts":1,"run_at":"…","result":{…},"error":null,"created_at":"…","updated_at":"…"}}
//! {"revocation":{"kind":"sub","name":"ann","at":"…"}}
//! {"end":{"items":1,"jobs":1,"revocations":1}}
//! ```
//!
//! The lines come in this order, each kind by its ids upwards. Nothing in here knows a database: what is read is what
//! any of them takes, and what was read is written the same again.

mod bounds;
mod job;
mod reader;
mod record;
mod time;
mod writer;

pub use bounds::{FORMAT, LINE_BYTES, MAX_ID, VERSION};
pub use job::JobRecord;
pub use reader::{BadFile, Reader, Record};
pub use record::{Counts, Header, ItemRecord, RevocationRecord};
pub use writer::Writer;
