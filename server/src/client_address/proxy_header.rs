//! The PROXY protocol, versions 1 and 2 (haproxy.org, `proxy-protocol.txt`): what a proxy that knows no HTTP says first about
//! the client whose bytes follow.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use tokio::io::{AsyncRead, AsyncReadExt};

/// What version 2 begins with.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Longest line of version 1, its end included.
const LINE_BYTES: usize = 107;
/// What may follow on the head of version 2: addresses and what a proxy adds to them.
const REST_BYTES: u16 = 4 * 1024;

/// Reads the header, and no byte more: the address that it names; none where the proxy speaks for itself.
///
/// # Errors
/// When what comes is no such header, or the connection ends.
pub(crate) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<IpAddr>> {
    let mut head = [0; 16];
    let (begin, rest) = head.split_at_mut(SIGNATURE.len());
    stream.read_exact(begin).await?;
    if begin != SIGNATURE {
        let mut line = begin.to_vec();
        // A line has no length: only its end says where HTTP begins.
        while !line.ends_with(b"\n") && line.len() < LINE_BYTES && line.starts_with(b"PROXY ") {
            line.push(stream.read_u8().await?);
        }
        return version_1(&line).ok_or_else(invalid);
    }
    stream.read_exact(rest).await?;
    let [.., version, family, high, low] = head;
    let length = u16::from_be_bytes([high, low]);
    if length > REST_BYTES {
        return Err(invalid());
    }
    let mut addresses = vec![0; usize::from(length)];
    stream.read_exact(&mut addresses).await?;
    version_2(version, family, &addresses).ok_or_else(invalid)
}

fn invalid() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "what came first is no PROXY header")
}

/// `PROXY TCP4 192.0.2.7 192.0.2.1 56324 443\r\n`, or `PROXY UNKNOWN` and anything.
fn version_1(line: &[u8]) -> Option<Option<IpAddr>> {
    let line = std::str::from_utf8(line).ok()?.strip_prefix("PROXY ")?.strip_suffix("\r\n")?;
    let (family, rest) = line.split_once(' ').unwrap_or((line, ""));
    let (source, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let mut ports = rest.split(' ').skip(1).map(str::parse::<u16>);
    let is_whole = matches!((ports.next(), ports.next(), ports.next()), (Some(Ok(_)), Some(Ok(_)), None));
    match family {
        "TCP4" if is_whole => Some(Some(source.parse::<Ipv4Addr>().ok()?.into())),
        "TCP6" if is_whole => Some(Some(source.parse::<Ipv6Addr>().ok()?.into())),
        "UNKNOWN" => Some(None),
        _ => None,
    }
}

/// The version and the command, the family, and the addresses with what follows on them.
fn version_2(version: u8, family: u8, addresses: &[u8]) -> Option<Option<IpAddr>> {
    const LOCAL: u8 = 0x20;
    const PROXY: u8 = 0x21;
    match (version, family >> 4) {
        // The proxy's own, a health check for instance; or of a family that is no address of the internet.
        (LOCAL, _) | (PROXY, 0 | 3) => Some(None),
        (PROXY, 1) => {
            // The source, the destination and two ports.
            let (source, _) = addresses.get(..12)?.split_first_chunk::<4>()?;
            Some(Some(Ipv4Addr::from(*source).into()))
        }
        (PROXY, 2) => {
            let (source, _) = addresses.get(..36)?.split_first_chunk::<16>()?;
            Some(Some(Ipv6Addr::from(*source).into()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    async fn taken(bytes: &[u8]) -> Option<(Option<IpAddr>, usize)> {
        let mut stream = bytes;
        let named = read(&mut stream).await.ok()?;
        Some((named, bytes.len() - stream.len()))
    }

    fn v2(version: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
        let length = u16::try_from(addresses.len()).unwrap().to_be_bytes();
        [&SIGNATURE[..], &[version, family], &length, addresses].concat()
    }

    #[tokio::test]
    async fn names_the_client_and_takes_no_byte_more() {
        let four = [192, 0, 2, 7, 192, 0, 2, 1, 0xdc, 4, 1, 0xbb];
        let six = [[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7], [1; 16]].concat();
        let six = [six, vec![0; 4], b"\x04\0\x01x".to_vec()].concat();
        for (header, named) in [
            (b"PROXY TCP4 192.0.2.7 192.0.2.1 56324 443\r\n".to_vec(), Some("192.0.2.7")),
            (b"PROXY TCP6 2001:db8::7 ::1 56324 443\r\n".to_vec(), Some("2001:db8::7")),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n".to_vec(), None),
            (v2(0x21, 0x11, &four), Some("192.0.2.7")),
            (v2(0x21, 0x21, &six), Some("2001:db8::7")),
            (v2(0x20, 0, &[]), None),
            (v2(0x20, 0x11, &four), None),
            (v2(0x21, 0, &[]), None),
            (v2(0x21, 0x31, &[0; 216]), None),
        ] {
            let then = [&header[..], b"GET / HTTP/1.1\r\n"].concat();
            let named = named.map(|ip: &str| ip.parse().unwrap());
            assert_eq!(taken(&then).await, Some((named, header.len())), "{}", header.escape_ascii());
            for cut in 0..header.len() {
                assert_eq!(taken(&header[..cut]).await, None, "cut at {cut}: {}", header.escape_ascii());
            }
        }
    }

    #[tokio::test]
    async fn anything_else_is_none() {
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(100));
        for bytes in [
            b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.7 192.0.2.1 56324 443\n and so on".to_vec(),
            b"PROXY TCP4 2001:db8::7 ::1 56324 443\r\n".to_vec(),
            b"PROXY TCP6 192.0.2.7 192.0.2.1 56324 443\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.7 192.0.2.1 99999 443\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.7 192.0.2.1 56324\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.7 192.0.2.1 56324 443 8\r\n".to_vec(),
            b"PROXY TCP4\r\n and so on".to_vec(),
            b"PROXY UDP4 192.0.2.7 192.0.2.1 56324 443\r\n".to_vec(),
            b"proxy tcp4 192.0.2.7 192.0.2.1 56324 443\r\n".to_vec(),
            long.into_bytes(),
            v2(0x11, 0x11, &[0; 12]),
            v2(0x22, 0x11, &[0; 12]),
            v2(0x21, 0x11, &[0; 11]),
            v2(0x21, 0x21, &[0; 35]),
            v2(0x21, 0x41, &[0; 36]),
            v2(0x21, 0x11, &[0; 4097]),
        ] {
            assert_eq!(taken(&bytes).await, None, "{}", bytes.escape_ascii());
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_much_for_it(rest: Vec<u8>, begin in 0..4_usize) {
            let begins: [&[u8]; 4] = [b"", b"PROXY ", b"PROXY TCP4 ", &SIGNATURE];
            let bytes = [begins[begin], &rest].concat();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            if let Some((_, taken)) = runtime.block_on(taken(&bytes)) {
                prop_assert!(taken <= 16 + usize::from(REST_BYTES));
            }
        }
    }
}
