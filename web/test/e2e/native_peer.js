/** A `grtc-peer` beside the tabs. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { PEER_BIN, tied } from './app.js';

/** A `grtc-peer join` with what it says. */
export class NativePeer {
  /** @type {any[]} */
  events = [];
  #changed = () => {};

  /** @param {string} address @param {string} id */
  constructor(address, id) {
    const flags = ['join', 'room1', '--server', `ws://${address}`, '--id', id, '--json'];
    this.process = tied(spawn(PEER_BIN, flags, { stdio: ['pipe', 'pipe', 'inherit'] }));
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      this.events.push(JSON.parse(line));
      this.#changed();
    });
    this.ended = once(this.process, 'exit');
    this.ended.then(() => this.#changed());
  }

  /** @param {(event: any) => boolean} wanted @param {number} [from] the first one that counts */
  async event(wanted, from = 0) {
    for (;;) {
      const found = this.events.slice(from).find(wanted);
      if (found) return found;
      assert.equal(this.process.exitCode, null, `the peer ended: ${JSON.stringify(this.events)}`);
      await new Promise((resolve) => (this.#changed = () => resolve(undefined)));
    }
  }

  /** @param {string} text */
  say(text) {
    this.process.stdin.write(`${text}\n`);
  }

  async leave() {
    this.process.kill('SIGINT');
    await this.ended;
  }
}
