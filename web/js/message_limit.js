/** How large a message the other side of a connection takes. */

/** The largest message of a `chat` channel, in bytes of UTF-8. */
export const CHANNEL_BYTES = 262_144;
/** RFC 8841 says 65,536 where a description says nothing, and some stacks die of exactly that many. */
const UNSAID_BYTES = 65_535;

/**
 * @param {string} sdp the other side's description
 * @param {number} [stack] the most that this side's stack sends (`RTCSctpTransport.maxMessageSize`)
 */
export function messageLimit(sdp, stack = Infinity) {
  const said = /^a=max-message-size:(\d+)\s*$/m.exec(sdp);
  // 0 stands for any size.
  const takes = said ? Number(said[1]) || Infinity : UNSAID_BYTES;
  return Math.min(takes, stack, CHANNEL_BYTES);
}
