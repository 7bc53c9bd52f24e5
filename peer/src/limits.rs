//! Every number of the peer, once.

use std::time::Duration;

/// How long the side that offers lets a connection open, in milliseconds: one for each try. The library's
/// handshakes can hang for ever when packets are lost, and a fresh connection opens in seven round trips.
pub(crate) const OPEN_WAITS_MS: [u64; 3] = [4_000, 6_000, 10_000];
/// How long the side that answers waits for an open channel before it offers itself.
pub(crate) const RESPONDER_PATIENCE_MS: u64 = 12_000;
/// The same after an open connection was lost.
pub(crate) const RESPONDER_REOPEN_MS: u64 = 3_000;
/// Nothing has come for a while, and then not for this long: the connection is replaced. In milliseconds, like those below.
pub(crate) const INTERRUPTED_MS: u64 = 2_000;
/// Something is under way and nothing more of it is acknowledged for this long: the connection is replaced …
pub(crate) const STALLED_OPEN_MS: u64 = 10_000;
/// … and when nothing comes either, already after this long.
pub(crate) const STALLED_INTERRUPTED_MS: u64 = 5_000;
/// Nothing more is acknowledged for this long: the link to the server is asked for a sign of life: a router that has forgotten the one may have forgotten
/// the other, of which nobody would know for long.
pub(crate) const STUCK_DOUBT_MS: u64 = 3_000;
/// How long a pair that was open may be without a connection before it has failed: so its reason is told within 30 s.
pub(crate) const REBUILDING_MS: u64 = 28_000;
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
/// Signals that wait for the link, or for the server to acknowledge them.
pub(crate) const SIGNAL_QUEUE: usize = 1_024;
/// Signals under way that the server has not acknowledged: after a lost link they are sent again, and it knows the last 300.
pub(crate) const SIGNALS_UNDER_WAY: usize = 256;
/// Messages in each direction between the driver and the link.
pub(crate) const LINK_QUEUE: usize = 64;

/// Longest message on a data channel, in bytes: what Chromium takes.
pub const MESSAGE_BYTES: usize = 256 * 1024;
/// The longest message to somebody who does not say how long it may be. RFC 8841 has one byte more, of which some stacks
/// die.
pub(crate) const UNSAID_MESSAGE_BYTES: usize = 65_535;
/// Bytes that are under way on one channel before a send waits, as long as nothing is known of the path: a larger window
/// overflows the queues of real networks, and the library takes a round trip for every packet lost there.
pub(crate) const SEND_BUFFER_BYTES: usize = 256 * 1024;
/// The least that it becomes, however long acknowledgements take.
pub(crate) const WINDOW_LEAST_BYTES: usize = 128 * 1024;
/// How long what is under way may queue on the path; or a quarter of the round trip.
pub(crate) const QUEUE_DELAY: Duration = Duration::from_millis(5);
/// What is handed over is timed by the piece of so many bytes …
pub(crate) const MARK_BYTES: u64 = 16 * 1024;
/// … or of so long a time …
pub(crate) const MARK_TIME: Duration = Duration::from_millis(1);
/// … and so many pieces of what is not acknowledged, of which the last may be longer.
pub(crate) const MARKS: usize = 512;
/// How long the rate of a path is remembered at least, and at most twice that: longer than a process waits for a processor.
pub(crate) const RATE_MEMORY: Duration = Duration::from_millis(500);
/// A path that has not been seen without a queue for this long is looked at without one.
pub(crate) const BASE_MEMORY: Duration = Duration::from_secs(10);
/// With nothing acknowledged for this long what may be under way is halved: an acknowledgement may be 200 ms late.
pub(crate) const STILL: Duration = Duration::from_millis(500);
/// What has to be free of a window before a sender is woken; or a quarter of it.
pub(crate) const FREED_BYTES: usize = 128 * 1024;
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
/// Datagrams with data that go twice: those that begin the association, and the channels on it.
pub(crate) const TWICE: usize = 8;
/// The receive window of an association when a socket holds what is asked of the kernel, which grants that for bookkeeping once
/// more: so much of data fits.
pub(crate) const LARGE_RECEIVE_WINDOW_BYTES: u32 = 4 * 1024 * 1024 + 256 * 1024;
/// The same when it holds as much as this.
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
/// How often is looked at what is under way.
pub(crate) const STALL_CHECK: Duration = Duration::from_secs(1);
/// How long after a message came a connection is kept when it is to be closed: the other side's stack has this message
/// acknowledged within 200 ms, and its program may wait for that.
pub(crate) const LAST_ACKNOWLEDGEMENT: Duration = Duration::from_millis(220);
/// How long a channel is open at least before this peer says goodbye: the other side may be a little later to know of it.
pub(crate) const JUST_OPENED: Duration = Duration::from_millis(100);
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
/// The longest wait that a server can ask for.
pub(crate) const RETRY_HINT_LAST: Duration = Duration::from_secs(600);
/// How long after a lost link the own name may be refused on end: the server notices a dead link after 35 s, and keeps the
/// place for 120 s of one whose token was lost on its way here.
pub(crate) const NAME_TAKEN_GRACE: Duration = Duration::from_secs(180);
/// The longest wait between two tries for an own id that is still taken.
pub(crate) const NAME_TAKEN_WAIT: Duration = Duration::from_secs(2);
/// How long the server may take to give a sign of life after this machine's network has changed, or it has slept.
pub(crate) const CHANGED_PONG: Duration = Duration::from_secs(2);
/// The same when something else lets doubt the link.
pub(crate) const DOUBT_PONG: Duration = Duration::from_secs(3);
/// The link is doubted when the server answers for nothing of what is under way for this long …
pub(crate) const UNANSWERED: Duration = Duration::from_secs(3);
/// … and twice as long after each doubt, up to this.
pub(crate) const UNANSWERED_LAST: Duration = Duration::from_secs(60);
/// Longest token: what the server takes.
pub(crate) const TOKEN_BYTES: usize = 8 * 1024;
/// Between two looks at the file of a token. A newer one is shown when it is the same in two of them.
pub(crate) const TOKEN_CHECK: Duration = Duration::from_secs(1);
/// Between two looks at this machine's addresses and its clock.
pub(crate) const SURROUNDINGS_CHECK: Duration = Duration::from_secs(1);
/// A look that comes so much too late means that this process was stopped, or the machine slept.
pub(crate) const SLEPT: Duration = Duration::from_secs(3);
/// After a sleep of this length the other sides have replaced their connections.
pub(crate) const SLEPT_LONG: Duration = Duration::from_secs(8);

/// How long the word of what the program has taken waits for something to go with.
pub(crate) const ACKNOWLEDGEMENT_DELAY: Duration = Duration::from_millis(2);
/// After this time a send says that it does not know whether the other program has the message.
pub(crate) const UNKNOWN: Duration = Duration::from_millis(grtc_protocol::streams::UNKNOWN_MS);
