import { Liveness } from '../../js/liveness.js';
import { replay } from './golden.js';

replay('liveness', 16, ({ steps }) => {
  const machine = new Liveness();
  return steps.map((/** @type {any} */ { now, input }) => {
    machine.handle(now, input);
    const outputs = [];
    for (let output = machine.pollOutput(); output; output = machine.pollOutput()) outputs.push(output);
    return { now, input, outputs, state: machine.state, timeout: machine.pollTimeout() };
  });
});
