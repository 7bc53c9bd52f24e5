/** The HTTP client of the admin API. */
import { ApiError } from '../api_error.js';
import { Requests } from '../api_request.js';

/**
 * @typedef {{ id: string, peers: number }} RoomRow
 * @typedef {{ id: string, sub: string, joinedAt: string, away: boolean, messagesIn: number, messagesOut: number, bytesIn: number,
 *   bytesOut: number, queuedBytes: number }} PeerRow
 * @typedef {{ who: string, what: string, whom: string, when: string }} AuditRow
 * @typedef {'ready' | 'not_ready'} Readiness
 */

export class AdminApi extends Requests {
  /** @returns {Promise<RoomRow[]>} */
  async rooms() {
    const { body } = await this.ask({ method: 'GET', path: 'api/admin/rooms' });
    return list(body, 'rooms').map(readRoom);
  }

  /** @param {string} room @returns {Promise<PeerRow[]>} nobody, when there is no such room */
  async peers(room) {
    try {
      const { body } = await this.ask({ method: 'GET', path: roomPath(room) });
      return list(body, 'peers').map(readPeer);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return [];
      throw error;
    }
  }

  /** The newest first. @param {number} limit @returns {Promise<AuditRow[]>} */
  async audit(limit) {
    const { body } = await this.ask({ method: 'GET', path: `api/admin/audit?limit=${limit}` });
    return list(body, 'entries').map(readAudit);
  }

  /** Whether the server takes new connections. Anybody may ask. @returns {Promise<{ state: Readiness, detail: string }>} */
  async readiness() {
    try {
      await this.ask({ method: 'GET', path: 'health/ready' });
      return { state: 'ready', detail: '' };
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 503) throw error;
      return { state: 'not_ready', detail: error.message };
    }
  }

  /** @param {string} room @param {string} peer @param {string} ban how long it may not come back, e.g. `10m`; empty: it may at once */
  async kick(room, peer, ban) {
    const search = ban ? `?ban=${encodeURIComponent(ban)}` : '';
    await this.#remove(`${roomPath(room)}/peers/${encodeURIComponent(peer)}${search}`);
  }

  /** Sends everybody away. @param {string} room */
  async close(room) {
    await this.#remove(roomPath(room));
  }

  /** Ends every token of somebody, or one token, that was made up to now. @param {'sub' | 'jti'} kind @param {string} value */
  async revoke(kind, value) {
    await this.askUntilAnswered({ method: 'POST', path: 'api/admin/revocations', content: { [kind]: value } });
  }

  /** No new connections, and those that there are end. */
  async drain() {
    await this.askUntilAnswered({ method: 'POST', path: 'api/admin/drain' });
  }

  /** What is gone already is as it should be. @param {string} path */
  async #remove(path) {
    try {
      await this.askUntilAnswered({ method: 'DELETE', path });
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    }
  }
}

/** @param {string} room */
function roomPath(room) {
  return `api/admin/rooms/${encodeURIComponent(room)}`;
}

/** @param {any} body @param {string} name @returns {any[]} */
function list(body, name) {
  const rows = Array.isArray(body) ? body : body?.[name];
  if (!Array.isArray(rows)) throw new ApiError(200, { code: 'bad_answer', detail: `the answer has no list "${name}"` });
  return rows;
}

/** @param {any} row @returns {RoomRow} */
function readRoom({ room_id: id, peers }) {
  return { id: String(id), peers: count(peers) };
}

/** @param {any} row @returns {PeerRow} */
function readPeer(row) {
  return {
    id: String(row.peer_id),
    sub: String(row.sub ?? ''),
    joinedAt: String(row.joined_at),
    away: row.away === true,
    messagesIn: count(row.messages_in),
    messagesOut: count(row.messages_out),
    bytesIn: count(row.bytes_in),
    bytesOut: count(row.bytes_out),
    queuedBytes: count(row.queued_bytes),
  };
}

/** @param {any} row @returns {AuditRow} */
function readAudit({ who, what, whom, when }) {
  return { who: String(who ?? ''), what: String(what), whom: String(whom ?? ''), when: String(when) };
}

/** @param {unknown} value */
function count(value) {
  return typeof value === 'number' ? value : 0;
}
