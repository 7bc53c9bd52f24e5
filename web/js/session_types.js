/** What a session tells and takes. */

/**
 * @typedef {{ state: 'connecting', attempt: number } | { state: 'open' }
 *   | { state: 'waiting', attempt: number, delayMs: number, code: number, word: string }
 *   | { state: 'closed', code: number, word: string, reason?: string }} SessionStatus
 * @typedef {Pick<WebSocket, 'send' | 'close'> & { readyState: number,
 *   onopen: ((event: any) => void) | null, onmessage: ((event: any) => void) | null,
 *   onclose: ((event: any) => void) | null }} Socket
 *
 * @typedef {object} SessionOptions
 * @property {(query: Record<string, string>) => string} url the address, with this in its query
 * @property {import('./session_token.js').TokenOption} [token]
 * @property {(url: string, protocols: string[]) => Socket} [webSocket]
 * @property {() => number} [random]
 * @property {() => number} [now]
 * @property {boolean} [returning] this peer was there a moment ago, say before the page was loaded anew
 * @property {import('./waking.js').Waking} [waking]
 */

export {};
