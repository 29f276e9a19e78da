// Plays the caller's side of one recorded scenario against our node and collects what it answers.
import dgram from 'node:dgram';
import net from 'node:net';
import tls from 'node:tls';
import { createHash, randomBytes } from 'node:crypto';
import { parse, fixLength, takeMessages, CRLF } from './message.mjs';
import { keyOf } from './outcome.mjs';

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const md5 = (text) => createHash('md5').update(text).digest('hex');
const longestPause = 250;

/** Addresses of the recording, each replaced by one that belongs to this scenario alone; ports stay. */
export function addressMap(index, host, attempt = 0) {
  const known = new Map([['127.0.0.1', host]]);
  const map = (ip) => {
    if (!known.has(ip)) known.set(ip, `127.${26 + Math.floor(index / 250)}.${(index % 250) + 1}.${known.size + 20 * attempt}`);
    return known.get(ip);
  };
  map.text = (text) => text.replace(/127\.0\.\d+\.\d+(?!\d)/g, map);
  return map;
}

export class Scenario {
  /** @param record a line of the recording; @param node {host, sipPort, tlsPort, post(method, body)}; @param rules ids of the rooms */
  constructor(record, index, node, options = {}) {
    Object.assign(this, { record, node, options });
    this.map = addressMap(index, node.host, options.attempt);
    this.ladder = [];
    this.sent = new Set();
    this.sentRecorded = new Set();
    this.sockets = new Map();
    this.streams = new Map();
    this.tags = new Map();
    this.nonces = new Map();
    this.started = performance.now();
    this.waiters = new Set();
    this.isTcp = /-tcp$/.test(record.id);
    this.recorded = record.ladder.map((e) => ({ ...e, message: parse(e.raw) }));
    for (const note of record.notes) {
      const keyed = /^([\d.]+)ms (?:(\S+): )?digits start: '([^']+)' via 4733/.exec(note);
      if (keyed) this.recorded.push({ ms: Number(keyed[1]), leg: keyed[2] ?? '', dir: '#', digits: keyed[3], raw: '', message: parse('') });
    }
    for (const [leg, digits] of Object.entries(options.digits ?? {})) {
      const ack = this.recorded.find((e) => e.leg === leg && e.message.method === 'ACK');
      this.recorded.push({ ms: ack.ms + 1, leg, dir: '#', digits, raw: '', message: parse('') });
    }
    this.recorded.sort((a, b) => a.ms - b.ms);
  }

  async run() {
    try {
      await this.bindAll();
      let last = this.recorded.find((e) => e.dir === '>')?.ms ?? 0;
      let expected = [];
      for (const entry of this.recorded) {
        if (entry.dir === '<') { expected.push(entry); continue; }
        if (entry.message.status && this.answersRequest(entry)) { expected.push(entry); continue; }
        for (const e of expected) await this.await(e, this.patience(e));
        const previous = expected.length ? expected.at(-1).ms : last;
        await sleep(Math.min(Math.max(entry.ms - Math.max(previous, last), 0), this.options.longestPause ?? longestPause));
        last = entry.ms;
        expected = [];
        await this.options.beforeLeg?.[entry.leg]?.(this, entry);
        if (entry.digits) await this.press(entry.digits);
        else await this.play(entry);
      }
      for (const e of expected) await this.await(e, this.patience(e));
      await this.settle();
      await this.cleanUp();
    } finally {
      clearInterval(this.media);
      for (const socket of this.sockets.values()) socket.close();
      for (const stream of this.streams.values()) stream.destroy();
    }
    return this;
  }

  /** Whether a recorded response of the caller answers a request of the incumbent (else it is a stimulus). */
  answersRequest(entry) {
    return this.recorded.some((e) => e.dir === '<' && e.ms <= entry.ms && e.message.method && e.message.method === entry.message.cseq[1]);
  }

  patience(entry) {
    return entry.message.method ? this.options.patience ?? 4000 : this.options.answerWithin ?? 10000;
  }

  /** The keys under which the recording knows the requests that we sent. */
  sentInRecord() { return this.sentRecorded; }

  // ---- sockets

  async bindAll() {
    const wanted = new Set();
    for (const { raw } of this.recorded) {
      const text = raw.split('\r\n\r\n')[0];
      if (this.record.tls || (!this.record.id.startsWith('5.') && this.recorded.some((e) => e.dir === '>' && ['TCP', 'TLS'].includes(e.message.transport)))) break;
      for (const [, ip, port] of text.matchAll(/(127\.0\.\d+\.\d+):(\d+)/g)) if (ip !== '127.0.0.1') wanted.add(`${this.map(ip)}:${port}`);
    }
    // Answers to a Via without rport go to the port it names (RFC 3261 §18.2.2), by default 5060.
    if (this.record.id.startsWith('5.') && !this.isTcp) {
      const ip = this.sourceOf(this.recorded[0]).split(':')[0];
      const via = parse(this.options.bytes ?? this.recorded[0].raw).get('via');
      wanted.add(`${ip}:5060`).add(`${ip}:${/^[^;,]*:\s*(\d+)\s*(?:[;,]|$)/.exec(via)?.[1] ?? 5060}`);
    }
    for (const at of wanted) await this.bind(at);
  }

  async bind(at) {
    if (this.sockets.has(at)) return this.sockets.get(at);
    const [address, port] = at.split(':');
    const socket = dgram.createSocket('udp4');
    this.sockets.set(at, socket);
    socket.on('message', (data) => this.receive(data.toString('latin1'), { at, send: (text) => socket.send(Buffer.from(text, 'latin1'), this.node.sipPort, this.node.host) }));
    socket.on('error', () => {});
    await new Promise((resolve, reject) => { socket.once('error', reject); socket.bind(Number(port), address, resolve); });
    socket.setRecvBufferSize?.(1 << 20);
    return socket;
  }

  /** Where the recorded caller of a leg sent from, as the incumbent's answers tell, else as its Via tells. */
  sourceOf(entry) {
    const answer = this.recorded.find((e) => e.dir === '<' && e.leg === entry.leg && e.message.branch === entry.message.branch && /rport=\d+/.test(e.raw));
    const via = answer?.message.get('via') ?? '';
    const port = /rport=(\d+)/.exec(via)?.[1];
    const ip = /received=([\d.]+)/.exec(via)?.[1] ?? /127\.0\.\d+\.\d+/.exec(via)?.[0];
    if (port && ip && ip !== '127.0.0.1' && port === /:(\d+)/.exec(via)?.[1]) return `${this.map(ip)}:${port}`;
    const own = [entry, ...this.recorded.filter((e) => e.dir === '>' && e.leg === entry.leg), ...this.recorded.filter((e) => e.dir === '>')];
    for (const e of own) {
      const sentBy = /127\.0\.(?!0\.1\b)\d+\.\d+:\d+/.exec(e.message.get('via'))?.[0];
      if (sentBy) return this.map.text(sentBy);
    }
    return `${this.map('127.0.1.1')}:17470`;
  }

  transportOf(entry) {
    // The torture messages name many transports; the file says over which one they came.
    if (this.record.id.startsWith('5.')) return this.isTcp && entry.leg === '' ? 'TCP' : 'UDP';
    const own = [entry, ...this.recorded.filter((e) => e.dir === '>' && e.leg === entry.leg)];
    if (this.record.tls) return 'TLS';
    return own.map((e) => e.message.transport).find((t) => ['UDP', 'TCP', 'TLS'].includes(t)) ?? 'UDP';
  }

  async stream(leg, source, secure) {
    if (this.streams.has(leg)) return this.streams.get(leg);
    const socket = net.connect({ host: this.node.host, port: secure ? this.node.tlsPort : this.node.sipPort, localAddress: source.split(':')[0] });
    const stream = secure ? tls.connect({ socket, rejectUnauthorized: false }) : socket;
    this.streams.set(leg, stream);
    let rest = '';
    stream.on('data', (data) => {
      rest = takeMessages(rest + data.toString('latin1'), (text) => this.receive(text, { at: leg, leg, send: (t) => stream.write(Buffer.from(t, 'latin1')) }));
    });
    stream.on('error', () => {});
    stream.on('close', () => { this.isClosed = true; this.wake(); });
    await new Promise((resolve, reject) => { stream.once(secure ? 'secureConnect' : 'connect', resolve); stream.once('error', reject); });
    return stream;
  }

  // ---- sending

  async play(entry) {
    const { message } = entry;
    const source = this.sourceOf(entry);
    let text;
    if (!message.method || !/ SIP\/\d/i.test(message.line)) text = this.rewrite(entry.raw);
    else if (message.method === 'ACK') text = this.acknowledgement(entry);
    else text = this.request(entry);
    if (text === null) return;
    if (this.options.bytes && entry === this.recorded.find((e) => e.dir === '>')) text = this.options.bytes;
    this.log('>', entry.leg, text);
    if (message.method && message.method !== 'ACK') {
      this.sent.add(keyOf(entry.leg, parse(text)));
      this.sentRecorded.add(keyOf(entry.leg, message));
    }
    if (this.transportOf(entry) === 'UDP') {
      const socket = await this.bind(source);
      socket.send(Buffer.from(text, 'latin1'), this.node.sipPort, this.node.host);
    } else {
      const stream = await this.stream(entry.leg, source, this.transportOf(entry) === 'TLS');
      if (stream.writable) stream.write(Buffer.from(text, 'latin1'));
    }
    this.lastSource = source;
  }

  /** Addresses, our tags and contacts in place of the incumbent's, and the body's length. */
  rewrite(raw) {
    const bytes = Buffer.from(raw, 'utf8').toString('latin1');
    let text = this.rewriteQuietly(raw);
    for (const [theirs, ours] of this.tags) text = text.replaceAll(theirs, ours);
    text = text.replaceAll(new RegExp(this.node.host.replaceAll('.', '\\.') + ':174(60|61|65|68)(?!\\d)', 'g'), (_, port) => `${this.node.host}:${port === '61' ? this.node.tlsPort : this.node.sipPort}`);
    return fixLength(text, bytes);
  }

  request(entry) {
    const { message } = entry;
    this.learn(entry);
    const invite = message.toTag ? this.firstInviteOf(entry) : this.inviteOf(entry);
    const final = invite && this.finalOf(invite);
    const hadFinal = invite && this.recordedFinalBefore(invite, entry);
    const isInDialog = message.toTag && invite && this.recordedTag(invite) === message.toTag && message.method !== 'INVITE';
    // What follows from an answer that we gave otherwise is not sent: CANCEL of a refused call, BYE of a call that is not up.
    if (message.method === 'CANCEL' && final && !hadFinal && message.branch === invite.message.branch) return null;
    if (message.toTag && invite && this.recordedTag(invite) === message.toTag && !this.tagOf(invite)) return null;
    if (isInDialog && final && final.status >= 300 && hadFinal && hadFinal.message.status < 300) return null;
    if (message.method === 'INVITE' && message.toTag && final?.status >= 300 && hadFinal?.message.status < 300) return null;
    let text = this.rewrite(entry.raw);
    if (/^(proxy-)?authorization\s*:/im.test(text)) text = this.authorise(text, entry);
    return text;
  }

  /** An ACK of the kind our answer needs; null where there is nothing to acknowledge or it was done already. */
  acknowledgement(entry) {
    this.learn(entry);
    const invite = this.inviteOf(entry);
    if (!invite) return this.rewrite(entry.raw);
    const final = this.finalOf(invite);
    if (!final) return null;
    if (final.status >= 300) return invite.acknowledged ? null : this.refusalAck(invite, final);
    return this.successAck(invite, final, entry);
  }

  refusalAck(invite, final) {
    invite.acknowledged = true;
    const sent = parse(this.textOf(invite));
    const lines = [`ACK ${sent.line.split(' ')[1]} SIP/2.0`, `Via: ${sent.get('via').split(/,(?=\s*SIP)/)[0]}`, 'Max-Forwards: 70', ...sent.all('route').map((r) => `Route: ${r}`), `From: ${sent.get('from')}`, `To: ${final.get('to')}`,
      `Call-ID: ${sent.get('call-id')}`, `CSeq: ${sent.cseq[0]} ACK`, 'Content-Length: 0'];
    return lines.join(CRLF) + CRLF + CRLF;
  }

  successAck(invite, final, entry) {
    invite.acknowledged = true;
    invite.isUp = true;
    if (entry && entry.message.branch !== invite.message.branch) return this.withAnswer(this.rewrite(entry.raw), invite, final);
    const sent = parse(this.textOf(invite));
    const via = sent.get('via').split(/,(?=\s*SIP)/)[0].replace(/branch=[^;,\s]+/i, 'branch=z9hG4bK' + randomBytes(6).toString('hex'));
    const lines = [`ACK ${/<([^>]+)>/.exec(final.get('contact'))?.[1] ?? sent.line.split(' ')[1]} SIP/2.0`, `Via: ${via}`, 'Max-Forwards: 70', ...final.all('record-route').reverse().map((r) => `Route: ${r}`),
      `From: ${sent.get('from')}`, `To: ${final.get('to')}`, `Call-ID: ${sent.get('call-id')}`, `CSeq: ${sent.cseq[0]} ACK`, 'Content-Length: 0'];
    return this.withAnswer(lines.join(CRLF) + CRLF + CRLF, invite, final);
  }

  /** An INVITE without an offer gets ours in the 200; its answer belongs into the ACK. */
  withAnswer(text, invite, final) {
    if (/^v=0/m.test(invite.message.body) || !/^v=0/.test(final.body) || /\r\n\r\nv=0/.test(text)) return text;
    const ip = (this.lastSource ?? '127.26.1.2:0').split(':')[0];
    const body = ['v=0', `o=- 1 1 IN IP4 ${ip}`, 's=-', `c=IN IP4 ${ip}`, 't=0 0', 'm=audio 17472 RTP/AVP 0 101', 'a=rtpmap:0 PCMU/8000', 'a=rtpmap:101 telephone-event/8000', ''].join(CRLF);
    return text.replace(/content-length:[^\r]*\r\n/i, '').replace(/\r\n\r\n$/, `\r\nContent-Type: application/sdp\r\nContent-Length: ${body.length}\r\n\r\n`) + body;
  }

  // ---- learning what stands for what

  /** The recorded INVITE that this entry belongs to: same Call-ID and CSeq number, else the latest of the Call-ID. */
  inviteOf(entry) {
    const id = entry.message.get('call-id');
    const before = this.recorded.filter((e) => e.dir === '>' && e.message.method === 'INVITE' && e.message.get('call-id') === id && e.ms <= entry.ms);
    return before.filter((e) => e.message.cseq[0] === entry.message.cseq[0]).at(-1) ?? before.at(-1);
  }

  /** The INVITE that began the recorded call of an in-dialog request. */
  firstInviteOf(entry) {
    const id = entry.message.get('call-id');
    return this.recorded.filter((e) => e.dir === '>' && e.message.method === 'INVITE' && !e.message.toTag && e.message.get('call-id') === id && e.ms <= entry.ms).at(-1);
  }

  recordedTag(invite) {
    return this.recorded.filter((e) => e.dir === '<' && e.message.status && e.message.get('call-id') === invite.message.get('call-id') && e.message.toTag).at(-1)?.message.toTag;
  }

  recordedFinalBefore(invite, entry) {
    return this.recorded.find((e) => e.dir === '<' && e.message.status >= 200 && e.message.cseq[1] === 'INVITE' && e.message.branch === invite.message.branch && e.ms <= entry.ms);
  }

  /** Our answers to a recorded request, oldest first. */
  answersTo(request) {
    const own = parse(this.rewriteQuietly(request.raw));
    return this.ladder.filter((e) => e.dir === '<' && e.message.status && (own.branch
      ? e.message.branch === own.branch && (e.message.cseq[1] === own.method || !e.message.cseq[1])
      : e.message.get('call-id') === own.get('call-id'))).map((e) => e.message);
  }

  /** Addresses, and in a second attempt other Call-IDs: the first may still be remembered. */
  rewriteQuietly(raw) {
    const text = this.map.text(Buffer.from(raw, 'utf8').toString('latin1'));
    return this.options.attempt ? text.replace(/^(call-id|i)([ \t]*:[ \t]*)/gim, `$1$2again${this.options.attempt}-`) : text;
  }

  finalOf(invite) { return this.answersTo(invite).find((m) => m.status >= 200); }
  tagOf(invite) { return this.answersTo(invite).filter((m) => m.toTag).at(-1)?.toTag; }
  textOf(invite) { return this.ladder.find((e) => e.dir === '>' && e.message.branch === invite.message.branch && e.message.method === 'INVITE')?.raw ?? this.rewriteQuietly(invite.raw); }

  /** Pairs the incumbent's tags, contacts and nonces before this entry with ours. */
  learn(entry) {
    for (const request of this.recorded.filter((e) => e.dir === '>' && e.ms <= entry.ms && e.message.method && e.message.method !== 'ACK')) {
      const isAnswer = (m) => m.status && m.cseq[1] === request.message.cseq[1]
        && (m.branch === request.message.branch || (m.cseq[0] === request.message.cseq[0] && m.get('call-id') === request.message.get('call-id')));
      const theirs = this.recorded.filter((e) => e.dir === '<' && isAnswer(e.message)).map((e) => e.message);
      const ours = this.answersTo(request);
      const tag = theirs.find((m) => m.toTag)?.toTag;
      const own = ours.filter((m) => m.toTag).at(-1)?.toTag;
      if (tag && own && !request.message.toTag) this.tags.set(tag, own);
      const contact = /<([^>]+)>/.exec(theirs.find((m) => m.status < 300 && m.get('contact'))?.get('contact') ?? '')?.[1];
      const ownContact = /<([^>]+)>/.exec(ours.find((m) => m.status < 300 && m.get('contact'))?.get('contact') ?? '')?.[1];
      if (contact && ownContact) this.tags.set(this.map.text(contact) + ' SIP/2.0', ownContact + ' SIP/2.0');
      theirs.filter((m) => m.status === 407 || m.status === 401).forEach((m, n) => {
        const nonce = /nonce="([^"]+)"/.exec(m.get('proxy-authenticate') || m.get('www-authenticate'))?.[1];
        const answers = ours.filter((o) => o.status === 407 || o.status === 401);
        const challenge = (answers[n] ?? answers.at(-1));
        if (nonce && challenge) this.nonces.set(this.map.text(nonce), challenge.get('proxy-authenticate') || challenge.get('www-authenticate'));
      });
    }
  }

  /** The recorded answer to a challenge, made for ours: right where it was right, as wrong where it was wrong. */
  authorise(text, entry) {
    const parameters = (line) => Object.fromEntries([...line.matchAll(/(\w+)\s*=\s*(?:"([^"]*)"|([^,\s]*))/g)].map((m) => [m[1].toLowerCase(), m[2] ?? m[3]]));
    return text.replace(/^((?:proxy-)?authorization\s*:\s*Digest\s+)([^\r]*)/im, (line, name, rest) => {
      const recorded = parameters(/^(?:proxy-)?authorization\s*:\s*Digest\s+([^\r]*)/im.exec(entry.raw)[1]);
      const challenge = this.nonces.get(this.map.text(recorded.nonce));
      if (!challenge) return line;
      const ours = parameters(challenge);
      const respond = (p, password) => {
        const ha1 = md5(`${p.username}:${p.realm}:${password}`), ha2 = md5(`${entry.message.method}:${p.uri}`);
        return md5(p.qop ? `${ha1}:${p.nonce}:${p.nc}:${p.cnonce}:${p.qop}:${ha2}` : `${ha1}:${p.nonce}:${ha2}`);
      };
      const right = this.record.setup.find((s) => s.request.auth_password)?.request.auth_password;
      const password = respond(recorded, right) === recorded.response ? right : 'not the password';
      const realm = recorded.realm === parameters(this.recordedChallenge(recorded.nonce)).realm ? ours.realm : recorded.realm;
      const made = { ...recorded, nonce: ours.nonce, realm, uri: this.map.text(recorded.uri) };
      made.response = respond(made, password);
      return name + ['nonce', 'realm', 'uri', 'response'].reduce((t, key) => t.replace(new RegExp(`(?<!\\w)${key}="[^"]*"`), `${key}="${made[key]}"`), rest);
    });
  }

  recordedChallenge(nonce) {
    return this.recorded.filter((e) => e.dir === '<').map((e) => e.message.get('proxy-authenticate') || e.message.get('www-authenticate')).find((c) => c.includes(nonce)) ?? '';
  }

  // ---- receiving

  receive(text, from) {
    const message = parse(text);
    const leg = from.leg ?? this.recorded.find((e) => e.dir === '>' && e.message.branch && this.rewriteQuietly(e.raw).includes(message.branch) && message.branch)?.leg ?? '';
    this.log('<', leg, text, message);
    if (message.status >= 300 && message.cseq[1] === 'INVITE') this.acknowledgeRefusal(message, from);
    if (message.status === 200 && message.cseq[1] === 'INVITE') this.talk(message);
    if (message.method && message.method !== 'ACK' && / SIP\/2\.0$/.test(message.line)) this.answer(message, from);
    this.wake();
  }

  /** Silence as PCMU, five packets a second: enough for a call to have media where the recorded caller sent some. */
  talk(answer) {
    const leg = Object.values(this.record.rtp ?? {}).find((r) => r.tx_packets > 0);
    const port = Number(/^m=audio (\d+)/m.exec(answer.body)?.[1]), ip = /^c=IN IP4 ([\d.]+)/m.exec(answer.body)?.[1];
    if (!leg || !port || !ip) return;
    if (this.rtp) { Object.assign(this.rtp, { port, ip }); return; }
    const socket = dgram.createSocket('udp4');
    this.sockets.set('media', socket);
    socket.on('error', () => {});
    const event = /^a=rtpmap:(\d+) telephone-event/m.exec(answer.body)?.[1] ?? 101;
    this.rtp = { socket, port, ip, event: Number(event), sequence: 1, stamp: 160, isPressing: false };
    const from = this.recorded.map((e) => /c=IN IP4 (127\.0\.\d+\.\d+)/.exec(e.raw)?.[1]).find((x) => x && x !== '127.0.0.1') ?? '127.0.1.1';
    socket.bind(leg.local_port ?? 17472, this.map(from), () => {
      const end = performance.now() + (this.options.talkMs ?? 1e9);
      this.media = setInterval(() => {
        if (performance.now() < end && !this.rtp.isPressing) this.sendRtp(0, Buffer.alloc(160, 0xff), (this.rtp.stamp += 1600));
      }, 200);
    });
  }

  sendRtp(payloadType, payload, stamp, marker = 0) {
    const head = Buffer.alloc(12);
    head.writeUInt16BE(0x8000 | (marker << 7) | payloadType, 0); head.writeUInt16BE(this.rtp.sequence++, 2);
    head.writeUInt32BE(stamp, 4); head.writeUInt32BE(0x5150, 8);
    this.rtp.socket.send(Buffer.concat([head, payload]), this.rtp.port, this.rtp.ip);
  }

  /** Keys as RFC 4733 events of 80 ms. */
  async press(digits) {
    if (!(await this.until(() => this.rtp, 5000))) return;
    this.rtp.isPressing = true;
    for (let i = 0; i < 3; i++, await sleep(20)) this.sendRtp(0, Buffer.alloc(160, 0xff), (this.rtp.stamp += 160));
    for (const digit of digits) {
      const stamp = (this.rtp.stamp += 800);
      for (let n = 1; n <= 7; n++) {
        const isEnd = n > 4;
        const payload = Buffer.from(['0123456789*#ABCD'.indexOf(digit), (isEnd ? 0x80 : 0) | 10, 0, 0]);
        payload.writeUInt16BE(160 * Math.min(n, 4), 2);
        this.sendRtp(this.rtp.event, payload, stamp, n === 1 ? 1 : 0);
        if (!isEnd) await sleep(20);
      }
      await sleep(40);
    }
    this.rtp.isPressing = false;
  }

  /** Refusals are acknowledged at once, unless the recorded caller left one unacknowledged to see what happens. */
  acknowledgeRefusal(message, from) {
    const invite = this.recorded.find((e) => e.dir === '>' && e.message.method === 'INVITE' && parse(this.rewriteQuietly(e.raw)).branch === message.branch);
    if (!invite || !message.branch) return;
    const refused = this.recorded.some((e) => e.dir === '<' && e.message.status >= 300 && e.message.cseq[1] === 'INVITE' && e.message.branch === invite.message.branch);
    const acked = this.recorded.some((e) => e.dir === '>' && e.message.method === 'ACK' && e.message.branch === invite.message.branch);
    if (refused && !acked && !this.record.id.startsWith('5.')) return;
    const text = this.refusalAck(invite, message);
    from.send(text);
  }

  /** Answers a request of ours as the recorded caller answered the incumbent's; 200 where it was never asked. */
  answer(message, from) {
    const asked = this.recorded.some((e) => e.dir === '<' && e.message.method === message.method);
    const answered = this.recorded.find((e) => e.dir === '>' && e.message.status >= 200 && e.message.cseq[1] === message.method);
    if (asked && !answered) return;
    const line = answered ? answered.message.line : 'SIP/2.0 200 OK';
    const extra = answered ? ['proxy-authenticate', 'www-authenticate'].flatMap((n) => answered.message.all(n).map((v) => `${n}: ${v}`)) : [];
    from.send([line, ...message.all('via').map((v) => `Via: ${v}`), `From: ${message.get('from')}`, `To: ${message.get('to')}`, `Call-ID: ${message.get('call-id')}`, `CSeq: ${message.get('cseq')}`, ...extra, 'Content-Length: 0'].join(CRLF) + CRLF + CRLF);
  }

  log(dir, leg, raw, message = parse(raw)) {
    this.ladder.push({ ms: Math.round(performance.now() - this.started), leg, dir, line: message.line, raw, message });
  }

  // ---- waiting

  wake() { for (const waiter of this.waiters) waiter(); }

  async until(condition, ms) {
    const end = performance.now() + ms;
    while (!condition() && performance.now() < end) {
      await new Promise((resolve) => {
        const done = () => { clearTimeout(timer); this.waiters.delete(done); resolve(); };
        const timer = setTimeout(done, Math.max(end - performance.now(), 1));
        this.waiters.add(done);
      });
    }
    return condition();
  }

  /** Waits for what corresponds to a recorded message: an answer at least as final, or a request of the same method. */
  async await(expected, ms) {
    const { message } = expected;
    if (message.status === 486 && this.options.act) await this.before(expected);
    if (message.status) {
      const request = this.recorded.find((e) => e.dir === '>' && e.message.method && e.message.branch === message.branch && e.message.method === message.cseq[1]);
      if (!request || expected.dir === '>' || message.status === 100) return;
      if (!this.ladder.some((e) => e.dir === '>' && e.message.branch === parse(this.rewriteQuietly(request.raw)).branch)) return;
      await this.until(() => this.isClosed || this.answersTo(request).some((m) => m.status >= (message.status < 200 ? 101 : 200)), ms);
    } else if (message.method) {
      await this.before(expected);
      await this.until(() => this.ladder.some((e) => e.dir === '<' && e.message.method === message.method), ms);
    }
  }

  /** Something in the room made the incumbent act: make the same happen here. */
  async before(expected) {
    if (this.hasActed || !this.options.act) return;
    this.hasActed = true;
    await sleep(200);
    await this.options.act(this, expected);
  }

  /** Whatever may still come: answers to what we sent, and what the incumbent did not send. */
  async settle() {
    const open = () => [...this.sent].some((key) => {
      const request = this.ladder.find((e) => e.dir === '>' && e.message.method && keyOf(e.leg, e.message) === key);
      return request && !this.ladder.some((e) => e.dir === '<' && e.message.status >= 200 && (request.message.branch
        ? e.message.branch === request.message.branch && e.message.cseq[1] === request.message.method
        : e.message.get('call-id') === request.message.get('call-id')));
    });
    await this.until(() => this.isClosed || !open(), this.options.settle ?? 3000);
    await sleep(this.options.linger ?? 300);
  }

  /** Ends the calls that are still up, so that nothing is left on the node. Not part of the comparison. */
  async cleanUp() {
    for (const invite of this.recorded.filter((e) => e.dir === '>' && e.message.method === 'INVITE')) {
      const final = this.finalOf(invite);
      if (!final || final.status >= 300 || invite.message.toTag) continue;
      const id = final.get('call-id');
      const ended = this.ladder.some((e) => e.message.get('call-id') === id && ((e.dir === '>' && e.message.method === 'BYE') || (e.dir === '<' && e.message.method === 'BYE')));
      if (ended) continue;
      const send = async (text) => {
        if (this.transportOf(invite) === 'UDP') (await this.bind(this.sourceOf(invite))).send(Buffer.from(text, 'latin1'), this.node.sipPort, this.node.host);
        else if (this.streams.get(invite.leg)?.writable) this.streams.get(invite.leg).write(Buffer.from(text, 'latin1'));
      };
      const ack = this.successAck(invite, final, null);
      await send(ack);
      await send(ack.replace(/^ACK /, 'BYE ').replace(/CSeq: \d+ ACK/, 'CSeq: 2000000 BYE').replace(/branch=[^;,\s]+/, 'branch=z9hG4bK' + randomBytes(6).toString('hex')).replace(/\r\n\r\nv=0[^]*$/, '\r\n\r\n').replace(/Content-Type:[^\r]*\r\n/i, '').replace(/Content-Length: \d+/i, 'Content-Length: 0'));
      await sleep(50);
    }
  }
}
