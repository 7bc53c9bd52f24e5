/** The shared worker that holds the browser's one stream of item events. */
import { EventHub } from './event_hub.js';
import { EventStream } from './event_stream.js';
import { HOME } from './home.js';

const hub = new EventHub(new EventStream(new URL('api/items/events', HOME).href));
addEventListener('connect', (event) => {
  const [port] = /** @type {MessageEvent} */ (event).ports;
  if (port) hub.attach(port);
});
