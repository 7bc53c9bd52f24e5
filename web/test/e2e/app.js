/** A server of its own, a browser, and tabs in it: what every scenario begins with. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import { chromium } from 'playwright-core';

const repository = new URL('../../../', import.meta.url).pathname;
const web = new URL('../../', import.meta.url).pathname;
const BROWSER_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
/** How long a scenario waits for what it wants to see. */
export const PATIENCE_MS = 60_000;

export const SERVER_BIN = process.env.GRTC_SERVER_BIN ?? join(repository, 'target/debug/grtc-server');
export const PEER_BIN = process.env.GRTC_PEER_BIN ?? join(repository, 'target/debug/grtc-peer');
export const BROWSER_BIN = process.env.CHROMIUM_BIN ?? '/usr/bin/chromium';

/** Browsers do not use the loopback interface for peer connections: without another one there are none. */
export const noNetwork = Object.values(networkInterfaces())
  .flat()
  .every((address) => address?.internal)
  ? 'this machine has no network interface but loopback'
  : false;
export const noPeer = existsSync(PEER_BIN) ? false : `there is no ${PEER_BIN}`;

/** What was started, and ends with this process however that ends. @type {Set<import('node:child_process').ChildProcess>} */
const started = new Set();
process.on('exit', () => started.forEach((child) => child.kill('SIGKILL')));
for (const signal of /** @type {const} */ (['SIGTERM', 'SIGINT', 'SIGHUP'])) process.on(signal, () => process.exit(1));

/**
 * A program that does not outlive the scenarios.
 * @template {import('node:child_process').ChildProcess} Child
 * @param {Child} child
 */
export function tied(child) {
  started.add(child);
  child.once('exit', () => started.delete(child));
  return child;
}

/** A `grtc-server` on a free port with a database of its own. */
export class Server {
  #folder = mkdtempSync(join(tmpdir(), 'grtc-e2e-'));
  /** @type {import('node:child_process').ChildProcess | null} */
  #process = null;
  #flags;
  address = '127.0.0.1:0';

  /** @param {string[]} [flags] more of them */
  constructor(flags = []) {
    this.#flags = flags;
  }

  get url() {
    return `http://${this.address}`;
  }

