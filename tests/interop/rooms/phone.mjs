// A caller of text and timers for the scripts: one call, UDP, PCMU, keys as RFC 4733 events or INFO; what it heard is kept with the time.
import { createSocket } from 'node:dgram';
import { HOST, SIP } from './node.mjs';

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const bind = (host) => new Promise((r) => { const s = createSocket('udp4'); s.bind(0, host, () => r(s)); });
const KEYS = '0123456789*#ABCD';

function linear(law) {
  const u = ~law & 0xff, t = (((u & 15) << 3) + 132) << ((u >> 4) & 7);
  return u & 0x80 ? 132 - t : t - 132;
}

export class Phone {
  static async call(to, { from = '+15550999', headers = [], host = HOST, at = SIP } = {}) {
    const phone = new Phone();
    Object.assign(phone, { to, from, headers, host, at, sip: await bind(host), rtp: await bind(host), start: Date.now() });
    phone.sip.on('message', (bytes) => phone.#receive(bytes.toString()));
    phone.rtp.on('message', (bytes) => phone.#hear(bytes));
    phone.#send(phone.#request('INVITE', 1, phone.branch, '', phone.#sdp(), ['Content-Type: application/sdp', ...headers]));
    return phone;
  }

  callId = 'phone-' + Math.random().toString(36).slice(2);
  branch = 'z9hG4bK' + Math.random().toString(36).slice(2);
  tag = Math.random().toString(36).slice(2, 8);
  responses = [];
  heard = [];
  /** Requests that came; statuses of answers to requests other than INVITE; and by method what is answered: status line's end and header lines. */
  requests = [];
  answers = [];
  replies = {};
  cseq = 1;
  sequence = 0;
  timestamp = 0;
  due = [];

  get statuses() { return this.responses.map((r) => r.status); }

  /** Waits for something, at most so long. */
  async until(what, ms = 10000) {
    for (const end = Date.now() + ms; Date.now() < end; await sleep(20)) if (what()) return true;
    return false;
  }

  answered() { return this.until(() => this.responses.some((r) => r.status >= 200)).then(() => this.responses.find((r) => r.status >= 200)?.status); }

  /** Keys as RFC 4733 events, 300 ms each. */
  async press(digits) {
    for (const digit of digits) {
      const at = this.timestamp;
      for (let step = 0; step < 8; step++) this.due.push({ digit, at, step });
      await sleep(300);
    }
  }

  /** Keys as INFO. */
  async inform(digits) {
    for (const digit of digits) {
      this.#send(this.#request('INFO', ++this.cseq, 'z9hG4bK' + this.cseq + this.tag, this.toTag, `Signal=${digit}\r\nDuration=160\r\n`, ['Content-Type: application/dtmf-relay']));
      await sleep(200);
    }
  }

  /** Asks the other side to call somebody else. */
  refer(target) { this.#send(this.#request('REFER', ++this.cseq, 'z9hG4bKr' + this.cseq + this.tag, this.toTag, '', [`Refer-To: <${target}>`])); }

  /** Tells how a REFER goes on. */
  notify(fragment, state = 'active;expires=60') {
    this.#send(this.#request('NOTIFY', ++this.cseq, 'z9hG4bKn' + this.cseq + this.tag, this.toTag, fragment ? `SIP/2.0 ${fragment}\r\n` : '',
      ['Event: refer', `Subscription-State: ${state}`, ...(fragment ? ['Content-Type: message/sipfrag;version=2.0'] : [])]));
  }

  /** What was heard from one moment to another, milliseconds after the INVITE. */
  samples(from, to) {
    const parts = this.heard.filter((h) => h.at >= from && h.at < to).map((h) => h.samples);
    const all = new Int16Array(parts.length * 160);
    parts.forEach((p, i) => all.set(p, i * 160));
    return all;
  }

  /** Share of 20 ms frames that are louder than -45 dBFS. */
  loud(from, to) {
    const frames = this.heard.filter((h) => h.at >= from && h.at < to);
    return frames.filter((h) => Math.sqrt(h.samples.reduce((a, s) => a + s * s, 0) / 160) > 184).length / Math.max(frames.length, 1);
  }

  now() { return Date.now() - this.start; }

  async bye() {
    if (!this.byeAt) this.#send(this.#request('BYE', ++this.cseq, this.branch + 'b', this.toTag, ''));
    await this.close();
  }

  async close() {
    clearInterval(this.timer);
    await sleep(100);
    this.sip.close();
    this.rtp.close();
  }

  #sdp() {
    return `v=0\r\no=- 1 1 IN IP4 ${this.host}\r\ns=-\r\nc=IN IP4 ${this.host}\r\nt=0 0\r\nm=audio ${this.rtp.address().port} RTP/AVP 0 101\r\n`
      + 'a=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n';
  }

