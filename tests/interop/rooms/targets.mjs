// Where the native binary's own requests go (RFC 3263, RFC 3261 §18.1.1): dnsmasq holds the zone, our phone calls as if a proxy had named itself in
// Record-Route, sockets of ours are the proxies; then the node hangs up, and its BYE must find its way. And a request that comes from elsewhere into a
// call: asked for the trunk's password, taken with it (§22).
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { spawn } from 'node:child_process';
import { check, finish, startServer } from './server.mjs';
import { startNode, run, siproom, scratch, HOST, SIP } from './node.mjs';
import { Phone } from './phone.mjs';
import { join } from 'node:path';

const DNS = 15353;
const [A, B] = ['.71', '.72'].map((end) => HOST.replace(/\.[0-9]+$/, end));
const control = join(scratch, 'control.sock');
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const names = [];

/** A proxy: keeps what comes, and answers with the status; `over` says by what it is reached. */
async function proxy(host, port, over, status = '200 OK') {
  const p = { got: [], at: 0 };
  const answer = (text) => {
    p.got.push(text);
    p.at ||= Date.now();
    return [`SIP/2.0 ${status}`, ...text.split('\r\n').filter((l) => /^(via|from|to|call-id|cseq):/i.test(l)), 'Content-Length: 0', '', ''].join('\r\n');
  };
  if (over === 'udp') {
    p.socket = createSocket('udp4', (bytes, from) => p.socket.send(answer(bytes.toString()), from.port, from.address));
    await new Promise((r) => p.socket.bind(port, host, r));
  } else {
    p.socket = createServer((stream) => stream.on('error', () => {}).on('data', (bytes) => stream.write(answer(bytes.toString()))));
    await new Promise((r) => p.socket.listen(port, host, r));
  }
  names.push(p);
  return p;
}

/** Two servers of one name: priorities 10 and 20. */
const pair = (name, over, first, second) => [`--srv-host=_sip._${over}.${name},a.test,${first},10,10`, `--srv-host=_sip._${over}.${name},b.test,${second},20,10`];

/** One call that the node hangs up; what the next hop is called stands in its Record-Route. */
async function hangUp(from, route) {
  const phone = await Phone.call('+15550200', { from, headers: [`Record-Route: ${route}`] });
  const status = await phone.answered();
  await sleep(1000);
  await run(siproom, ['calls', 'hangup', phone.callId, '--control', control]).done;
  return { phone, status, ended: Date.now() };
}

