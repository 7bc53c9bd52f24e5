//! Who begins the DTLS handshake (RFC 8842).

/// What a description says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rtc) enum Setup {
    /// Either; also when it says nothing, or what is no role.
    Actpass,
    Is(Role),
}

/// A side's role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::rtc) enum Role {
    /// The client: it begins.
    Active,
    /// The server.
    Passive,
}

impl Role {
    pub(in crate::rtc) fn other(self) -> Self {
        match self {
            Self::Active => Self::Passive,
            Self::Passive => Self::Active,
        }
    }

    pub(in crate::rtc) fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Passive => "passive",
        }
    }
}

impl Setup {
    pub(super) fn parse(value: Option<&str>) -> Self {
        match value.map(str::to_ascii_lowercase).as_deref() {
            Some("active") => Self::Is(Role::Active),
            Some("passive") => Self::Is(Role::Passive),
            _ => Self::Actpass,
        }
    }

    /// The role of who answers an offer that says this, and this one if it leaves the choice.
    pub(super) fn answering_role(self, chosen: Role) -> Role {
        match self {
            Self::Actpass => chosen,
            Self::Is(role) => role.other(),
        }
    }

    /// The role of who left the choice in its offer and got this in the answer; where it says nothing, the side that
    /// answered begins.
    pub(super) fn answered_role(self) -> Role {
        match self {
            Self::Actpass => Role::Passive,
            Self::Is(role) => role.other(),
        }
    }
}
