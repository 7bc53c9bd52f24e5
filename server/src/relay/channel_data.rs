//! ChannelData messages (RFC 8656, section 12.4): four bytes before the data of a channel.

use std::ops::RangeInclusive;

/// The numbers of channels that a client may bind. RFC 8656 ends them at 0x4FFF, RFC 5766 at 0x7FFE, and its clients are around.
pub const CHANNELS: RangeInclusive<u16> = 0x4000..=0x7FFE;
/// Bytes before the data.
const HEADER: usize = 4;

/// The channel and its data, if `datagram` is such a message. Padding behind the data is allowed, and cut off.
#[must_use]
pub fn parse(datagram: &[u8]) -> Option<(u16, &[u8])> {
    let (header, rest) = datagram.split_first_chunk::<HEADER>()?;
    let [channel, length] = [[header[0], header[1]], [header[2], header[3]]].map(u16::from_be_bytes);
    let data = rest.get(..usize::from(length))?;
    CHANNELS.contains(&channel).then_some((channel, data))
}

/// The message as it is in a datagram, without padding; none when there is more data than one can have.
#[must_use]
pub fn frame(channel: u16, data: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(data.len()).ok()?;
    let mut frame = Vec::with_capacity(HEADER + data.len());
    frame.extend_from_slice(&channel.to_be_bytes());
    frame.extend_from_slice(&length.to_be_bytes());
    frame.extend_from_slice(data);
    Some(frame)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    proptest! {
        #[test]
        fn what_is_framed_is_read_again(channel in CHANNELS, data in vec(any::<u8>(), 0..2_000), padding in 0..4_usize) {
            let mut framed = frame(channel, &data).unwrap();
            framed.resize(framed.len() + padding, 0);
            prop_assert_eq!(parse(&framed), Some((channel, &data[..])));
        }

        #[test]
        fn anything_can_be_read(bytes in vec(any::<u8>(), 0..64)) {
            if let Some((channel, data)) = parse(&bytes) {
                prop_assert!(bytes.starts_with(&frame(channel, data).unwrap()));
            }
        }
    }

    #[test]
    fn a_message_that_is_cut_or_has_another_number_is_none() {
        assert_eq!(parse(&[0x40, 0, 0, 3, 1, 2]), None);
        assert_eq!(parse(&[0x40, 0, 0]), None);
        assert_eq!((parse(&[0x3F, 0xFF, 0, 0]), parse(&[0x7F, 0xFF, 0, 0])), (None, None));
        assert_eq!(frame(0x4000, &[0; 65_536]), None);
    }
}
