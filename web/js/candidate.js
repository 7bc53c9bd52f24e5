/** @typedef {import('./protocol.js').Candidate} Candidate */

/**
 * What a peer is told always says which stream it is about: a browser makes no `RTCIceCandidate` of one that does not.
 * @param {Candidate | null} candidate null and one without a text are the end of them
 * @returns {Candidate}
 */
export function withStream(candidate) {
  const named = candidate ?? { candidate: '' };
  const { sdpMid = null, sdpMLineIndex = null } = named;
  return sdpMid === null && sdpMLineIndex === null ? { ...named, sdpMLineIndex: 0 } : named;
}
