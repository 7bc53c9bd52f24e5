// The status page of one peer: asks for status.json once a second and shows it. Text only, never markup.

/**
 * @typedef {{ peer_id: string, state: string, present: boolean, round_trip_ms?: number, timings?: { total?: number },
 *   pair?: { local: string, remote: string, protocol: string } }} Peer
 * @typedef {{ t_ms: number, text: string, from?: string, via?: string }} Line
 * @typedef {{ t_ms: number, peer_id?: string, why: string, gap_ms?: number }} Gap
 * @typedef {{ peer_id?: string, room_id?: string, server: string, link: string, peers: Peer[], messages_received: number,
 *   messages: Line[], log: Line[], gaps: Gap[] }} Status
 */

const INTERVAL_MS = 1000;
/** @type {Record<string, [words: string, kind: string]>} */
const LINKS = {
  joining: ["joining", "fair"],
  up: ["in the room", "good"],
  reconnecting: [
    "the server is gone, trying again; open channels go on",
    "fair",
  ],
  ended: ["the stay has ended", "bad"],
};
/** @type {Record<string, string>} */
const STATES = {
  open: "good",
  connecting: "fair",
  interrupted: "fair",
  rebuilding: "fair",
  failed: "bad",
};

/** What each list shows. @type {Map<string, string>} */
const SHOWN = new Map();

/** @param {string} id */
const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

/** @param {string} name @param {string} text @param {string} [className] */
function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

/** @param {number | undefined} value */
const ms = (value) =>
  typeof value === "number" ? `${value.toFixed(1)} ms` : "–";

/** @param {Peer} peer */
function row(peer) {
  const { state } = peer;
  const pair = peer.pair
    ? `${peer.pair.local} to ${peer.pair.remote}, ${peer.pair.protocol}`
    : "–";
  const made = document.createElement("tr");
  made.append(
    element("td", peer.peer_id),
    element("td", peer.present ? state : `${state}, link lost`, STATES[state]),
    element("td", pair),
    element("td", ms(peer.timings?.total)),
    element("td", ms(peer.round_trip_ms)),
  );
  return made;
}

/** @param {Line} line */
function entry(line) {
  const made = document.createElement("li");
  made.append(element("time", `${(line.t_ms / 1000).toFixed(1)} s`));
  if (line.from !== undefined) made.append(element("b", line.from));
  made.append(
    element(
      "span",
      line.via === "relay" ? `${line.text} (through the server)` : line.text,
    ),
  );
  return made;
}

/** An interruption. @param {Gap} gap @returns {Line} */
function interruption(gap) {
  const length =
    gap.gap_ms === undefined
      ? "not over yet"
      : `${(gap.gap_ms / 1000).toFixed(1)} s`;
  return {
    t_ms: gap.t_ms,
    from: gap.peer_id ?? "the server",
    text: `${length}: ${gap.why}`,
  };
}

/** Shows the lines, and stays at the end when it was there. @param {string} id @param {Line[]} lines */
function list(id, lines) {
  const shown = byId(id);
  const key = JSON.stringify(lines);
  if (SHOWN.get(id) === key) return;
  SHOWN.set(id, key);
  const atEnd = shown.scrollHeight - shown.scrollTop - shown.clientHeight < 8;
  shown.replaceChildren(...lines.map(entry));
  if (atEnd) shown.scrollTop = shown.scrollHeight;
}

/** @param {string} text @param {string} className */
function link(text, className) {
  const shown = byId("link");
  if (shown.textContent !== text) shown.textContent = text;
  shown.className = className;
}

/** @param {Status} status */
function show(status) {
  const name = status.peer_id ?? "grtc-peer";
  document.title = `${name} – grtc-peer`;
  byId("title").textContent = name;
  byId("where").textContent = status.room_id
    ? `room ${status.room_id} on ${status.server}`
    : "";
  link(...(LINKS[status.link] ?? ["", ""]));
  byId("peers").replaceChildren(...status.peers.map(row));
  byId("nobody").hidden = status.peers.length > 0;
  byId("count").textContent = `(${status.messages_received})`;
  list("messages", status.messages);
  list("gaps", status.gaps.map(interruption));
  byId("no-gaps").hidden = status.gaps.length > 0;
  list("log", status.log);
}

async function poll() {
  try {
    const answer = await fetch("status.json", {
      cache: "no-store",
      signal: AbortSignal.timeout(5000),
    });
    show(await answer.json());
  } catch {
    link("this peer does not answer: it has probably ended", "bad");
  }
  setTimeout(poll, INTERVAL_MS);
}

poll();

export {};
