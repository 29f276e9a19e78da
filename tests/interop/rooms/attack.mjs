// A flood at the native binary: 20,000 INVITEs, as much garbage, half-open connections and a scanner, all from one address that no trunk lists, while a
// carrier whose address a trunk lists keeps a call and places others. Its calls must not notice; the flood must not get back more than it sent.
import { dispose } from '@livekit/rtc-node';
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import { randomBytes } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { agent, sleep } from './room-agent.mjs';
import { check, finish, startServer } from './server.mjs';
import { startNode, load, run, siproom, scratch, HOST, SIP } from './node.mjs';

const INVITES = 20000;
const ATTACKER = HOST.replace(/\.[0-9]+$/, '.66');
const SCANNER = HOST.replace(/\.[0-9]+$/, '.67');
const [host, port] = SIP.split(':');
const control = join(scratch, 'control.sock');
const verb = (...args) => run(siproom, [...args, '--control', control]).done;

/** Two numbers for the carrier's address alone: one leads to the agent's room, the other to a room for each call. */
function policy() {
  const dir = join(scratch, 'attack-policy');
  for (const name of ['trunks', 'rules']) mkdirSync(join(dir, name), { recursive: true });
  writeFileSync(join(dir, 'trunks', 'a.json'), JSON.stringify({ sip_trunk_id: 'ST_a', numbers: ['+15550180'], allowed_addresses: [HOST] }));
  writeFileSync(join(dir, 'trunks', 'b.json'), JSON.stringify({ sip_trunk_id: 'ST_b', numbers: ['+15550181'], allowed_addresses: [HOST] }));
  writeFileSync(join(dir, 'rules', 'a.json'), JSON.stringify({ sip_dispatch_rule_id: 'SDR_a', trunk_ids: ['ST_a'], rule: { dispatchRuleDirect: { roomName: 'attacked' } } }));
  writeFileSync(join(dir, 'rules', 'b.json'), JSON.stringify({ sip_dispatch_rule_id: 'SDR_b', trunk_ids: ['ST_b'], rule: { dispatchRuleIndividual: { roomPrefix: 'b-' } }, x: { answer_mode: 'at_once' } }));
  return dir;
}

let made = 0;
function request(method, from, { to = '+15550180', body = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n', extra = '' } = {}) {
  const id = ++made;
  const content = method === 'INVITE' ? body : '';
  return `${method} sip:${to}@${SIP} SIP/2.0\r\nVia: SIP/2.0/UDP ${from};branch=z9hG4bKx${id};rport\r\nMax-Forwards: 70\r\nFrom: <sip:100@${host}>;tag=t${id}\r\n`
    + `To: <sip:${to}@${host}>\r\nCall-ID: attack-${id}@${from}\r\nCSeq: 1 ${method}\r\nContact: <sip:100@${from}>\r\n${extra}`
    + `${content ? 'Content-Type: application/sdp\r\n' : ''}Content-Length: ${content.length}\r\n\r\n${content}`;
}

/** A socket that counts what it sends and gets. */
async function source(address) {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20 });
  await new Promise((r) => socket.bind(0, address, r));
  const s = { sent: 0, received: 0, answers: [], address: `${address}:${socket.address().port}`, close: () => socket.close() };
  socket.on('message', (bytes) => { s.received += bytes.length; if (s.answers.length < 1000) s.answers.push(bytes.toString()); });
  s.send = (message) => { s.sent += message.length; return new Promise((r) => socket.send(message, Number(port), host, r)); };
  return s;
}

/** INVITEs and garbage by turns, some 8,000 datagrams a second. */
async function flood() {
  const s = await source(ATTACKER);
  for (let i = 0; i < INVITES; i += 40) {
    const due = [];
    for (let n = 0; n < 40; n++) due.push(s.send(request('INVITE', s.address)), s.send(n % 2 ? randomBytes(300) : Buffer.from('INVITE sip:x SIP/2.0\r\n' + 'a: b\r\n'.repeat(40))));
    await Promise.all(due);
    await sleep(8);
  }
  return s;
}

/** Connections that send one byte, then nothing; resolves to how many are still open. */
async function connections(count) {
  const sockets = Array.from({ length: count }, () => {
    const socket = connect({ host, port: Number(port), localAddress: ATTACKER });
    socket.on('error', () => {});
    socket.on('connect', () => socket.write('I'));
    return socket;
  });
  await sleep(1500);
  const open = sockets.filter((s) => !s.destroyed && s.readyState === 'open').length;
  sockets.forEach((s) => s.destroy());
  return open;
}

