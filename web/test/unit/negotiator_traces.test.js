import { Negotiator } from '../../js/negotiator.js';
import { replay } from './golden.js';

replay('negotiation', 18, ({ initiator, polite, seed, steps }) => {
  const machine = new Negotiator({ initiator, polite, seed });
  return steps.map((/** @type {any} */ { now, input }) => {
    machine.handle(now, input);
    const actions = [];
    for (let action = machine.pollAction(); action; action = machine.pollAction()) actions.push(action);
    return { now, input, actions, timeout: machine.pollTimeout() };
  });
});
