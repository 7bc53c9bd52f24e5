/**
 * Who is in the room, and what has to be done about each of them. Pure: what happened and the time go in, effects come
 * out; the twin of the native peer's, held to it by `protocol/fixtures/mesh`.
 *
 * Data channels do not need the server. So a pair whose channel is open stays when the server says that the other one
 * was lost, or restarts and knows nobody any more: it is only marked as away, and ends when its channel does, or when
 * it has been missing for so long that it will not come back.
 */

/**
 * How long a peer with an open channel may be missing from the roster: it notices that its link is dead after 35 s, tries
 * again every 30 s at most, and may find its own id taken until the server has noticed too. The native peer's number.
 */
export const ABSENT_GRACE_MS = 120_000;

/**
 * What happened. The keys are those of the golden traces.
 * - `room_state`: the server let this side in, as `me`, and says who was there
 * - `peer_joined`: somebody came, and is going to offer
 * - `opened`, `lost`: the pair's channel is open, is open no more
 * - `tick`: the instant of `pollTimeout` has come
 * @typedef {import('./protocol.js').LeaveReason} LeaveReason
 * @typedef {'tick' | 'leave' | { room_state: { me: string, peers: string[] } } | { peer_joined: { peer: string } }
 *   | { peer_left: { peer: string, reason: LeaveReason } } | { opened: { peer: string } } | { lost: { peer: string } }} Input
 */
/**
 * What to do, in the order given.
 * - `start`: begin a pair with this peer, in the place of the one that there may be; the `initiator` offers
 * - `away`: the server does not know this peer now; its open channel goes on
 * @typedef {{ start: { peer: string, initiator: boolean } } | { close: { peer: string, reason: LeaveReason } }
 *   | { away: { peer: string, reason: LeaveReason } } | { back: { peer: string } }} Effect
 * @typedef {{ open: boolean, awayUntil: number | null }} Member
 */

/** Why somebody left who may be back soon. @type {Set<LeaveReason>} */
const MAY_COME_BACK = new Set(['expired', 'lost', 'node_lost', 'replaced', 'slow']);

export class Mesh {
  /** @type {string | null} */
  #me = null;
  /** Everybody else, in the order in which they became known. @type {Map<string, Member>} */
  #members = new Map();

  /**
   * Takes what happened at `now` (milliseconds of any clock that does not go back), and says what to do.
   * @param {number} now
   * @param {Input} input
   * @returns {Effect[]}
   */
  handle(now, input) {
    if (input === 'tick') return this.#tick(now);
    if (input === 'leave') return this.#closeAll([...this.#members.keys()], 'left');
    if ('room_state' in input) return this.#roomState(now, input.room_state.me, new Set(input.room_state.peers));
    if ('peer_joined' in input) return this.#present(input.peer_joined.peer, false);
    if ('peer_left' in input) return this.#missing(now, input.peer_left.peer, input.peer_left.reason);
    if ('opened' in input) return this.#opened(input.opened.peer);
    return this.#lost(input.lost.peer);
  }

  /** When `tick` is due. @returns {number | null} */
  pollTimeout() {
    const instants = [...this.#members.values()].flatMap(({ awayUntil }) => (awayUntil === null ? [] : [awayUntil]));
    return instants.length ? Math.min(...instants) : null;
  }

  /** Whether this peer is in the room: nobody else has anything to say. @param {string} peer */
  isPresent(peer) {
    return this.#members.get(peer)?.awayUntil === null;
  }

  /**
   * The newcomer offers to everybody to whom it has no open channel.
   * @param {number} now
   * @param {string} me
   * @param {Set<string>} roster
   * @returns {Effect[]}
   */
  #roomState(now, me, roster) {
    this.#me = me;
    const gone = [...this.#members.keys()].filter((peer) => !roster.has(peer));
    return [
      ...gone.flatMap((peer) => this.#missing(now, peer, 'lost')),
      ...[...roster].flatMap((peer) => this.#present(peer, true)),
    ];
  }

  /** @param {number} now */
  #tick(now) {
    const over = [...this.#members].filter(([, { awayUntil }]) => awayUntil !== null && awayUntil <= now);
    return this.#closeAll(
      over.map(([peer]) => peer),
      'expired',
    );
  }

  /** @param {string} peer @param {boolean} initiator @returns {Effect[]} */
  #present(peer, initiator) {
    if (peer === this.#me) return [];
    const member = this.#members.get(peer);
    if (member?.open) {
      const wasAway = member.awayUntil !== null;
      member.awayUntil = null;
      return wasAway ? [{ back: { peer } }] : [];
    }
    this.#members.set(peer, { open: false, awayUntil: null });
    return [{ start: { peer, initiator } }];
  }

  /** @param {number} now @param {string} peer @param {LeaveReason} reason @returns {Effect[]} */
  #missing(now, peer, reason) {
    const member = this.#members.get(peer);
    if (!member) return [];
    const mayComeBack = MAY_COME_BACK.has(reason);
    if (!member.open || !mayComeBack) return this.#closeAll([peer], reason);
    if (member.awayUntil !== null) return [];
    member.awayUntil = now + ABSENT_GRACE_MS;
    return [{ away: { peer, reason } }];
  }

  /** @param {string} peer @returns {Effect[]} */
  #opened(peer) {
    const member = this.#members.get(peer);
    if (member) member.open = true;
    return [];
  }

  /** @param {string} peer @returns {Effect[]} */
  #lost(peer) {
    const member = this.#members.get(peer);
    if (!member) return [];
    member.open = false;
    // There is nobody to offer to.
    return member.awayUntil === null ? [] : this.#closeAll([peer], 'lost');
  }

  /** @param {string[]} peers @param {LeaveReason} reason @returns {Effect[]} */
  #closeAll(peers, reason) {
    for (const peer of peers) this.#members.delete(peer);
    return peers.map((peer) => ({ close: { peer, reason } }));
  }
}