  async start() {
    const database = `sqlite://${this.#folder}/grtc.db?mode=rwc`;
    // The page as it is here, not as it was when the server was built.
    const flags = ['--listen', this.address, '--database-url', database, '--log-format', 'json', '--web-dir', web];
    const child = tied(spawn(SERVER_BIN, [...flags, ...this.#flags], { stdio: ['ignore', 'inherit', 'pipe'] }));
    this.#process = child;
    const lines = createInterface({ input: /** @type {import('node:stream').Readable} */ (child.stderr) });
    const address = await new Promise((resolve, reject) => {
      /** @type {string[]} */
      const said = [];
      lines.on('line', (line) => {
        said.push(line);
        const found = addressIn(line);
        if (found) resolve(found);
      });
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${said.join('\n')}`)));
    });
    this.address = String(address);
    return this;
  }

  /** It hangs, until it is stopped. */
  freeze() {
    this.#process?.kill('SIGSTOP');
  }

  /** @param {NodeJS.Signals} [signal] */
  async stop(signal = 'SIGTERM') {
    const child = this.#process;
    this.#process = null;
    if (!child || child.exitCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  async remove() {
    await this.stop('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** @param {string} line @returns {string | null} the address in the record that says where the server listens */
function addressIn(line) {
  try {
    /** @type {string | null} */
    let found = null;
    JSON.parse(line, (key, value) => {
      if (key === 'server.address') found = value;
      return value;
    });
    return found;
  } catch {
    return null;
  }
}

/**
 * @typedef {import('playwright-core').Page} Page
 * @typedef {import('playwright-core').BrowserContextOptions} ContextOptions
 */

/** A browser with tabs that watch for what a page must never do. */
export class Tabs {
  #browser;
  /** What went wrong in any tab: dialogs, exceptions, refused content. @type {string[]} */
  faults = [];

  /** @param {import('playwright-core').Browser} browser */
  constructor(browser) {
    this.#browser = browser;
  }

  /** @param {import('playwright-core').LaunchOptions} [options] */
  static async launch(options = {}) {
    // A signal ends this process, and the browser with it: it is not to be held up by a browser that closes.
    const signals = { handleSIGTERM: false, handleSIGINT: false, handleSIGHUP: false };
    return new Tabs(
      await chromium.launch({ executablePath: BROWSER_BIN, args: BROWSER_FLAGS, ...signals, ...options }),
    );
  }

  /**
   * A tab of a user of its own.
   * @param {string} url
   * @param {ContextOptions} [options]
   * @param {(context: import('playwright-core').BrowserContext) => Promise<unknown>} [prepare]
   * @returns {Promise<Page>}
   */
  async open(url, options = {}, prepare = async () => {}) {
    return this.#start(await this.#newPage(options, prepare), url);
  }

  /**
   * The same for a page that may not start.
   * @param {string} url
   * @param {ContextOptions} [options]
   * @param {(context: import('playwright-core').BrowserContext) => Promise<unknown>} [prepare]
   */
  async openRaw(url, options = {}, prepare = async () => {}) {
    const page = await this.#newPage(options, prepare);
    await page.goto(url, { waitUntil: 'commit' });
    return page;
  }

  /** @param {ContextOptions} options @param {(context: import('playwright-core').BrowserContext) => Promise<unknown>} prepare */
  async #newPage(options, prepare) {
    const context = await this.#browser.newContext({ locale: 'en-US', ...options });
    await prepare(context);
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE_MS);
    return page;
  }

  /** Another tab of this one's user. @param {Page} page @param {string} url */
  async another(page, url) {
    return this.#start(await page.context().newPage(), url);
  }

  /** @param {Page} page @param {string} url */
  async #start(page, url) {
    page.setDefaultTimeout(PATIENCE_MS);
    page.on('dialog', (dialog) => {
      this.faults.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('pageerror', (error) => this.faults.push(`exception: ${error.message}`));
    page.on('console', (message) => {
      if (/Content Security Policy|Refused to/.test(message.text())) this.faults.push(message.text());
    });
    await page.goto(url);
    await page
      .locator('body.ready')
      .waitFor()
      .catch((error) => {
        throw new Error(`the page did not start: ${this.faults.join('; ')}`, { cause: error });
      });
    return page;
  }

  async close() {
    await this.#browser.close();
  }
}

/** A server and a browser for one file of scenarios; both end with it. @param {import('playwright-core').LaunchOptions} [options] @param {string[]} [flags] of the server */
export async function startApp(options, flags) {
  const server = await new Server(flags).start();
  const tabs = await Tabs.launch(options);
  after(async () => {
    await tabs.close();
    await server.remove();
  });
  return { server, tabs };
}

/**
 * Waits until this is what is read: where there is no locator to wait for.
 * @template T
 * @param {() => Promise<T>} read
 * @param {T} wanted
 * @param {string} [message]
 */
export async function eventually(read, wanted, message) {
  const until = Date.now() + PATIENCE_MS;
  for (;;) {
    const found = await read();
    if (isDeepStrictEqual(found, wanted) || Date.now() > until) return assert.deepEqual(found, wanted, message);
    await wait(50);
  }
}

/**
 * A tab in a room.
 * @param {Tabs} tabs
 * @param {string} url
 * @param {string} peer
 * @param {ContextOptions} [options]
 * @param {(context: import('playwright-core').BrowserContext) => Promise<unknown>} [prepare]
 */
export async function inRoom(tabs, url, peer, options, prepare) {
  const page = await tabs.open(`${url}/?room=room1&peer=${encodeURIComponent(peer)}&join=1#room`, options, prepare);
  await page.getByRole('button', { name: /^(Leave|Salir)$/ }).waitFor();
  return page;
}

/** Waits for an open channel to this peer. @param {Page} page @param {string} peer */
export async function connectedTo(page, peer) {
  await peerRow(page, peer)
    .getByText(/^(Connected|Conectado)$/)
    .waitFor();
}

/** @param {Page} page @param {string} peer */
export function peerRow(page, peer) {
  return page.locator('room-peers li').filter({ has: page.getByText(peer, { exact: true }) });
}
