/**
 * Two negotiators over a link that loses, delays, reorders and duplicates, with simulated connections that may never
 * open or may break. Everything follows from the weather's seed.
 */
import assert from 'node:assert/strict';

import { Negotiator } from '../../js/negotiator.js';

/**
 * @typedef {import('../../js/negotiator/io.js').Input} Input
 * @typedef {import('../../js/negotiator/io.js').Action} Action
 * @typedef {import('../../js/negotiator/io.js').Send} Send
 *
 * @typedef {object} Weather
 * @property {number} seed
 * @property {number} loss of 100 frames, how many are lost
 * @property {number} twice of 100 frames, how many come twice
 * @property {number} jitterMs the longest delay of a frame; above 0 frames overtake one another
 * @property {number} wedged of 100 connections, how many never open
 * @property {number} broken of 100 connections, how many break once they are open
 * @property {number} healsAt when all of this ends
 * @property {boolean} bothInitiate
 * @property {number} told how often in the first minute a side is told to try again or to give up
 * @property {boolean} oldClient no attempt is named, as by a client of before
 *
 * @typedef {{ closed: boolean, busy: boolean, partner: number | null }} Connection
 * @typedef {{ machine: Negotiator, connections: Map<number, Connection>, opened: number | null }} Side
 */

/** Random numbers in [0, 1) that the seed decides. @param {number} seed */
export function seeded(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export class World {
  now = 0;
  #weather;
  #random;
  #order = 0;
  /** @type {{ at: number, order: number, side: number, input: Input }[]} */
  #queue = [];
  /** Pairs of connections that belong to one another. @type {Set<string>} */
  #joined = new Set();
  /** @type {[Side, Side]} */
  sides;

  /** @param {Weather} weather */
  constructor(weather) {
    this.#weather = weather;
    this.#random = seeded(weather.seed);
    const side = (/** @type {boolean} */ initiator, /** @type {boolean} */ polite, /** @type {string} */ seed) => ({
      machine: new Negotiator({ initiator, polite, seed }),
      connections: new Map(),
      opened: null,
    });
    this.sides = [side(true, false, 'a'), side(weather.bothInitiate, true, 'b')];
  }

  /** Runs until nothing is left to happen. */
  run() {
    this.#feed(0, 'start');
    this.#feed(1, 'start');
    for (let time = 0; time < this.#weather.told; time += 1) {
      const [delay, side, giveUp] = [this.#random() * 60_000, this.#random() < 0.5 ? 0 : 1, this.#random() < 0.5];
      this.#later(Math.floor(delay), side, giveUp ? { give_up: { reason: 'told' } } : 'try_again');
    }
    for (let step = 0; step < 20_000; step += 1) {
      this.#queue.sort((a, b) => a.at - b.at || a.order - b.order);
      const next = this.#queue[0];
      const ticks = this.sides.map(({ machine }) => machine.pollTimeout() ?? Infinity);
      const tick = Math.min(...ticks);
      if (!next && tick === Infinity) return;
      if (tick < (next?.at ?? Infinity)) {
        this.now = Math.max(this.now, tick);
        this.#feed(ticks.indexOf(tick), 'tick');
      } else if (next) {
        this.#queue.shift();
        this.now = Math.max(this.now, next.at);
        this.#feed(next.side, next.input);
      }
    }
    assert.fail('it never ends');
  }

  /** Both are connected with one another, or both have given up. @returns {'connected' | 'failed'} */
  outcome() {
    const [a, b] = this.sides;
    const states = `${a.machine.state} ${b.machine.state}`;
    if (states === 'failed failed') return 'failed';
    assert.equal(states, 'connected connected');
    assert.ok(this.#joined.has(`${a.opened} ${b.opened}`), 'both are connected, but not with one another');
    return 'connected';
  }

  /** @param {number} of100 */
  #bad(of100) {
    return this.now < this.#weather.healsAt && this.#random() * 100 < of100;
  }

  /** @param {number} delay @param {number} side @param {Input} input */
  #later(delay, side, input) {
    this.#order += 1;
    this.#queue.push({ at: this.now + delay, order: this.#order, side, input });
  }

  /** @param {number} side */
  #side(side) {
    return /** @type {Side} */ (this.sides[side]);
  }

  /** @param {number} index @param {Input} input */
  #feed(index, input) {
    const side = this.#side(index);
    if (typeof input === 'object') {
      const result = Object.entries(input)[0]?.[1];
      const connection = side.connections.get(result.connection);
      if (connection && ('offer_created' in input || 'answer_created' in input || 'answer_applied' in input)) {
        connection.busy = false;
      }
      if ('channel_open' in input) {
        if (connection?.closed) return;
        side.opened = input.channel_open.connection;
      }
    }
    side.machine.handle(this.now, input);
    for (let action = side.machine.pollAction(); action; action = side.machine.pollAction()) this.#act(index, action);
    const waits = side.machine.state === 'connecting' || side.machine.state === 'disconnected';
    assert.equal(side.machine.pollTimeout() !== null, waits, 'a pair that waits has a timer, others have none');
  }

  /** @param {number} side @param {Action} action */
  #act(side, action) {
    if ('open' in action) {
      const { connection } = action.open;
      assert.ok(!this.#side(side).connections.has(connection), 'a number is used once');
      this.#side(side).connections.set(connection, { closed: false, busy: false, partner: null });
      this.#later(1, side, { local_candidate: { connection, candidate: null } });
    } else if ('create_offer' in action) {
      const { connection } = action.create_offer;
      this.#operation(side, connection);
      this.#later(2, side, { offer_created: { connection, sdp: String(connection) } });
    } else if ('accept_offer' in action) {
      const { connection, sdp } = action.accept_offer;
      this.#operation(side, connection).partner = Number(sdp);
      this.#later(3, side, { answer_created: { connection, sdp: `${sdp} ${connection}` } });
    } else if ('apply_answer' in action) {
      const { connection, sdp } = action.apply_answer;
      this.#operation(side, connection);
      this.#later(1, side, { answer_applied: { connection } });
      const [offered, answered] = sdp.split(' ').map(Number);
      if (offered === connection) this.#join(side, connection, Number(answered));
    } else if ('add_candidate' in action) this.#live(side, action.add_candidate.connection);
    else if ('send' in action) this.#send(side, action.send);
    else if ('close' in action) this.#close(side, action.close.connection);
    else if ('state' in action && action.state !== 'connected') this.#side(side).opened = null;
  }

  /** @param {number} side @param {number} connection */
  #live(side, connection) {
    const found = this.#side(side).connections.get(connection);
    assert.ok(found && !found.closed, 'nothing is asked of a closed connection');
    return found;
  }

  /** @param {number} side @param {number} connection */
  #operation(side, connection) {
    const live = this.#live(side, connection);
    assert.ok(!live.busy, 'one operation at a time');
    live.busy = true;
    return live;
  }

  /** The side that offered has the answer: the two connections find one another, or not. */
  #join(/** @type {number} */ side, /** @type {number} */ ours, /** @type {number} */ theirs) {
    this.#live(side, ours).partner = theirs;
    const other = this.#side(1 - side).connections.get(theirs);
    if (!other || other.closed || this.#bad(this.#weather.wedged)) return;
    this.#joined.add(side === 0 ? `${ours} ${theirs}` : `${theirs} ${ours}`);
    for (const [at, connection] of /** @type {const} */ ([
      [side, ours],
      [1 - side, theirs],
    ])) {
      const delay = 5 + Math.floor(this.#random() * 45);
      this.#later(delay, at, { channel_open: { connection } });
      if (this.#bad(this.#weather.broken)) {
        this.#later(delay + 500, at, { connection_lost: { connection, reason: 'broken' } });
      }
    }
  }

  /** @param {number} side @param {number} connection */
  #close(side, connection) {
    const ours = this.#live(side, connection);
    ours.closed = true;
    if (ours.partner === null) return;
    const delay = this.#random() < 0.5 ? 1 : 5_000;
    this.#later(delay, 1 - side, { connection_lost: { connection: ours.partner, reason: 'closed' } });
  }

  /** @param {number} side @param {Send} send */
  #send(side, send) {
    if (this.#bad(this.#weather.loss)) return;
    const [kind, sent] = Object.entries(send)[0] ?? [];
    const attempt = this.#weather.oldClient ? null : sent.attempt;
    const input = /** @type {Input} */ (/** @type {unknown} */ ({ [`remote_${kind}`]: { ...sent, attempt } }));
    const copies = this.#bad(this.#weather.twice) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      const jitter = this.now < this.#weather.healsAt ? Math.floor(this.#random() * (this.#weather.jitterMs + 1)) : 0;
      this.#later(5 + jitter, 1 - side, input);
    }
  }
}
