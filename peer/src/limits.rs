//! Every number of the peer, once.

use std::time::Duration;

/// How long the side that offers lets a connection open, in milliseconds: one for each try. The library's
/// handshakes can hang for ever when packets are lost, and a fresh connection opens in seven round trips.
pub(crate) const OPEN_WAITS_MS: [u64; 3] = [4_000, 6_000, 10_000];
/// How long the side that answers waits for an open channel before it offers itself.
pub(crate) const RESPONDER_PATIENCE_MS: u64 = 12_000;
/// The same after an open connection was lost.
pub(crate) const RESPONDER_REOPEN_MS: u64 = 3_000;
/// Remote candidates of one pair that wait for their description. The oldest goes when one more comes.
pub(crate) const CANDIDATES_HELD: usize = 64;
/// Names of attempts that are over and still known.
pub(crate) const PAST_ATTEMPTS: usize = 64;
/// How long an open pair is kept whose peer is gone from the room without having left: it notices that its link is dead
/// after 35 s, tries again every 30 s at most, and may find its own id taken until the server has noticed too. The page's
/// number as well.
pub(crate) const ABSENT_GRACE_MS: u64 = 120_000;

/// Remote candidates that one connection takes. More are ignored, so that nobody can make a peer scan a network.
pub(crate) const REMOTE_CANDIDATES: usize = 50;
/// Longest description that is read, in bytes.
pub(crate) const DESCRIPTION_BYTES: usize = 32 * 1024;
/// Sections of a description. Each comes back in the answer, which has to be a message that the server takes.
pub(crate) const SECTIONS: usize = 128;
/// Addresses that candidates are gathered on.
pub(crate) const LOCAL_ADDRESSES: usize = 16;
/// Commands and callbacks that wait for one connection.
pub(crate) const CONNECTION_QUEUE: usize = 256;
/// Events of all connections that wait for the driver.
pub(crate) const DRIVER_QUEUE: usize = 256;
/// Events that wait for the program. While they do, nothing more is read from the other peers and the server.
pub(crate) const EVENT_QUEUE: usize = 256;
/// Signals that wait for the link.
pub(crate) const SIGNAL_QUEUE: usize = 1_024;
/// Messages in each direction between the driver and the link.
pub(crate) const LINK_QUEUE: usize = 64;

/// Longest message on a data channel, in bytes: what Chromium takes.
pub const MESSAGE_BYTES: usize = 256 * 1024;
/// The longest message to somebody who does not say how long it may be. RFC 8841 has one byte more, of which some stacks
/// die.
pub(crate) const UNSAID_MESSAGE_BYTES: usize = 65_535;
/// Bytes that are under way on one connection before a send waits: larger windows overflow the queues of real networks, and
/// the library takes a round trip for every packet lost there.
pub(crate) const SEND_BUFFER_BYTES: usize = 256 * 1024;
/// What the UDP socket of somebody holds who does not say: a browser's.
pub(crate) const UNSAID_SOCKET_BYTES: usize = 64 * 1024;
/// A UDP socket that holds so much takes all that may be under way, however its process is scheduled.
pub(crate) const PATIENT_SOCKET_BYTES: usize = 1024 * 1024;
/// Bytes that are on the path, and in nobody's socket, for each millisecond of the round trip.
pub(crate) const WINDOW_BYTES_PER_MS: usize = 32 * 1024;
/// While a send waits for room: how often it looks itself.
pub(crate) const ROOM_CHECK: Duration = Duration::from_millis(5);
/// Datagrams that one system call takes: more gain little and come as one burst.
pub(crate) const RUN_DATAGRAMS: usize = 14;
/// The same in bytes: what UDP takes.
pub(crate) const RUN_BYTES: usize = 60_000;
/// Bytes that wait for the end of a pass of the library's driver, or for their pace, before it waits itself.
pub(crate) const WAITING_BYTES: usize = 1024 * 1024;
/// The receive window of an association when a socket holds as much.
pub(crate) const RECEIVE_WINDOW_BYTES: u32 = 1024 * 1024;
/// The same when it does not, as by Linux's default: the longest message and a bit. The association takes a message from
/// the window when it is complete.
pub(crate) const SMALL_RECEIVE_WINDOW_BYTES: u32 = 320 * 1024;
/// Asked of the kernel for each UDP socket, in each direction.
pub(crate) const SOCKET_BUFFER_BYTES: usize = 4 * 1024 * 1024;

/// Between two ICE checks. The library's default of 200 ms would be most of the time that an open takes.
pub(crate) const ICE_CHECK_INTERVAL: Duration = Duration::from_millis(20);
/// Checks of one candidate pair before it is given up: two seconds of them.
pub(crate) const ICE_CHECKS: u16 = 100;
/// Without a packet for this long ICE is disconnected …
pub(crate) const ICE_DISCONNECTED: Duration = Duration::from_millis(2_500);
/// … and this much later the connection is dead.
pub(crate) const ICE_FAILED: Duration = Duration::from_secs(3);
/// Between two keepalives of ICE.
pub(crate) const ICE_KEEPALIVE: Duration = Duration::from_millis(500);
/// How long a relayed candidate waits for a better one.
pub(crate) const RELAY_WAIT: Duration = Duration::from_millis(500);
/// Bytes are under way and none is acknowledged for this long: the association is wedged.
pub(crate) const STALL: Duration = Duration::from_secs(15);
/// How often a stall is looked for.
pub(crate) const STALL_CHECK: Duration = Duration::from_secs(1);
/// How long after a message came a connection is kept when it is to be closed: the other side's stack has this message
/// acknowledged within 200 ms, and its program may wait for that.
pub(crate) const LAST_ACKNOWLEDGEMENT: Duration = Duration::from_millis(220);
/// How long the server's word that a peer has left goes ahead of the end of its channels, so that nobody takes that for
/// a loss and tries again.
pub(crate) const GOODBYE_AHEAD: Duration = Duration::from_millis(30);
/// How long a channel may take to close before its connection is closed under it.
pub(crate) const CHANNEL_CLOSE: Duration = Duration::from_millis(150);
/// Bytes of one channel that are held while the program does not read. The library loses what it holds itself when the
/// other side leaves, and acknowledges it all the same.
pub(crate) const HELD_BYTES: usize = 2 * 1024 * 1024;
/// How long who has sent more than that waits for the other side to close first: it takes over what its library holds
/// with the next packet, a keepalive at the latest.
pub(crate) const LONG_GOODBYE: Duration = Duration::from_millis(700);
/// Between two looks at whether everything sent was acknowledged.
pub(crate) const FLUSH_CHECK: Duration = Duration::from_millis(2);

/// How long the link to the server may take to open, with the first frame.
pub(crate) const LINK_OPEN: Duration = Duration::from_secs(10);
/// A link on which nothing came for this long is asked for a sign of life.
pub(crate) const LINK_IDLE: Duration = Duration::from_secs(25);
/// How long it may take to give one.
pub(crate) const LINK_PONG: Duration = Duration::from_secs(10);
/// How long the goodbye to the server may take.
pub(crate) const LINK_CLOSE: Duration = Duration::from_secs(1);
/// The ceiling of the first wait before a lost link is opened again; it doubles each time.
pub(crate) const BACKOFF_FIRST: Duration = Duration::from_millis(500);
/// The highest ceiling of such a wait.
pub(crate) const BACKOFF_LAST: Duration = Duration::from_secs(30);
/// How long after a lost link the own name may still be taken: the server has yet to notice.
pub(crate) const NAME_TAKEN_GRACE: Duration = Duration::from_secs(60);