  #send(text) { const [host, port] = this.at.split(':'); this.sip.send(text, Number(port), host); }

  #request(method, cseq, branch, toTag, body, extra = []) {
    const uri = `sip:${this.to}@${this.at}`;
    return [`${method} ${uri} SIP/2.0`, `Via: SIP/2.0/UDP ${this.host}:${this.sip.address().port};branch=${branch};rport`, 'Max-Forwards: 70',
      `From: <sip:${this.from}@${this.host}>;tag=${this.tag}`, `To: <${uri}>${toTag ? ';tag=' + toTag : ''}`, `Call-ID: ${this.callId}`, `CSeq: ${cseq} ${method}`,
      `Contact: <sip:${this.from}@${this.host}:${this.sip.address().port}>`, ...extra, `Content-Length: ${body.length}`, '', body].join('\r\n');
  }

  #receive(text) {
    const [head, body = ''] = text.split('\r\n\r\n');
    const lines = head.split('\r\n');
    const field = (name) => lines.find((l) => l.toLowerCase().startsWith(name + ':'))?.slice(name.length + 1).trim() ?? '';
    if (!head.startsWith('SIP/2.0')) {
      this.requests.push(text);
      const reply = this.replies[head.split(' ')[0]]?.(head, field) ?? '200 OK';
      this.#send([`SIP/2.0 ${reply}`, ...lines.filter((l) => /^(via|from|to|call-id|cseq):/i.test(l)), 'Content-Length: 0', '', ''].join('\r\n'));
      if (head.startsWith('BYE ')) { this.byeAt = this.now(); this.reason = field('reason'); }
      return;
    }
    if (!field('cseq').endsWith('INVITE')) {
      this.answers.push(field('cseq').split(' ')[1] + ' ' + head.slice(8, 11));
      return;
    }
    const status = Number(head.slice(8, 11));
    this.toTag = field('to').split('tag=')[1] ?? this.toTag;
    if (!this.statuses.includes(status)) this.responses.push({ status, at: this.now(), head, body });
    const media = body.match(/m=audio (\d+)/);
    if (media && !this.media) {
      this.media = { host: body.match(/c=IN IP4 (\S+)/)[1], port: Number(media[1]) };
      this.timer = setInterval(() => this.#tick(), 20);
    }
    if (field('require').includes('100rel')) {
      this.#send(this.#request('PRACK', ++this.cseq, 'z9hG4bKp' + this.tag, this.toTag, '', [`RAck: ${field('rseq')} 1 INVITE`]));
    }
    if (status >= 200) this.#send(this.#request('ACK', 1, status < 300 ? this.branch + 'a' : this.branch, this.toTag, ''));
  }

  /** A 1 kHz tone each 20 ms, or a piece of an event. */
  #tick() {
    const event = this.due.shift();
    const packet = Buffer.alloc(event ? 16 : 172);
    packet[0] = 0x80;
    packet[1] = event ? 101 | (event.step === 0 ? 0x80 : 0) : 0;
    packet.writeUInt16BE(this.sequence++ & 0xffff, 2);
    packet.writeUInt32BE(event ? event.at : this.timestamp, 4);
    packet.writeUInt32BE(0x5555, 8);
    if (event) {
      packet[12] = KEYS.indexOf(event.digit);
      packet[13] = 10 | (event.step >= 5 ? 0x80 : 0);
      packet.writeUInt16BE(Math.min(event.step + 1, 6) * 160, 14);
    } else for (let i = 0; i < 160; i++) packet[12 + i] = TONE[(this.timestamp + i) % 8];
    this.timestamp += 160;
    this.rtp.send(packet, this.media.port, this.media.host);
  }

  #hear(packet) {
    if (packet.length === 172 && (packet[1] & 127) === 0) this.heard.push({ at: this.now(), samples: Int16Array.from(packet.subarray(12), linear) });
  }
}

// 1 kHz at 8 kHz repeats after eight samples; peak 5800 is -15 dBFS.
const TONE = [0, 4101, 5800, 4101, 0, -4101, -5800, -4101].map((s) => {
  const sign = s < 0 ? 0x80 : 0, m = Math.min(Math.abs(s), 32635) + 132, e = Math.floor(Math.log2(m)) - 7;
  return ~(sign | (e << 4) | ((m >> (e + 3)) & 15)) & 0xff;
});
