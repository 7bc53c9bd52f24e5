//! WebSocket close codes (RFC 6455 section 7.4; 4000–4999 are the application's own).

/// Why a connection ended, as the number in its close frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u16)]
pub enum CloseCode {
    /// A clean end, after `leave` or a client's own close.
    Normal = 1000,
    /// The server is going away.
    GoingAway = 1001,
    /// The client broke a rule of WebSocket itself.
    Protocol = 1002,
    /// A text message that is no UTF-8.
    InvalidText = 1007,
    /// The client broke a rule of grtc's protocol.
    Policy = 1008,
    /// A message over [`crate::limits::MESSAGE_BYTES`].
    TooBig = 1009,
    /// The server failed.
    Error = 1011,
    /// The server restarts.
    Restart = 1012,
    /// The server has no room for this connection now.
    Overloaded = 1013,
    /// The same peer connected anew.
    Replaced = 4001,
    /// An administrator ended it.
    Kicked = 4003,
    /// The client does not read what it is sent.
    TooSlow = 4008,
    /// The client sends more than its rate, for too long.
    RateLimit = 4029,
    /// The request was wrong.
    BadRequest = 4400,
    /// No or an expired token.
    NotAuthenticated = 4401,
    /// Not allowed.
    NotAllowed = 4403,
    /// A ping was not answered.
    NoHeartbeat = 4408,
    /// The peer id is in use in this room.
    PeerIdTaken = 4409,
    /// The room holds as many peers as it may.
    RoomFull = 4423,
}

impl CloseCode {
    /// Every code that grtc knows.
    pub const ALL: [Self; 19] = [
        Self::Normal,
        Self::GoingAway,
        Self::Protocol,
        Self::InvalidText,
        Self::Policy,
        Self::TooBig,
        Self::Error,
        Self::Restart,
        Self::Overloaded,
        Self::Replaced,
        Self::Kicked,
        Self::TooSlow,
        Self::RateLimit,
        Self::BadRequest,
        Self::NotAuthenticated,
        Self::NotAllowed,
        Self::NoHeartbeat,
        Self::PeerIdTaken,
        Self::RoomFull,
    ];

    /// The code as it stands in the close frame.
    #[must_use]
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// The code that this number names, if grtc knows it.
    #[must_use]
    pub fn from_code(code: u16) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.code() == code)
    }

    /// The stable word for this code, as in an `error` of `grtc-peer`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Normal => "left",
            Self::GoingAway => "going_away",
            Self::Protocol => "protocol_error",
            Self::InvalidText => "invalid_text",
            Self::Policy => "policy",
            Self::TooBig => "too_big",
            Self::Error => "server_error",
            Self::Restart => "restart",
            Self::Overloaded => "overloaded",
            Self::Replaced => "replaced",
            Self::Kicked => "kicked",
            Self::TooSlow => "too_slow",
            Self::RateLimit => "rate_limited",
            Self::BadRequest => "bad_request",
            Self::NotAuthenticated => "not_authenticated",
            Self::NotAllowed => "not_allowed",
            Self::NoHeartbeat => "no_heartbeat",
            Self::PeerIdTaken => "peer_id_taken",
            Self::RoomFull => "room_full",
        }
    }

    /// A sentence for a person.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Normal => "left the room",
            Self::GoingAway => "the server is stopping",
            Self::Protocol => "the client broke a rule of WebSocket (RFC 6455)",
            Self::InvalidText => "a text was no UTF-8",
            Self::Policy => "the client broke a rule of the protocol",
            Self::TooBig => "a message was larger than 65536 bytes",
            Self::Error => "the server failed",
            Self::Restart => "the server restarts",
            Self::Overloaded => "the server has no room for more",
            Self::Replaced => "the same peer connected anew",
            Self::Kicked => "ended by an administrator",
            Self::TooSlow => "the client does not read fast enough",
            Self::RateLimit => "the client sends or asks for more than its rate",
            Self::BadRequest => "the request was wrong",
            Self::NotAuthenticated => "no valid token",
            Self::NotAllowed => "not allowed",
            Self::NoHeartbeat => "a ping was not answered",
            Self::PeerIdTaken => "this peer id is in use in this room",
            Self::RoomFull => "the room is full",
        }
    }

    /// Whether a client should connect again after this code. A connection that ended without a code: yes.
    #[must_use]
    pub const fn reconnect(self) -> bool {
        matches!(
            self,
            Self::GoingAway
                | Self::Error
                | Self::Restart
                | Self::Overloaded
                | Self::TooSlow
                | Self::RateLimit
                | Self::NoHeartbeat
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reconnects_after_the_codes_that_say_come_back_and_no_others() {
        let back: Vec<u16> = CloseCode::ALL.into_iter().filter(|c| c.reconnect()).map(CloseCode::code).collect();
        assert_eq!(back, [1001, 1011, 1012, 1013, 4008, 4029, 4408]);
    }

    #[test]
    fn every_code_is_found_by_its_number_and_fits_a_close_frame() {
        for code in CloseCode::ALL {
            assert_eq!(CloseCode::from_code(code.code()), Some(code));
            assert!(code.reason().len() <= 123, "RFC 6455 5.5: a control frame holds 125 bytes");
        }
        assert_eq!(CloseCode::from_code(1006), None);
    }
}
