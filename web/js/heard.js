/**
 * Which of a room's broadcasts were heard, so that none is shown twice: a history is told anew to who comes back, its own words
 * included. Numbers are of an `epoch`: another one means that counting began anew.
 */
export class Heard {
  /** @type {string | null} */
  #epoch = null;
  #seq = 0;
  /** @type {string | null} */
  #me = null;
  /** Under which names this side was here before it came now: what those said was shown when it was said. @type {Set<string>} */
  #mine = new Set();

  /** @param {string | undefined} epoch @param {string} me */
  joined(epoch, me) {
    if (epoch === undefined || epoch !== this.#epoch) {
      this.#seq = 0;
      this.#mine.clear();
    } else if (this.#me !== null) {
      this.#mine.add(this.#me);
    }
    this.#epoch = epoch ?? null;
    this.#me = me;
  }

  /**
   * Whether this one is to be shown; then it counts as heard.
   * @param {import('./protocol.js').BroadcastMessage} message
   */
  isNew({ seq, replayed, from_peer_id: from }) {
    if (replayed && ((seq !== undefined && seq <= this.#seq) || this.#mine.has(from))) return false;
    this.#seq = Math.max(this.#seq, seq ?? 0);
    return true;
  }
}
