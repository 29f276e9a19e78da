// Two nodes of the native binary on one Redis and one room server, each a process on an address of its own: what one is told the other knows.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createConnection, createServer } from 'node:net';
import { mkdirSync, readFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RoomServiceClient, SipClient } from 'livekit-server-sdk';
import { SIPDispatchRuleInfo } from '@livekit/protocol';
import { check, finish, startServer } from './server.mjs';
import { run, scratch, siproom } from './node.mjs';
import { Phone } from './phone.mjs';

const [HERE, A, B] = ['127.0.43.1', '127.0.43.2', '127.0.43.3'];
const AGENT = { agents: [{ agentName: 'demo', metadata: 'tone pcmu' }] };
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const md5 = (text) => createHash('md5').update(text).digest('hex');
const children = new Set();
process.on('exit', () => { for (const child of children) child.kill('SIGKILL'); });

const freePort = () => new Promise((resolve) => {
  const server = createServer().listen(0, HERE, () => { const { port } = server.address(); server.close(() => resolve(port)); });
});

async function until(what, ms) {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(50)) if (await what()) return true;
  return false;
}

/** redis-server with a file behind it: what it was told outlives it. */
async function startRedis(port, dir) {
  const child = spawn('redis-server', ['--port', port, '--bind', HERE, '--dir', dir, '--save', '', '--appendonly', 'yes', '--appendfsync', 'always', '--logfile', '/dev/null'], { stdio: 'ignore' });
  children.add(child);
  const exited = new Promise((r) => child.once('exit', () => { children.delete(child); r(); }));
  const ask = (...parts) => new Promise((resolve, reject) => {
    const socket = createConnection(port, HERE);
    socket.once('error', reject);
    socket.once('data', (reply) => { socket.destroy(); resolve(reply.toString()); });
    socket.write(Buffer.concat([Buffer.from(`*${parts.length}\r\n`), ...parts.flatMap((p) => [Buffer.from(`$${Buffer.byteLength(p)}\r\n`), Buffer.from(p), Buffer.from('\r\n')])]));
  });
  await until(() => ask('PING').then((r) => r.startsWith('+PONG'), () => false), 5000);
  return { ask, kill: () => { child.kill('SIGKILL'); return exited; } };
}

async function startNode(host, port, url) {
  const name = join(scratch, host);
  const config = `${name}.yaml`;
  writeFileSync(config, `api_key: devkey\napi_secret: secret\nws_url: ${url}\nmax_cpu_utilization: 1\nredis: { address: '${HERE}:${port}' }\ncontrol: ${name}.sock\nrecords: { file: ${name}.jsonl }\ntwilio: { sip_host: sip.example.com }\n`);
  const child = spawn(siproom, ['serve', '--config', config, '--sip', host + ':15060', '--http', host + ':17888', '--rtp', '20000-20200'], { stdio: ['ignore', 'pipe', 'pipe'] });
  children.add(child);
  let log = '';
  child.stderr.on('data', (text) => { log += text; });
  const exited = new Promise((r) => child.once('exit', (code) => { children.delete(child); r(code); }));
  await Promise.race([new Promise((r) => child.stdout.on('data', (text) => String(text).includes('ready') && r())), exited.then((code) => { throw new Error(`${host} ended with ${code}: ${log}`); })]);
  const http = `http://${host}:17888`;
  return {
    at: host + ':15060', config, log: () => log, sip: new SipClient(http, 'devkey', 'secret'),
    stop: () => { child.kill('SIGTERM'); return exited; },
    records: () => (existsSync(name + '.jsonl') ? readFileSync(name + '.jsonl', 'utf8').trim().split('\n').map((l) => JSON.parse(l)) : []),
    metric: async (line) => Number((await (await fetch(http + '/metrics')).text()).split('\n').find((l) => l.startsWith(line + ' '))?.slice(line.length + 1)),
  };
}

const dir = join(scratch, 'redis');
mkdirSync(dir);
const port = await freePort();
let redis = await startRedis(port, dir);
const rooms = await startServer(HERE + ':17880', 17882);
const [a, b] = await Promise.all([startNode(A, port, rooms.url), startNode(B, port, rooms.url)]);
const people = async (room) => (await new RoomServiceClient(rooms.url.replace('ws', 'http'), 'devkey', 'secret').listParticipants(room)).map((p) => p.identity).sort();
const call = (node, to, options = {}) => Phone.call(to, { at: node.at, host: HERE, ...options });
const hears = (phone) => phone.until(() => phone.loud(phone.now() - 500, phone.now()) > 0.9, 6000);

// ---- what one node is told, the other knows ----
const trunk = await a.sip.createSipInboundTrunk('desk', ['+15550100'], { allowed_addresses: [HERE] });
const rule = await a.sip.createSipDispatchRule({ type: 'direct', roomName: 'desk' }, { name: 'desk', trunkIds: [trunk.sipTrunkId], roomConfig: AGENT });
/** A refused call lets Redis be read again, but only one a second, and waits for it 300 ms: at the latest a call a second later knows. */
async function callSoon(node, to, options) {
  const made = Date.now();
  const phone = await call(node, to, options);
  if ((await phone.answered()) === 200) return phone;
  await phone.close();
  await sleep(Math.max(0, 1000 - (Date.now() - made)));
  return call(node, to, options);
}
const first = await callSoon(b, '+15550100', { from: '+15559001' });
check('a trunk and a rule made through one node take a call at the other within a second', (await first.answered()) === 200, first.statuses);
check('its caller hears the agent', await hears(first));

