//! Remote candidates (RFC 8839, section 5.1): each one is used or left out for itself.

use std::net::IpAddr;

use crate::limits::REMOTE_CANDIDATES;

/// Why a candidate is left out.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(in crate::rtc) enum LeftOut {
    #[error("there are more than {REMOTE_CANDIDATES} of them")]
    TooMany,
    #[error("it is no candidate")]
    Malformed,
    #[error("it is for RTCP")]
    Component,
    #[error("it is for {0}, not UDP")]
    Transport(String),
    #[error("its address is a name that is not looked up")]
    Name,
    #[error("its address needs an interface, or is none that packets are sent to")]
    Address,
}

/// The candidate as the library takes it, without what it does not need.
pub(in crate::rtc) fn usable(text: &str) -> Result<String, LeftOut> {
    let text = text.trim();
    let text = text.strip_prefix("a=").unwrap_or(text);
    let words: Vec<&str> = text.strip_prefix("candidate:").unwrap_or(text).split_whitespace().collect();
    let [foundation, component, transport, priority, address, port, "typ", kind, ..] = words[..] else {
        return Err(LeftOut::Malformed);
    };
    if component != "1" {
        return Err(if component == "2" { LeftOut::Component } else { LeftOut::Malformed });
    }
    if !transport.eq_ignore_ascii_case("udp") {
        return Err(LeftOut::Transport(transport.chars().take(20).collect()));
    }
    let is_word = |word: &str| word.len() <= 64 && word.bytes().all(|byte| byte.is_ascii_graphic());
    let (Ok(priority), Ok(port @ 1..)) = (priority.parse::<u32>(), port.parse::<u16>()) else {
        return Err(LeftOut::Malformed);
    };
    if !is_word(foundation) || !["host", "srflx", "prflx", "relay"].contains(&kind) {
        return Err(LeftOut::Malformed);
    }
    let address = usable_address(address)?;
    Ok(format!("candidate:{foundation} 1 udp {priority} {address} {port} typ {kind}"))
}

/// An address that packets can be sent to, or a name that multicast DNS may know.
fn usable_address(text: &str) -> Result<String, LeftOut> {
    let Ok(ip) = text.parse::<IpAddr>() else {
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        return match text.to_ascii_lowercase().strip_suffix(".local") {
            Some(label) if is_label(label) => Ok(text.to_ascii_lowercase()),
            None if text.contains('%') => Err(LeftOut::Address),
            _ => Err(LeftOut::Name),
        };
    };
    let needs_interface = match ip {
        IpAddr::V4(ip) => ip.is_broadcast(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    match ip.is_unspecified() || ip.is_multicast() || needs_interface {
        true => Err(LeftOut::Address),
        false => Ok(ip.to_string()),
    }
}
