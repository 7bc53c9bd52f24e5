//! Addresses as XOR-MAPPED-ADDRESS has them (RFC 8489, section 14.2).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::terms::{COOKIE, Transaction};

const V4: u8 = 1;
const V6: u8 = 2;

pub(super) fn read(value: &[u8], transaction: &Transaction) -> Option<SocketAddr> {
    let (&[_, family, port_0, port_1], address) = value.split_first_chunk()?;
    let port = [port_0 ^ COOKIE[0], port_1 ^ COOKIE[1]];
    let ip: IpAddr = match family {
        V4 => Ipv4Addr::from(mix(address.try_into().ok()?, transaction)).into(),
        V6 => Ipv6Addr::from(mix::<16>(address.try_into().ok()?, transaction)).into(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, u16::from_be_bytes(port)))
}

pub(super) fn write(address: SocketAddr, transaction: &Transaction) -> Vec<u8> {
    let port = address.port().to_be_bytes();
    let mut value = vec![0, V4, port[0] ^ COOKIE[0], port[1] ^ COOKIE[1]];
    match address.ip() {
        IpAddr::V4(ip) => value.extend(mix(ip.octets(), transaction)),
        IpAddr::V6(ip) => {
            value[1] = V6;
            value.extend(mix(ip.octets(), transaction));
        }
    }
    value
}

/// Mixes an address with the cookie and what follows it in the header.
fn mix<const N: usize>(mut octets: [u8; N], transaction: &Transaction) -> [u8; N] {
    for (octet, mask) in octets.iter_mut().zip(COOKIE.iter().chain(transaction)) {
        *octet ^= mask;
    }
    octets
}
