/** The shared worker that holds the browser's streams of item events: one, or one for each token. */
import { EventHubs } from './event_hub.js';
import { EventStream } from './event_stream.js';
import { HOME } from './home.js';

const url = new URL('api/items/events', HOME).href;
const hubs = new EventHubs((token) => new EventStream(url, undefined, undefined, token));
addEventListener('connect', (event) => {
  const [port] = /** @type {MessageEvent} */ (event).ports;
  if (port) hubs.attach(port);
});
