/** One remote peer: descriptions and candidates in, lines out. */

export class Pair {
  #options;
  #pc = null;
  #attempt = null;
  #early = [];
  #attempts = 0;
  #said = 0;
  #heard = 0;
  #channel = null;

  constructor(options) {
    this.#options = options;
  }

  async offer() {
    this.#attempts += 1;
    this.#fresh(`${this.#options.id}-${this.#attempts}`);
    this.#take(this.#pc.createDataChannel('chat'));
    await this.#sendOffer();
  }

  async signal(signal) {
    try {
      await this.#signal(signal);
    } catch (error) {
      console.error(`${signal.type}: ${error}`);
    }
  }

  async #signal({ type, offer, answer, candidate, attempt = null }) {
    if (type === 'offer') {
      if (!this.#pc || attempt !== this.#attempt) this.#fresh(attempt);
      await this.#pc.setRemoteDescription(offer);
      await this.#remoteIsThere();
      await this.#pc.setLocalDescription(await this.#pc.createAnswer());
      this.#send({ type: 'answer', answer: plain(this.#pc.localDescription) });
    } else if (type === 'answer' && attempt === this.#attempt) {
      await this.#pc.setRemoteDescription(answer);
      await this.#remoteIsThere();
      if (this.#channel) this.#answeredAgain();
    } else if (type === 'ice_candidate' && (attempt === this.#attempt || attempt === null)) {
      if (this.#early) this.#early.push(candidate);
      else await this.#add(candidate);
    }
  }

  async #sendOffer(options) {
    await this.#pc.setLocalDescription(await this.#pc.createOffer(options));
    this.#send({ type: 'offer', offer: plain(this.#pc.localDescription) });
  }

  #fresh(attempt) {
    this.#pc?.close();
    this.#attempt = attempt;
    this.#early = [];
    const pc = new this.#options.stack.RTCPeerConnection({ iceServers: [] });
    this.#pc = pc;
    pc.onicecandidate = ({ candidate }) => {
      if (pc === this.#pc && candidate) this.#send({ type: 'ice_candidate', candidate: candidate.toJSON?.() ?? candidate });
    };
    pc.ondatachannel = ({ channel }) => this.#take(channel);
  }

  async #remoteIsThere() {
    const early = this.#early ?? [];
    this.#early = null;
    for (const candidate of early) await this.#add(candidate);
  }

  /** A client that knows only what the contract's first half says: a candidate object, always. */
  async #add(candidate) {
    if (candidate?.sdpMid === undefined && candidate?.sdpMLineIndex === undefined) {
      console.error('a candidate without sdpMid and sdpMLineIndex');
      process.exit(3);
    }
    if (candidate.candidate) await this.#pc.addIceCandidate(candidate);
  }

  #take(channel) {
    channel.onopen = () => this.#opened(channel);
    channel.onmessage = ({ data }) => this.#hear(String(data));
    if (channel.readyState === 'open') this.#opened(channel);
  }

  #opened(channel) {
    if (this.#channel) return;
    this.#channel = channel;
    console.log('open');
    this.#talk();
  }

  /** Says all lines; or a third of them, a third while a second offer is under way, and the rest after it. */
  #talk() {
    const { lines, again } = this.#options;
    this.#say(again === 'no' ? lines : lines / 3);
  }

  /** Lines have gone both ways: the other side is known to be there, so that the second offer meets an open channel. */
  async #again() {
    const { lines, again } = this.#options;
    await this.#sendOffer({ iceRestart: again === 'restart' });
    console.log('offered again');
    this.#say((2 * lines) / 3);
  }

  #answeredAgain() {
    console.log('answered again');
    this.#say(this.#options.lines);
  }

  #say(until) {
    while (this.#said < until) {
      this.#said += 1;
      this.#channel.send(`${this.#options.id} ${this.#said}`);
    }
    this.#finish();
  }

  #hear(line) {
    console.log(line);
    this.#heard += 1;
    if (this.#heard === 1 && this.#options.again !== 'no') void this.#again();
    this.#finish();
  }

  #finish() {
    const { lines, done } = this.#options;
    if (this.#said >= lines && this.#heard >= lines) done();
  }

  #send(signal) {
    this.#options.send(this.#attempt === null ? signal : { ...signal, attempt: this.#attempt });
  }
}

function plain({ type, sdp }) {
  return { type, sdp };
}
