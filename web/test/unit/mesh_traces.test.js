import { Mesh } from '../../js/mesh.js';
import { replay } from './golden.js';

// `peers` are asked for after each step: `present` are those of them that are in the room.
replay('mesh', 16, ({ peers, steps }) => {
  const mesh = new Mesh();
  return steps.map((/** @type {any} */ { now, input }) => {
    const effects = mesh.handle(now, input);
    const present = peers.filter((/** @type {string} */ peer) => mesh.isPresent(peer));
    return { now, input, effects, present, timeout: mesh.pollTimeout() };
  });
});
