/**
 * When it is worth looking at a connection at once: the network is there again or is another one, or the machine was
 * asleep. That is seen by a timer that is late. Timers of a page that nobody sees are late all the same, so there it
 * counts once the page is seen, and not as sleep.
 */

/** How often the timer runs, and how late it has to be. */
export const BEAT_MS = 5_000;
export const LATE_MS = 5_000;

/**
 * @typedef {object} Host what is listened to: the browser's window, as a rule
 * @property {EventTarget['addEventListener']} [addEventListener]
 * @property {EventTarget['removeEventListener']} [removeEventListener]
 * @property {EventTarget & { hidden: boolean }} [document]
 * @property {{ connection?: EventTarget }} [navigator]
 *
 * @typedef {(slept: boolean) => void} Told `slept`: what was open before may be gone
 * @typedef {(told: Told) => () => void} Waking gives back the function that ends the listening
 */

/**
 * @param {Told} told
 * @param {Host} [host] without a document there is nothing to listen to
 * @param {() => number} [clock] one that goes on while the machine sleeps
 * @returns {() => void} ends the listening
 */
export function onWaking(told, host = /** @type {Host} */ (globalThis), clock = Date.now) {
  const { document } = host;
  if (!document) return () => {};
  let late = false;
  // Nobody saw the page at some time since the last beat.
  let unseen = document.hidden;
  let due = clock() + BEAT_MS;
  const look = () => {
    unseen ||= document.hidden;
    if (!late || document.hidden) return;
    late = false;
    told(!unseen);
  };
  const beat = () => {
    late ||= clock() - due > LATE_MS;
    due = clock() + BEAT_MS;
    timer = setTimeout(beat, BEAT_MS);
    look();
    unseen = document.hidden;
  };
  const network = () => told(false);
  const thawed = () => told(true);
  let timer = setTimeout(beat, BEAT_MS);
  /** @type {[{ addEventListener?: EventTarget['addEventListener'], removeEventListener?: EventTarget['removeEventListener'] } | undefined, string, () => void][]} */
  const sources = [
    [host, 'online', network],
    [host.navigator?.connection, 'change', network],
    [document, 'resume', thawed],
    [document, 'visibilitychange', look],
  ];
  for (const [source, name, listener] of sources) source?.addEventListener?.(name, listener);
  return () => {
    clearTimeout(timer);
    for (const [source, name, listener] of sources) source?.removeEventListener?.(name, listener);
  };
}