const locked = await a.sip.createSipInboundTrunk('locked', ['+15550101'], { allowed_addresses: [HERE], authUsername: 'user', authPassword: 'pass' });
await a.sip.createSipDispatchRule({ type: 'direct', roomName: 'vault' }, { name: 'vault', trunkIds: [locked.sipTrunkId], roomConfig: AGENT });
const asked = await call(a, '+15550101', { from: '+15559002' });
check('a trunk with a password asks for it', (await asked.answered()) === 407, asked.statuses);
const nonce = asked.responses.at(-1).head.match(/nonce="([^"]+)"/)?.[1];
const uri = `sip:+15550101@${b.at}`;
const response = md5(`${md5('user:LiveKit:pass')}:${nonce}:00000001:c:auth:${md5('INVITE:' + uri)}`);
const login = (n) => [`Proxy-Authorization: Digest username="user", realm="LiveKit", nonce="${nonce}", uri="${uri}", response="${n}", qop=auth, nc=00000001, cnonce="c", algorithm=MD5`];
const proved = await callSoon(b, '+15550101', { from: '+15559002', headers: login(response) });
check('the nonce of one node is taken by the other', (await proved.answered()) === 200, proved.statuses);
await asked.close();
await proved.bye();

// ---- the same caller through both ----
const twin = await call(a, '+15550100', { from: '+15559001' });
await twin.answered();
const met = first.now();
check('the same caller through the other node is answered', await hears(twin), twin.statuses);
check('and the first stays up beside it', await hears(first) && !first.byeAt, first.reason);
const loud = first.heard.filter((h) => h.at > met - 1500 && Math.sqrt(h.samples.reduce((sum, v) => sum + v * v, 0) / 160) > 184).map((h) => h.at);
const quiet = Math.max(...loud.slice(1).map((at, i) => at - loud[i]));
check('its gap is short', quiet < 1500, quiet + ' ms');
const seen = await people('desk');
check('the room has both', ['sip_+15559001', 'sip_+15559001_2'].every((i) => seen.includes(i)), seen);
check('one leg joined again', await a.metric('siproom_room_rejoins_total') + await b.metric('siproom_room_rejoins_total') === 1);

// ---- Redis dies and returns ----
await redis.kill();
check('both nodes say that Redis is away', await until(async () => await a.metric('siproom_redis_up') + await b.metric('siproom_redis_up') === 0, 5000));
check('the calls go on', await hears(first) && await hears(twin) && !first.byeAt && !twin.byeAt);
const late = await call(a, '+15550100', { from: '+15559003' });
check('a new call is taken by what was read last', (await late.answered()) === 200, late.statuses);
const failed = await a.sip.createSipInboundTrunk('late', ['+15550109']).then(() => 'made', (e) => e.code ?? e.message);
check('a change is refused', failed === 'failed_precondition', failed);
const twiml = () => run(siproom, ['twilio', 'twiml', '--number', '+15550101', '--config', lone]).done;
// A configuration whose node does not run: the verb reads Redis itself.
const lone = join(scratch, 'lone.yaml');
writeFileSync(lone, readFileSync(a.config, 'utf8').replace(/^control:.*$/m, `control: ${join(scratch, 'nobody.sock')}`).replace(/^records:.*$/m, ''));
const none = await twiml();
check('twilio twiml without node and Redis says so', none.code === 1 && /no node of this configuration runs, and Redis at .* cannot be read/.test(none.err), none);
redis = await startRedis(port, dir);
check('both find it again', await until(async () => await a.metric('siproom_redis_up') + await b.metric('siproom_redis_up') === 2, 5000));
const printed = await twiml();
check('twilio twiml without a node reads Redis', printed.code === 0 && printed.out.includes('<Sip username="user" password="pass">sip:+15550101@sip.example.com;transport=tcp</Sip>'), printed);
const desk2 = await b.sip.createSipInboundTrunk('second', ['+15550102'], { allowed_addresses: [HERE] });
await b.sip.createSipDispatchRule({ type: 'direct', roomName: 'second' }, { name: 'second', trunkIds: [desk2.sipTrunkId], roomConfig: AGENT });
const again = await callSoon(a, '+15550102', { from: '+15559004' });
check('what is made then through the second node takes a call at the first', (await again.answered()) === 200, again.statuses);

// ---- a conflict that somebody else wrote ----
const double = new SIPDispatchRuleInfo({ sipDispatchRuleId: 'SDR_zz', name: 'double', trunkIds: [trunk.sipTrunkId], rule: { rule: { case: 'dispatchRuleDirect', value: { roomName: 'elsewhere' } } } });
await redis.ask('HSET', 'sip_dispatch_rule', 'SDR_zz', Buffer.from(double.toBinary()));
const aside = 'siproom_policy_quarantined{why="conflict"}';
check('both set the later of two equal rules aside', await until(async () => await a.metric(aside) > 0 && await b.metric(aside) > 0, 4000));
check('and name both', [a, b].every((n) => n.log().includes('SDR_zz') && n.log().includes(rule.sipDispatchRuleId)));
const fourth = await Promise.all([call(a, '+15550100', { from: '+15559005' }), call(b, '+15550100', { from: '+15559006' })]);
check('the first rule still takes calls on both', (await Promise.all(fourth.map((p) => p.answered()))).every((s) => s === 200) && (await people('desk')).includes('sip_+15559006'));

for (const phone of [first, twin, late, again, ...fourth]) await phone.bye();
await sleep(300);
const put = [...a.records(), ...b.records()].filter((r) => r.flags?.includes('identity_taken'));
check('the record of the leg that joined again says so', put.length === 1 && put[0].identity === 'sip_+15559001_2' && put[0].code === 'hangup', put.map((r) => [r.identity, r.code, r.flags]));
check('both nodes stop', (await Promise.all([a.stop(), b.stop()])).every((code) => code === 0));
await rooms.stop();
await redis.kill();
finish();
