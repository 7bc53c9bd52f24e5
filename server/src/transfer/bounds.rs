//! The name and the numbers of the format.

/// What a file of this kind says that it is.
pub const FORMAT: &str = "grtc-export";
/// The version of the format: a file of a newer one is refused.
pub const VERSION: u64 = 1;
/// The largest id and version of an item: what every reader of JSON keeps (RFC 8259 section 6).
pub const MAX_ID: i64 = (1 << 53) - 1;
/// Bytes of one line: several times what the longest item takes when each of its characters is escaped.
pub const LINE_BYTES: usize = 1024 * 1024;
