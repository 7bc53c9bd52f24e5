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
    if (process.env.INTEROP_DEBUG) {
      pc.oniceconnectionstatechange = () => console.error('ice', pc.iceConnectionState);
      pc.onconnectionstatechange = () => console.error('connection', pc.connectionState);
    }
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
    this.#say();
  }

  async #say() {
    const { id, lines, restart } = this.#options;
    while (this.#said < lines) {
      this.#said += 1;
      this.#channel.send(`${id} ${this.#said}`);
      if (restart && this.#said === Math.ceil(lines / 2)) await this.#sendOffer({ iceRestart: true });
      if (restart) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    this.#finish();
  }

  #hear(line) {
    console.log(line);
    this.#heard += 1;
    this.#finish();
  }

  #finish() {
    const { lines, done } = this.#options;
    if (this.#said < lines || this.#heard < lines) return;
    done();
  }

  #send(signal) {
    this.#options.send(this.#attempt === null ? signal : { ...signal, attempt: this.#attempt });
  }
}

function plain({ type, sdp }) {
  return { type, sdp };
}
