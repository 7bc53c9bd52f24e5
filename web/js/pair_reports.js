/** What came of pairs, for the server to count: whether each opened, how it goes, and how long that took. */

/**
 * @typedef {import('./liveness.js').PairState} PairState
 * @typedef {import('./rtc.js').PathStats} PathStats
 * @typedef {import('./protocol.js').Report} Report
 *
 * @typedef {object} PairReportsOptions
 * @property {(report: Report) => unknown} send
 * @property {(peer: string) => Promise<PathStats | null>} path the path that an open pair takes
 * @property {() => number} now
 */

export class PairReports {
  #options;
  /** Pairs of which nothing has come yet, since when. @type {Map<string, number>} */
  #begun = new Map();
  /** Pairs that have opened, and go on however often their connection is replaced. @type {Set<string>} */
  #open = new Set();
  /** The server may know of reports. */
  #taken = true;

  /** @param {PairReportsOptions} options */
  constructor(options) {
    this.#options = options;
  }

  /** A pair begins. @param {string} peer */
  begin(peer) {
    this.end(peer);
    this.#begun.set(peer, this.#options.now());
  }

  /** A pair is over, whatever came of it. @param {string} peer */
  end(peer) {
    this.#begun.delete(peer);
    this.#open.delete(peer);
  }

  /** A pair is in another state. @param {string} peer @param {PairState} state */
  changed(peer, state) {
    const since = this.#begun.get(peer);
    if (state === 'open') {
      this.#begun.delete(peer);
      this.#open.add(peer);
      if (since !== undefined) void this.#opened(peer, this.#options.now() - since);
    } else if (state === 'failed') {
      this.end(peer);
      this.#send({ type: 'report', peer_id: peer, result: 'failed' });
    } else if (since === undefined && !this.#open.has(peer)) {
      this.#begun.set(peer, this.#options.now());
    }
  }

  /** The server knows nothing of a message. @returns {boolean} whether that was a report, and no more will come */
  unknown() {
    const was = this.#taken;
    this.#taken = false;
    return was;
  }

  /** Another connection, perhaps to another server. */
  again() {
    this.#taken = true;
  }

  /** @param {string} peer @param {number} total in milliseconds */
  async #opened(peer, total) {
    const path = await this.#options.path(peer).catch(() => null);
    const pair = path && { pair: { local: path.local, remote: path.remote, protocol: path.protocol } };
    this.#send({ type: 'report', peer_id: peer, result: 'connected', ...pair, timings_ms: { total } });
  }

  /** @param {Report} report */
  #send(report) {
    if (this.#taken) this.#options.send(report);
  }
}
