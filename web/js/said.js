/** What a message through the server says to a person. */

/**
 * @param {import('./protocol.js').BroadcastMessage | import('./protocol.js').DirectMessage} message
 * @param {'broadcast' | 'direct'} via
 * @returns {import('./room_types.js').Message}
 */
export function said({ from_peer_id: from, data, timestamp, ...more }, via) {
  const replayed = 'replayed' in more && more.replayed === true;
  const at = replayed && !Number.isNaN(Date.parse(timestamp)) ? new Date(timestamp) : new Date();
  return { from, text: textOf(data), data, via, at, replayed };
}

/** What a person reads of the data: a text, the text in it, or its JSON. @param {any} data */
function textOf(data) {
  const text = [data, data?.text, data?.message].find((value) => typeof value === 'string');
  return text ?? JSON.stringify(data);
}
