/**
 * Runs a pure machine: hands it what happens, does what it says, in that order, and tells it `tick` when its instant has come.
 * Once it is closed nothing comes of it any more, whatever the machine still had to say.
 */

/**
 * @template Input, Output
 * @typedef {object} Running
 * @property {{ handle: (now: number, input: Input | 'tick') => void, pollTimeout: () => number | null }} machine
 * @property {() => Output | null | undefined} poll what the machine says next
 * @property {(output: Output) => void} run does it; it may feed the machine
 * @property {() => number} now
 */

/** @template Input, Output */
export class Runner {
  #running;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #busy = false;
  #closed = false;

  /** @param {Running<Input, Output>} running */
  constructor(running) {
    this.#running = running;
  }

  get closed() {
    return this.#closed;
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** @param {Input | 'tick'} input */
  feed(input) {
    if (this.#closed) return;
    const { machine, run, now } = this.#running;
    machine.handle(now(), input);
    if (this.#busy) return;
    this.#busy = true;
    for (let output = this.#next(); output; output = this.#next()) run(output);
    this.#busy = false;
    if (!this.#closed) this.#schedule();
  }

  #next() {
    return this.#closed ? null : this.#running.poll();
  }

  #schedule() {
    clearTimeout(this.#timer);
    const { machine, now } = this.#running;
    const at = machine.pollTimeout();
    if (at !== null) this.#timer = setTimeout(() => this.feed('tick'), Math.max(0, at - now()));
  }
}
