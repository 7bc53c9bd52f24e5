/**
 * Who is in the room, and what has to be done about each of them. Pure: the roster in, effects out.
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
 * @typedef {import('./protocol.js').LeaveReason} LeaveReason
 * @typedef {{ start: { peer: string, initiator: boolean } } | { close: { peer: string, reason: LeaveReason } }
 *   | { away: { peer: string, reason: LeaveReason } } | { back: { peer: string } }} Effect
 * @typedef {{ open: boolean, awayUntil: number | null }} Member
 */

export class Mesh {
  /** @type {Map<string, Member>} */
  #members = new Map();

  /**
   * The server let this peer in and says who was there: the newcomer offers to everybody without an open channel.
   * @param {string[]} peers
   * @param {number} now
   * @returns {Effect[]}
   */
  roomState(peers, now) {
    const roster = new Set(peers);
    const gone = [...this.#members.keys()].filter((peer) => !roster.has(peer));
    return [
      ...gone.flatMap((peer) => this.#missing(peer, now, 'lost')),
      ...[...roster].flatMap((peer) => this.#present(peer, true)),
    ];
  }

  /**
   * Somebody came, and is going to offer. An open channel stays until it does.
   * @param {string} peer
   * @returns {Effect[]}
   */
  peerJoined(peer) {
    return this.#present(peer, false);
  }

  /**
   * @param {string} peer
   * @param {number} now
   * @param {LeaveReason} reason
   * @returns {Effect[]}
   */
  peerLeft(peer, now, reason) {
    return this.#missing(peer, now, reason);
  }

  /**
   * The pair's channel opened.
   * @param {string} peer
   * @returns {Effect[]}
   */
  opened(peer) {
    const member = this.#members.get(peer);
    if (member) member.open = true;
    return [];
  }

  /**
   * The pair's channel is open no more.
   * @param {string} peer
   * @returns {Effect[]}
   */
  lost(peer) {
    const member = this.#members.get(peer);
    if (!member) return [];
    member.open = false;
    return member.awayUntil === null ? [] : this.#close(peer, 'lost');
  }

  /**
   * Ends what has been away for too long.
   * @param {number} now
   * @returns {Effect[]}
   */
  tick(now) {
    const expired = [...this.#members].filter(([, member]) => member.awayUntil !== null && member.awayUntil <= now);
    return expired.flatMap(([peer]) => this.#close(peer, 'expired'));
  }

  /** When `tick` is due. @returns {number | null} */
  timeout() {
    const instants = [...this.#members.values()].flatMap(({ awayUntil }) => (awayUntil === null ? [] : [awayUntil]));
    return instants.length ? Math.min(...instants) : null;
  }

  /** Everybody is closed. @returns {Effect[]} */
  clear() {
    return [...this.#members.keys()].flatMap((peer) => this.#close(peer, 'left'));
  }

  /** @param {string} peer @param {boolean} initiator @returns {Effect[]} */
  #present(peer, initiator) {
    const member = this.#members.get(peer);
    if (member?.open) {
      const wasAway = member.awayUntil !== null;
      member.awayUntil = null;
      return wasAway ? [{ back: { peer } }] : [];
    }
    this.#members.set(peer, { open: false, awayUntil: null });
    return [{ start: { peer, initiator } }];
  }

  /** @param {string} peer @param {number} now @param {LeaveReason} reason @returns {Effect[]} */
  #missing(peer, now, reason) {
    const member = this.#members.get(peer);
    if (!member) return [];
    const mayComeBack = reason === 'lost' || reason === 'slow' || reason === 'node_lost' || reason === 'replaced';
    if (!member.open || !mayComeBack) return this.#close(peer, reason);
    if (member.awayUntil !== null) return [];
    member.awayUntil = now + ABSENT_GRACE_MS;
    return [{ away: { peer, reason } }];
  }

  /** @param {string} peer @param {LeaveReason} reason @returns {Effect[]} */
  #close(peer, reason) {
    this.#members.delete(peer);
    return [{ close: { peer, reason } }];
  }
}
