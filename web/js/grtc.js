/**
 * The client of grtc, for any page: rooms whose peers talk to each other directly.
 *
 * @example
 * import { Room } from 'https://my-server.example/static/js/grtc.js';
 * const room = new Room({ server: 'https://my-server.example', room: 'room1', peerId: 'tab1' });
 * room.on('message', ({ from, text }) => console.log(`${from}: ${text}`));
 * room.join();
 * await room.send('hello'); // the programs of all peers have it
 */
export { Room } from './room.js';
export { RoomError } from './room_error.js';
export { CHANNEL_BYTES } from './message_limit.js';
export { InvalidName, MESSAGE_BYTES, NAME_CHARS, compareNames, isPolite, parseName } from './protocol.js';
export { closeWord, shouldReconnect } from './close.js';
export { Heard } from './heard.js';

/**
 * @typedef {import('./room_types.js').RoomOptions} RoomOptions
 * @typedef {import('./room_types.js').RoomStatus} RoomStatus
 * @typedef {import('./room_types.js').RoomEvents} RoomEvents
 * @typedef {import('./room_types.js').Peer} Peer
 * @typedef {import('./room_types.js').Message} Message
 * @typedef {import('./room_types.js').PairState} PairState
 * @typedef {import('./pairs.js').Submitted} Submitted
 * @typedef {import('./pairs.js').Outcome} Outcome
 * @typedef {import('./rtc.js').PathStats} PathStats
 */
