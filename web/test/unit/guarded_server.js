/**
 * A small HTTP server that wants a token, as the real one does: for what the page sends and makes of the answers. Which tokens
 * are good is said by the test.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';

/**
 * @typedef {{ method: string, url: string, authorization: string | undefined, referer: string | undefined, body: string }} Asked
 * @typedef {(asked: Asked) => { status: number, body?: unknown, headers?: Record<string, string> }} Answer
 */

export class GuardedServer {
  /** Every request, in order. @type {Asked[]} */
  asked = [];
  /** What is said of a token: nothing when it is good. @type {(token: string | undefined) => string | null} */
  refuses = (token) => (token === undefined ? 'not_authenticated' : null);
  /** @type {Answer} */
  answer = () => ({ status: 200, body: {} });
  url = '';
  #server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const { method = '', url = '' } = request;
    const { authorization, referer } = request.headers;
    const asked = { method, url, authorization, referer, body };
    this.asked.push(asked);
    const code = this.refuses(authorization?.replace(/^Bearer /, ''));
    const status = code === 'not_allowed' ? 403 : 401;
    const { status: answered, body: content, headers } = code ? problem(status, code) : this.answer(asked);
    response.writeHead(answered, { 'Content-Type': 'application/json', ...headers });
    response.end(content === undefined ? '' : JSON.stringify(content));
  });

  async start() {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const { port } = /** @type {import('node:net').AddressInfo} */ (this.#server.address());
    this.url = `http://127.0.0.1:${port}/`;
    return this;
  }

  stop() {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** @param {number} status @param {string} code @param {Record<string, string>} [headers] */
export function problem(status, code, headers) {
  const body = { type: 'about:blank', title: 'no', status, code, detail: `the server says ${code}` };
  return { status, body, headers: { 'Content-Type': 'application/problem+json', ...headers } };
}
