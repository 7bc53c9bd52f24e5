/** What a room tells and takes. */

/**
 * @typedef {import('./protocol.js').LeaveReason} LeaveReason
 * @typedef {import('./liveness.js').PairState} PairState
 *
 * @typedef {object} Peer
 * @property {string} id
 * @property {PairState} state how the pair is
 * @property {boolean} away its connection to the server broke, or the server does not know it; an open channel to it goes on
 * @property {Record<string, unknown>} metadata what it says about itself: anything, so look before you use it
 * @property {import('./rtc.js').PathStats | null} path as of the last `readStats`
 * @property {number} messageBytes the largest text that it takes now, in bytes of UTF-8; 0: none
 *
 * @typedef {import('./session.js').SessionStatus | { state: 'idle' }
 *   | { state: 'joined', rejoined: boolean, recovered: boolean, peers: string[] }} RoomStatus
 *   `joined` also says whether this is a return after the connection to the server was lost, and whether all that was said
 *   meanwhile is going to be told
 *
 * @typedef {object} Message
 * @property {string} from
 * @property {string} text what was said: the data, or its `text` or `message`, or its JSON
 * @property {unknown} data
 * @property {'p2p' | 'broadcast' | 'direct'} via over the data channel, or through the server to all, or to this peer
 * @property {Date} at
 * @property {boolean} replayed it was said before this peer came
 *
 * @typedef {'joined' | 'left' | 'away' | 'back' | 'updated' | 'state' | 'restarted' | 'path'} Change
 *   `restarted`: its program is another one, and does not have what was not acknowledged
 * @typedef {{ status: RoomStatus, message: Message,
 *   peer: { peer: Peer, change: Change, reason?: LeaveReason } & import('./pair.js').About,
 *   error: { code: string, message: string, peer?: string, limit?: number, count?: number } }} RoomEvents
 *
 * @typedef {object} RoomOptions
 * @property {string} room
 * @property {string} [peerId] without it the server makes one
 * @property {string} [server] where grtc-server is, also below a path; default: where this module came from
 * @property {import('./session_token.js').TokenOption} [token] for a server that asks for one: the token, or a function that
 *   gives it (or a promise of it), asked for each connection and, a minute before the token ends, for a newer one
 * @property {boolean} [returning] this peer was in the room a moment ago, say before the page was loaded anew: if its id
 *   is taken, that may be itself, so it tries again for a while
 * @property {number} [history] so many of the last broadcasts are told to who comes (at most 300)
 * @property {import('./heard.js').Heard} [heard] of an earlier room of this name: those broadcasts are not told again
 * @property {object} [metadata] what the others see beside this peer's id, at most 4 KiB of JSON
 * @property {RTCIceServer[]} [iceServers] instead of those that the server names
 * @property {(url: string, protocols: string[]) => import('./session.js').Socket} [webSocket]
 * @property {import('./attempts.js').CreateConnection} [createConnection]
 * @property {import('./waking.js').Waking} [waking]
 * @property {() => number} [now]
 * @property {() => number} [random]
 */

export {};
