/** How long to wait before trying again: at random below 0.5 s, 1 s, 2 s … 30 s (full jitter), so that a restarted server is not met by everybody at once. */
export const BACKOFF_BASE_MS = 500;
export const BACKOFF_CAP_MS = 30_000;

/**
 * The wait before this attempt (from 1).
 * @param {number} attempt
 * @param {() => number} random in [0, 1)
 */
export function backoff(attempt, random) {
  return random() * Math.min(BACKOFF_CAP_MS, BACKOFF_BASE_MS * 2 ** (attempt - 1));
}