/** Calls the trunk that asks for a password, by digest; then BYEs come from another address. */
async function elsewhere() {
  const [here, there] = await Promise.all([HOST, A].map(async (host) => {
    const socket = createSocket('udp4');
    await new Promise((r) => socket.bind(0, host, r));
    const s = { at: `${host}:${socket.address().port}`, close: () => socket.close() };
    s.send = (text) => socket.send(text, Number(SIP.split(':')[1]), HOST);
    s.ask = (text) => new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error('no answer to ' + text.split('\r\n')[0])), 5000);
      socket.removeAllListeners('message').on('message', (b) => Number(b.toString().slice(8, 11)) >= 200 && (clearTimeout(late), resolve(b.toString())));
      s.send(text);
    });
    return s;
  }));
  const md5 = (text) => createHash('md5').update(text).digest('hex');
  const uri = `sip:+15550201@${SIP}`;
  let cseq = 0, tag = '';
  const request = (method, from, extra = '') => `${method} ${uri} SIP/2.0\r\nVia: SIP/2.0/UDP ${from.at};branch=z9hG4bK${method}${++cseq};rport\r\nMax-Forwards: 70\r\nFrom: <sip:a@x.test>;tag=f1\r\n`
    + `To: <${uri}>${tag}\r\nCall-ID: elsewhere@x.test\r\nCSeq: ${cseq} ${method}\r\nContact: <sip:a@${here.at}>\r\nUser-Agent: a phone that says at some length what it is and what it can do\r\n${extra}`;
  const sdp = `v=0\r\no=- 1 1 IN IP4 ${HOST}\r\ns=-\r\nc=IN IP4 ${HOST}\r\nt=0 0\r\nm=audio 15079 RTP/AVP 0\r\n`;
  const body = `Content-Type: application/sdp\r\nContent-Length: ${sdp.length}\r\n\r\n${sdp}`;
  const proof = (method, challenge, password) => {
    const [, realm, nonce] = /realm="([^"]*)", nonce="([^"]*)"/.exec(challenge);
    const sum = md5(`${md5(`user:${realm}:${password}`)}:${nonce}:00000001:c:auth:${md5(`${method}:${uri}`)}`);
    return `Proxy-Authorization: Digest username="user", realm="${realm}", nonce="${nonce}", uri="${uri}", response="${sum}", algorithm=MD5, qop=auth, nc=00000001, cnonce="c"\r\n`;
  };
  const empty = 'Content-Length: 0\r\n\r\n';
  const challenged = await here.ask(request('INVITE', here, body));
  const answered = await here.ask(request('INVITE', here, proof('INVITE', challenged, 'secret') + body));
  tag = /^To: .*(;tag=\S+)/m.exec(answered)[1];
  here.send(request('ACK', here, empty).replace(/CSeq: \d+/, 'CSeq: 2'));
  const asked = await there.ask(request('BYE', there, empty));
  const wrong = await there.ask(request('BYE', there, proof('BYE', asked, 'guess') + empty));
  const again = await there.ask(request('BYE', there, empty));
  const right = await there.ask(request('BYE', there, proof('BYE', again, 'secret') + empty));
  here.close();
  there.close();
  return [challenged, answered, asked, wrong, again, right].map((text) => text.slice(8, 11)).join(' ');
}

const policy = join(scratch, 'targets-policy');
for (const [kind, id, object] of [
  ['trunks', 'ST_r', { sipTrunkId: 'ST_r', numbers: ['+15550200'], allowedAddresses: [HOST] }],
  ['trunks', 'ST_p', { sipTrunkId: 'ST_p', numbers: ['+15550201'], authUsername: 'user', authPassword: 'secret' }],
  ['rules', 'SDR_r', { sipDispatchRuleId: 'SDR_r', rule: { dispatchRuleIndividual: { roomPrefix: 'r-' } }, x: { answer_mode: 'at_once' } }],
]) {
  mkdirSync(join(policy, kind), { recursive: true });
  writeFileSync(join(policy, kind, id + '.json'), JSON.stringify(object));
}
const silent = createSocket('udp4');
await new Promise((r) => silent.bind(DNS + 1, HOST, r));
const dns = spawn('/usr/sbin/dnsmasq', ['--keep-in-foreground', '--conf-file=/dev/null', '--pid-file=', '--no-hosts', '--no-resolv', '--local=/test/', '--bind-interfaces', `--listen-address=${HOST}`, `--port=${DNS}`,
  '--naptr-record=silent.test,10,10,s,SIP+D2U,,_sip._udp.silent.test', ...pair('silent.test', 'udp', 15071, 15072), ...pair('refused.test', 'tcp', 15073, 15074),
  ...pair('busy.test', 'udp', 15075, 15076), `--host-record=a.test,${A}`, `--host-record=b.test,${B}`], { stdio: ['ignore', 'ignore', 'pipe'] });
