/** What stands for an `EventStream` in tests: it says what the test has it `tell`. */
import { Emitter } from '../../js/emitter.js';

/** @extends {Emitter<{ live: boolean, event: import('../../js/event_parser.js').StreamEvent, refused: string }>} */
export class FakeStream extends Emitter {
  live = false;
  /** @type {string | null} */
  refusal = null;
  isOpen = false;
  tell = this.emit;
  open() {
    this.isOpen = true;
  }
  close() {
    this.isOpen = false;
  }
}
