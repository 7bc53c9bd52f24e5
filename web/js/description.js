/** What a description says beside what the browser makes of it: that this side has streams (`docs/PROTOCOL.md`, section 10). */

const VERSION = '1';
/** Another word in the answer: some answer with every attribute of the offer, whether they know it or not. */
const ATTRIBUTES = { offer: 'grtc-streams', answer: 'grtc-streams-taken' };
/** From the section of the data channel to the next one or the end. */
const SECTION = /^m=application [^]*?(?=^m=|(?![^]))/m;

/** @typedef {'offer' | 'answer'} Kind */

/** The description as it is sent. @param {Kind} kind @param {string} sdp */
export function withStreams(kind, sdp) {
  const line = `a=${ATTRIBUTES[kind]}:${VERSION}\r\n`;
  return sdp.replace(SECTION, (section) => `${section.replace(/\r?\n?$/, '')}\r\n${line}`);
}

/** Whether the other side has the streams that this one has. @param {Kind} kind @param {string} sdp */
export function namesStreams(kind, sdp) {
  const section = SECTION.exec(sdp)?.[0] ?? '';
  const said = new RegExp(`^a=${ATTRIBUTES[kind]}:([\\d ]+)\\s*$`, 'm').exec(section);
  return said?.[1]?.split(' ').includes(VERSION) ?? false;
}