let said = '';
dns.stderr.on('data', (text) => { said += text; });
let node, rooms;
try {
  rooms = await startServer(HOST + ':17880');
  node = await startNode(`api_key: devkey\napi_secret: secret\nws_url: ${rooms.url}\npolicy: { folder: ${policy} }\ncontrol: ${control}\ndns_servers: ["${HOST}:${DNS}", "${HOST}:${DNS + 1}"]\nmax_cpu_utilization: 1`,
    HOST + ':17980', [], false);
  const [quiet, refused, busy, second] = [await proxy(B, 15072, 'udp'), await proxy(B, 15074, 'tcp'), await proxy(A, 15075, 'udp', '503 Service Unavailable'), await proxy(B, 15076, 'udp')];
  const [stream, datagram] = [await proxy(HOST, 15077, 'tcp'), await proxy(HOST, 15078, 'udp')];
  const long = ';x=' + 'y'.repeat(1300);
  const calls = await Promise.all([
    hangUp('+15550201', '<sip:silent.test;lr>'), hangUp('+15550202', '<sip:refused.test;lr;transport=tcp>'), hangUp('+15550203', '<sip:busy.test;lr>'), hangUp('+15550204', '<sip:nowhere.example;lr>'),
    hangUp('+15550205', `<sip:${HOST}:15077;lr${long}>`), hangUp('+15550206', `<sip:${HOST}:15078;lr${long}>`),
  ]);
  check('six calls are answered, whatever their next hop is called', calls.every((c) => c.status === 200), calls.map((c) => c.status).join(' '));
  await calls[3].phone.until(() => calls[3].phone.byeAt, 3000);
  check('without an answer of the DNS the BYE goes to where the call came from', calls[3].phone.byeAt > 0, calls[3].phone.requests.length + ' requests');
  await calls[0].phone.until(() => names.every((p) => p.got.length > 0), 12000);
  const took = (p, i) => p.at - calls[i].ended;
  check('a server that is not there: the BYE comes to the second of the SRV pair', quiet.got[0]?.startsWith('BYE ') && took(quiet, 0) > 6000 && took(quiet, 0) < 9500, took(quiet, 0) + ' ms');
  check('a connection that is refused: at once', refused.got[0]?.startsWith('BYE ') && /^Via: SIP\/2\.0\/TCP /m.test(refused.got[0]) && took(refused, 1) < 2000, took(refused, 1) + ' ms');
  check('a 503: at once, with another branch', busy.got.length === 1 && second.got[0]?.startsWith('BYE ') && took(second, 2) < 2000
    && /branch=(\S+)/.exec(busy.got[0])[1] !== /branch=(\S+)/.exec(second.got[0])[1] && /CSeq: (.*)\r/.exec(busy.got[0])[1] === /CSeq: (.*)\r/.exec(second.got[0])[1], took(second, 2) + ' ms');
  check('a BYE of over 1,300 bytes comes by TCP', stream.got[0]?.length > 1300 && /^Via: SIP\/2\.0\/TCP /m.test(stream.got[0]), stream.got[0]?.length + ' bytes');
  check('and as a datagram where nobody takes TCP', datagram.got[0]?.length > 1300 && /^Via: SIP\/2\.0\/UDP /m.test(datagram.got[0]) && took(datagram, 5) < 2000, took(datagram, 5) + ' ms');
  const statuses = await elsewhere();
  check('a BYE from elsewhere is asked for the password of the trunk, refused with a wrong one and taken with the right one', statuses === '407 200 407 481 407 200', statuses);
  const metrics = await node.metrics();
  const count = (what) => metrics[`siproom_sip_targets_total{what="${what}"}`];
  const foreign = ['challenged', 'refused', 'proven'].map((what) => metrics[`siproom_sip_foreign_total{what="${what}"}`]).join(' ');
  check('it is counted', foreign === '2 1 1' && count('failed_over') === 4 && count('name_unknown') === 1 && count('too_long_for_udp') === 2 && metrics.siproom_faults_total === 0,
    { failed_over: count('failed_over'), name_unknown: count('name_unknown'), too_long: count('too_long_for_udp'), foreign });
  const record = node.records().find((r) => r.sip_call_id === calls[3].phone.callId);
  check('and said with the call', JSON.stringify(record?.flags ?? []).includes('next_hop_unknown') && /took another way callID=SCL_/.test(node.log()), record?.flags);
  for (const call of calls) await call.phone.close();
} catch (error) {
  check('script', false, error.stack + said);
  console.log(node?.log().slice(-3000));
}
for (const p of names) p.socket.close();
silent.close();
dns.kill();
await node?.stop();
await rooms?.stop();
finish();
