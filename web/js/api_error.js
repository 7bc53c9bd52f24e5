/** Answers of the items API that are not the wanted ones. */
import { REFUSALS } from './token.js';

/**
 * An answer that is not the wanted one, or none. `code` is a stable word: the server's; `network` or `no_answer`; or
 * `unknown_outcome` for a change that may have been made all the same.
 */
export class ApiError extends Error {
  /**
   * @param {number} status
   * @param {{ code?: string, detail?: unknown, errors?: unknown }} problem
   * @param {number | null} [retryMs] when the server wants to be asked again
   */
  constructor(status, problem, retryMs = null) {
    super(typeof problem.detail === 'string' ? problem.detail : `HTTP ${status}`);
    this.name = 'ApiError';
    this.status = status;
    this.code = problem.code ?? (status ? 'http' : 'network');
    /** What is wrong with each field. @type {Map<string, string>} */
    this.fields = fieldErrors(problem.errors);
    this.retryMs = retryMs;
  }

  /** Whether another token would help, or one at all. */
  get isRefusal() {
    return (this.status === 401 || this.status === 403) && REFUSALS.includes(this.code);
  }

  /** Whether this says nothing about what was asked: the same is worth asking again. */
  get isNoAnswer() {
    return [0, 429, 502, 503, 504].includes(this.status) || this.code === 'idempotency_key_in_use';
  }
}

/** The wait that `Retry-After` names, in seconds or as a date. @param {Headers} headers @param {number} now of the wall clock */
export function retryAfter(headers, now = Date.now()) {
  const text = headers.get('Retry-After')?.trim() ?? '';
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - now;
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}

/** @param {unknown} errors @returns {Map<string, string>} */
function fieldErrors(errors) {
  const fields = new Map();
  for (const error of Array.isArray(errors) ? errors : []) {
    const field = Array.isArray(error?.loc) ? error.loc.at(-1) : undefined;
    if (typeof field === 'string' && typeof error.msg === 'string' && !fields.has(field)) fields.set(field, error.msg);
  }
  return fields;
}
