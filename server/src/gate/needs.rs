//! What routes need of who asks.

/// What a route needs of who asks. Each route states it where it is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing at all: health checks ask from anywhere, by any name.
    Nothing,
    /// Nothing but a name of this server. What everybody may read, whatever page it is for.
    Public,
    /// To be let in.
    Entry,
    /// Reading items, jobs and their events.
    ItemsRead,
    /// Changing items and jobs.
    ItemsWrite,
    /// The list of rooms.
    List,
    /// Joining the room that the path names, as it stands there. Who may not is told so over its WebSocket, since a page sees
    /// nothing else of an upgrade.
    Room(String),
    /// The list of rooms, or this room.
    ListOrRoom(String),
    /// Administration. Nobody may where there are no keys.
    Admin,
}
