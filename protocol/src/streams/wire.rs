//! Numbers and texts as they stand in a frame. A number is a variable-length integer of RFC 9000, section 16.

use super::io::Breach;

/// The greatest number: what JavaScript can count.
pub(super) const MAX: u64 = (1 << 53) - 1;

const CUT: Breach = Breach::malformed("a frame is cut");

/// Writes a number, in as few bytes as it takes.
#[allow(clippy::cast_possible_truncation, reason = "each is shifted into its byte")]
pub(super) fn put(out: &mut Vec<u8>, number: u64) {
    debug_assert!(number <= MAX);
    let bytes = number.to_be_bytes();
    match number {
        0..=0x3f => out.push(bytes[7]),
        0x40..=0x3fff => out.extend([0x40 | bytes[6], bytes[7]]),
        0x4000..=0x3fff_ffff => out.extend([0x80 | bytes[4], bytes[5], bytes[6], bytes[7]]),
        _ => {
            out.push(0xc0 | bytes[0]);
            out.extend(&bytes[1..]);
        }
    }
}

/// Writes bytes, after their number.
pub(super) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend(bytes);
}

/// What is left to read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Breach> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(CUT)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Breach> {
        Ok(self.take(1)?[0])
    }

    pub(super) fn number(&mut self) -> Result<u64, Breach> {
        let first = *self.0.first().ok_or(CUT)?;
        let bytes = self.take(1 << (first >> 6))?;
        let number = bytes[1..].iter().fold(u64::from(first & 0x3f), |number, byte| number << 8 | u64::from(*byte));
        if number > MAX { Err(Breach::malformed("a number is too great")) } else { Ok(number) }
    }

    /// Bytes after their number.
    pub(super) fn bytes(&mut self) -> Result<&'a [u8], Breach> {
        let count = self.number()?;
        self.take(usize::try_from(count).map_err(|_| CUT)?)
    }

    /// A text of so many bytes at most.
    pub(super) fn text(&mut self, longest: usize) -> Result<&'a str, Breach> {
        let bytes = self.bytes()?;
        if bytes.len() > longest {
            return Err(Breach::beyond("a text is too long"));
        }
        std::str::from_utf8(bytes).map_err(|_| Breach::malformed("a text is no UTF-8"))
    }
}
