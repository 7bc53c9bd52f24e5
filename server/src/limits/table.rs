//! The limits that an operator can change, once: what each is called, what it counts, and what is beyond it. The flags, their
//! defaults, the table in `docs/OPERATIONS.md` and the label of `grtc_limited_total` come from here.

use grtc_protocol::limits::{MESSAGE_BURST, MESSAGE_RATE, ROOM_PEERS};

/// A limit with a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the table says what each is")]
pub enum Limit {
    Connections,
    ConnectionsPerAddress,
    ConnectRate,
    JoinRate,
    RequestRate,
    WriteRate,
    MessageRate,
    DeliveryRate,
    Rooms,
    RoomPeers,
    PeersPerSub,
    TurnAllocations,
    TurnAllocationsPerPeer,
    TurnRatePerPeer,
}

/// What is known of a limit.
#[derive(Debug)]
pub struct Entry {
    /// Which one it is.
    pub limit: Limit,
    /// Its key in the configuration file, and its name in the metric; the flag has hyphens instead.
    pub key: &'static str,
    /// What it is unless it is changed; 0 switches it off. A rate is one a second.
    pub default: u32,
    /// Of a rate, how many may come at once at its default.
    pub burst: Option<u32>,
    /// What it counts.
    pub counts: &'static str,
    /// What somebody gets who goes beyond it.
    pub beyond: &'static str,
}

/// How many limits there are.
pub(super) const LIMITS: usize = 14;

/// Every limit, in the order of [`Limit`].
pub const TABLE: [Entry; LIMITS] = [
    Entry {
        limit: Limit::Connections,
        key: "max_connections",
        default: 16_000,
        burst: None,
        counts: "open connections, HTTP and WebSocket together",
        beyond: "503 `overloaded`",
    },
    Entry {
        limit: Limit::ConnectionsPerAddress,
        key: "max_connections_per_address",
        default: 256,
        burst: None,
        counts: "open connections from one address; behind a proxy that speaks HTTP, requests and WebSockets at a time",
        beyond: "429 `too_many_connections`; a WebSocket behind such a proxy is closed with 4029",
    },
    Entry {
        limit: Limit::ConnectRate,
        key: "connect_rate",
        default: 50,
        burst: Some(200),
        counts: "new connections a second from one address, not counted behind a proxy that speaks HTTP",
        beyond: "429 `rate_limited`",
    },
    Entry {
        limit: Limit::JoinRate,
        key: "join_rate",
        default: 20,
        burst: Some(100),
        counts: "WebSockets that are asked for a second by one address or `sub`",
        beyond: "closed with 4029 after the upgrade",
    },
    Entry {
        limit: Limit::RequestRate,
        key: "request_rate",
        default: 500,
        burst: Some(1_000),
        counts: "requests a second from one address or `sub`, those of health checks and WebSockets aside",
        beyond: "429 `rate_limited`",
    },
    Entry {
        limit: Limit::WriteRate,
        key: "write_rate",
        default: 200,
        burst: Some(400),
        counts: "requests a second from one address or `sub` that change something; a bulk is one",
        beyond: "429 `rate_limited`",
    },
    Entry {
        limit: Limit::MessageRate,
        key: "message_rate",
        default: MESSAGE_RATE,
        burst: Some(MESSAGE_BURST),
        counts: "messages a second from one WebSocket client, control frames too",
        beyond: "read more slowly, one `error` `rate_limited`; after 10 s on end closed with 4029",
    },
    Entry {
        limit: Limit::DeliveryRate,
        key: "delivery_rate",
        default: 50_000,
        burst: Some(100_000),
        counts: "deliveries a second of one client's broadcasts, each as many as there are others in the room",
        beyond: "read more slowly, one `error` `rate_limited`",
    },
    Entry {
        limit: Limit::Rooms,
        key: "max_rooms",
        default: 10_000,
        burst: None,
        counts: "rooms at a time",
        beyond: "closed with 1013",
    },
    Entry {
        limit: Limit::RoomPeers,
        key: "max_room_peers",
        default: ROOM_PEERS,
        burst: None,
        counts: "peers in one room, those that are away included",
        beyond: "closed with 4423",
    },
    Entry {
        limit: Limit::PeersPerSub,
        key: "max_peers_per_sub",
        default: 1_000,
        burst: None,
        counts: "peers of one `sub` in all rooms, those that are away included",
        beyond: "closed with 4029",
    },
    Entry {
        limit: Limit::TurnAllocations,
        key: "turn_max_allocations",
        default: 10_000,
        burst: None,
        counts: "allocations of the relay; there are 16,384 at most",
        beyond: "508",
    },
    Entry {
        limit: Limit::TurnAllocationsPerPeer,
        key: "turn_max_allocations_per_peer",
        default: 64,
        burst: None,
        counts: "allocations of one `sub`, or of one peer id without keys, in all rooms",
        beyond: "the one goes that has carried no data for longest; 486 when all have in the last 10 s",
    },
    Entry {
        limit: Limit::TurnRatePerPeer,
        key: "turn_rate_per_peer",
        default: 10_000_000,
        burst: Some(2_500_000),
        counts: "bytes a second that one `sub`, or one peer id without keys, sends through the relay",
        beyond: "dropped",
    },
];

/// The limits in their order.
pub(crate) const LIMIT_ORDER: [Limit; LIMITS] = {
    let (mut order, mut at) = ([Limit::Connections; LIMITS], 0);
    while at < LIMITS {
        order[at] = TABLE[at].limit;
        at += 1;
    }
    order
};

impl Limit {
    /// What is known of it.
    #[must_use]
    pub fn entry(self) -> &'static Entry {
        &TABLE[self as usize]
    }
}

impl Entry {
    /// The flag, as `--max-rooms`.
    #[must_use]
    pub fn flag(&self) -> String {
        format!("--{}", self.key.replace('_', "-"))
    }

    /// The variable in the environment, as `GRTC_MAX_ROOMS`.
    #[must_use]
    pub fn variable(&self) -> String {
        format!("GRTC_{}", self.key.to_uppercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTED: &str = include_str!("../../../docs/OPERATIONS.md");

    fn thousands(number: u32) -> String {
        match number {
            0..1_000 => number.to_string(),
            _ => format!("{},{:03}", thousands(number / 1_000), number % 1_000),
        }
    }

    #[test]
    fn each_limit_is_found_at_its_place() {
        for entry in &TABLE {
            assert_eq!(entry.limit.entry().key, entry.key);
        }
    }

    #[test]
    fn the_documentation_has_this_table() {
        let rows = TABLE.iter().map(|entry| {
            let burst = entry.burst.map_or_else(|| "–".to_owned(), thousands);
            let (flag, counts, beyond) = (entry.flag(), entry.counts, entry.beyond);
            format!("| `{flag}` | {} | {burst} | {counts} | {beyond} |\n", thousands(entry.default))
        });
        let table: String = rows.collect();
        assert!(DOCUMENTED.contains(&table), "docs/OPERATIONS.md has to have these rows:\n{table}");
    }
}
