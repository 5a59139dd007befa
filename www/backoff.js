/**
 * How long to wait before the next attempt: longer each time, up to a bound, and never the same for two pages, so
 * that a server that comes back is not met by all its viewers in the same instant.
 *
 * Knows no clock and no timer.
 */

const FIRST = 400;
const GROWTH = 1.8;

/** No wait is longer than this, so that a page is never long behind a server that came back. */
export const LONGEST = 15_000;

/** A connection that held this long was a good one: the next loss begins with the shortest wait again. */
export const GOOD_AFTER = 5_000;

/** Close code "policy violation" (RFC 6455 §7.4.1): the server has refused, and asking at once again will not help. */
export const POLICY = 1008;

/**
 * Milliseconds to wait before attempt number `attempt` (0 is the first retry): between a half and the whole of the
 * step.
 * @param {number} attempt
 * @param {number} random in [0, 1)
 */
export function wait(attempt, random) {
  const step = Math.min(LONGEST, FIRST * GROWTH ** Math.max(0, attempt));
  return Math.round(step * (0.5 + random / 2));
}