/** What a scanner that tries a number that exists, ones that do not, methods and broken requests is told after its first tries. */
async function scan() {
  const s = await source(SCANNER);
  const tries = [['REGISTER'], ['INVITE', { to: '+19' }], ['INVITE'], ['SUBSCRIBE'], ['FOO'], ['INVITE'], ['INVITE', { to: '+18' }], ['INVITE', { extra: 'Require: rocket\r\n' }], ['REGISTER'], ['MESSAGE']];
  for (const [method, options] of tries) { await s.send(request(method, s.address, options)); await sleep(60); }
  for (let i = 0; i < 20; i++) await s.send(request('REGISTER', s.address));
  await sleep(200);
  const silentFrom = s.answers.length;
  await s.send(request('OPTIONS', s.address));
  await sleep(300);
  s.close();
  return { statuses: s.answers.map((a) => Number(a.slice(8, 11))), isSilent: s.answers.length === silentFrom, ratio: s.received / s.sent, answers: s.answers };
}

let node, rooms;
try {
  rooms = await startServer(HOST + ':17880');
  node = await startNode(`api_key: devkey\napi_secret: secret\nws_url: ${rooms.url}\ncontrol: ${control}\npolicy: { folder: ${policy()} }\nstrangers: { alike_after: 5, ban_after: 20 }\nmax_cpu_utilization: 1`, HOST + ':17980', [], false);
  const a = await agent({ url: rooms.url }, 'attacked');
  const before = await node.metrics();
  const first = load('+15550180', ['--hold', 12, '--hear-hz', 440]);
  await sleep(2000);
  const start = Date.now();
  const others = load('+15550181', ['--calls', 10, '--rate', 2, '--hold', 2]);
  const [attack, open] = await Promise.all([flood(), connections(300)]);
  const took = (Date.now() - start) / 1000;
  const [long, short] = [await first, await others];
  await sleep(500);
  const after = await node.metrics();
  const strangers = (what) => after[`siproom_sip_strangers_total{what="${what}"}`];
  check('the flood was one', attack.sent > 10e6 && took < 15, `${INVITES} INVITEs and as much garbage in ${took.toFixed(1)} s`);
  check('the call that ran goes on unharmed', long.answered === 1 && long.heardTone === 1 && long.lost === 0 && long.longestToneGapMs <= 100, { gapMs: long.longestToneGapMs, packetGapMs: long.longestPacketGapMs, lost: long.lost, ended: node.records().find((r) => r.room === 'attacked')?.code, error: long.error });
  check('ten calls that come during it are answered', short.answered === 10 && short.lost === 0 && short.to200Ms.max < 1000, { statuses: short.statuses, to200Ms: short.to200Ms, error: short.error });
  check('the flood is banned and counted', strangers('banned') > INVITES * 0.5 && after.siproom_bans === 1, { banned: strangers('banned'), limited: strangers('rate_limited') });
  check('it gets back less than it sent', attack.received < attack.sent / 20, { sent: attack.sent, received: attack.received });
  check('memory stays', after.siproom_process_resident_bytes - before.siproom_process_resident_bytes < 60e6, (after.siproom_process_resident_bytes - before.siproom_process_resident_bytes) / 1e6 + ' MB');
  check('it does not fill the records', node.records().filter((r) => r.source.startsWith(ATTACKER)).length < 600, node.records().filter((r) => r.source.startsWith(ATTACKER)).length);
  check('connections of one stranger are capped', open <= 50, open);
  const scanned = await scan();
  const late = scanned.answers.filter((t) => /SIP\/2.0 403/.test(t)).map((t) => t.replace(/(Via|From|To|Call-ID|CSeq): [^\r]*/g, '$1'));
  check('a scanner is told one thing, whatever it tries', scanned.statuses.slice(6, 10).every((s) => s === 403) && new Set(late.slice(-8)).size === 1 && scanned.statuses.at(-1) === 403, scanned.statuses.join(' '));
  check('and then nothing', scanned.isSilent && scanned.ratio <= 1, scanned.ratio.toFixed(2));
  const listed = JSON.parse((await verb('bans', 'list', '--json')).out).bans.map((b) => b.address).sort();
  check('siproom bans list', listed.join() === [ATTACKER, SCANNER].join(), listed.join());
  const removed = await verb('bans', 'remove', SCANNER);
  const added = await verb('bans', 'add', '198.51.100.9', '--for', '1h');
  const carrier = await verb('bans', 'add', HOST);
  check('siproom bans remove, add', removed.code === 0 && added.out.includes('3600') && carrier.code === 1 && carrier.err.includes('listed'), removed.err + added.out.trim() + '; ' + carrier.err.trim());
  check('no fault of ours', after.siproom_faults_total === 0, node.log().split('\n').filter((l) => l.includes('error')).slice(0, 3).join(' '));
  attack.close();
  await a.leave();
} catch (error) {
  check('script', false, error.stack);
  console.log(node?.log().slice(-3000));
}
await node?.stop();
await rooms?.stop();
await dispose();
finish();
