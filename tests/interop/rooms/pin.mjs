// PIN, early media, the fallback room and the same caller twice, on the native binary: the caller hears prompts, keys, and gets to the agent.
import { Room, RoomEvent, LocalAudioTrack, TrackPublishOptions, TrackSource, TrackKind, dispose } from '@livekit/rtc-node';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { playTone, record, analyse } from './audio.mjs';
import { token, check, finish } from './server.mjs';
import { startNode, scratch, HOST, SIP } from './node.mjs';
import { Phone } from './phone.mjs';

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const policy = join(scratch, 'policy');

function object(kind, id, body) {
  mkdirSync(join(policy, kind), { recursive: true });
  writeFileSync(join(policy, kind, id + '.json'), JSON.stringify(body));
}

const rule = (id, trunk, room, extra, x) => object('rules', id, {
  sipDispatchRuleId: id, trunkIds: [trunk], rule: { dispatchRuleDirect: { roomName: room, ...extra } }, ...(x ? { x } : {}) });
for (const [n, name] of ['pin', 'early', 'once'].entries()) {
  object('trunks', 'ST_' + name, { sipTrunkId: 'ST_' + name, name, numbers: ['+1555010' + n], allowedAddresses: ['127.0.0.0/8'], headers: { 'X-Node': 'siproom' }, attributesToHeaders: { tier: 'X-Tier' } });
}
rule('SDR_pin', 'ST_pin', 'secret', { pin: '1234' });
rule('SDR_early', 'ST_early', 'early', {}, { answer_mode: 'early_media' });
rule('SDR_once', 'ST_once', 'once', {}, { answer_mode: 'at_once' });

/** An agent made of the stock SDK: publishes 440 Hz after a while, hears callers. */
async function agent(node, name, waitMs = 0) {
  const room = new Room();
  const tracks = [];
  room.on(RoomEvent.TrackSubscribed, (track, publication, who) => track.kind === TrackKind.KIND_AUDIO && tracks.push({ track, who: who.identity }));
  await room.connect(node.url, await token(name, 'agent'), { autoSubscribe: true, dynacast: false });
  const digits = [];
  room.on(RoomEvent.DtmfReceived, (code, digit) => digits.push(digit));
  const tone = playTone(440, 0.1778);
  const publish = async () => room.localParticipant.publishTrack(LocalAudioTrack.createAudioTrack('agent', tone.source), new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE, dtx: false }));
  setTimeout(publish, waitMs);
  return { room, tracks, digits, who: () => [...room.remoteParticipants.values()].map((p) => p.identity), leave: async () => { await tone.stop(); await room.disconnect(); } };
}

const has = (phone, hz, from, to) => analyse(phone.samples(from, to), hz, 8000);

async function rightPin(node) {
  const a = await agent(node, 'secret', 9000);
  const phone = await Phone.call('+15550100');
  check('pin: answered at once, without ringing', (await phone.answered()) === 200 && !phone.statuses.includes(180), phone.statuses);
  await sleep(2500);
  check('pin: the prompt is speech', phone.loud(200, 2400) > 0.5, phone.loud(200, 2400));
  check('pin: nobody is in the room before the PIN', a.who().length === 0, a.who());
  const keyedAt = phone.now();
  await phone.press('1234#');
  check('pin: the call joins the room', await phone.until(() => a.who().includes('sip_+15550999')), a.who());
  await sleep(1000);
  const ringing = has(phone, 425, keyedAt + 1700, keyedAt + 2500);
  check('pin: the prompt stops, ringing is heard', ringing.hz > 415 && ringing.hz < 435 && ringing.found > 0.5, ringing);
  const heard = await phone.until(() => has(phone, 440, phone.now() - 1000, phone.now()).found > 0.95, 12000);
  const down = has(phone, 440, phone.now() - 500, phone.now());
  check('pin: the caller hears the agent', heard && Math.abs(down.dbfs + 18.06) < 1.5, down);
  const up = analyse((await record(a.tracks[0].track, 2)).subarray(24000), 1000);
  check('pin: the agent hears the caller', Math.abs(up.hz - 1000) < 3 && up.found > 0.9, up);
  await phone.press('7');
  await sleep(500);
  check('pin: the PIN does not reach the room, a later key does', a.digits.join('') === '7', a.digits);
  await phone.bye();
  await sleep(1000);
  const line = node.records().at(-1);
  check('pin: the record', line.code === 'hangup' && line.room === 'secret' && line.rule_id === 'SDR_pin' && line.pin_ms > 0 && line.bridged_ms > line.pin_ms, line.sentence);
  await a.leave();
}

async function wrongPin(node) {
  const phone = await Phone.call('+15550100');
  await phone.answered();
  await sleep(500);
  await phone.press('1111#');
  await sleep(600);
  const at = phone.now();
  await sleep(1000);
  check('wrong pin: it is said', phone.loud(at, at + 1000) > 0.4, phone.loud(at, at + 1000));
  await phone.press('2222#');
  await phone.press('99');
  await sleep(6500);
  const ended = await phone.until(() => phone.byeAt, 6000);
  check('wrong pin: the third one ends the call with a reason', ended && /Q\.850;cause=21;text="wrong_pin"/.test(phone.reason), phone.reason);
  await phone.close();
  await sleep(500);
  const line = node.records().at(-1);
  check('wrong pin: the record', line.code === 'wrong_pin' && line.ended_by === 'us' && line.room === undefined, line.sentence);
  const metrics = await node.metrics();
  check('wrong pin: metrics', metrics['siproom_pin_total{result="right"}'] === 1 && metrics['siproom_pin_total{result="wrong"}'] === 3);
  const texts = node.log() + JSON.stringify(node.records());
  check('wrong pin: no digit stands in log or record', !/1111|2222|1234/.test(texts.replaceAll(/call_?id[^ ,]*/gi, '').replaceAll(/"[a-z_]+_(at|ms)":[^,]*/g, '').replaceAll(/127\.0\.\d+\.\d+:\d+/g, '')));
}

async function infoPin(node) {
  const a = await agent(node, 'secret');
  const phone = await Phone.call('+15550100', { from: '+15550998' });
  await phone.answered();
  await phone.inform('1234#');
  check('info pin: keys by INFO lead into the room', await phone.until(() => has(phone, 440, phone.now() - 500, phone.now()).found > 0.9), phone.statuses);
  await phone.bye();
  await a.leave();
}

async function early(node, headers) {
  const reliable = headers.length > 0;
  const name = reliable ? 'early, reliable' : 'early';
  const a = await agent(node, 'early', 3000);
  const phone = await Phone.call('+15550101', { headers });
  await sleep(2500);
  const progress = phone.responses.find((r) => r.status === 183);
  check(`${name}: 183 with SDP, not answered`, progress?.body.includes('m=audio') && !phone.statuses.includes(200) && /require: *100rel/i.test(progress.head) === reliable, phone.statuses);
  const ringing = has(phone, 425, 100, 900);
  check(`${name}: ringing is heard before the answer`, ringing.found > 0.9 && Math.abs(ringing.hz - 425) < 4, ringing);
  check(`${name}: answered when the agent speaks`, (await phone.answered()) === 200);
  check(`${name}: the agent is heard`, await phone.until(() => has(phone, 440, phone.now() - 500, phone.now()).found > 0.9, 3000));
  const ok = phone.responses.find((r) => r.status === 200);
  check(`${name}: the trunk's header is on the 200`, ok?.head.includes('X-Node: siproom'));
  await phone.bye();
  await a.leave();
}

async function twice(node) {
  const a = await agent(node, 'once');
  const first = await Phone.call('+15550102');
  await first.answered();
  const second = await Phone.call('+15550102');
  await second.answered();
  await sleep(1000);
  check('twice: both calls of one number are in the room', JSON.stringify(a.who().sort()) === '["sip_+15550999","sip_+15550999_2"]' && !first.byeAt, a.who());
  await second.bye();
  clearInterval(first.timer);
  await sleep(6000);
  const third = await Phone.call('+15550102');
  await third.answered();
  check('twice: a dead leg is replaced', await first.until(() => first.byeAt, 3000) && a.who().includes('sip_+15550999'), first.reason);
  await sleep(500);
  check('twice: the record says so', node.records().some((r) => r.code === 'replaced'));
  await third.bye();
  await first.close();
  await a.leave();
}

/** A REFER of the phone to a number that asks for a PIN; a policy hook is asked at each step and has the last word about the room. */
async function referred(node) {
  const a = await agent(node, 'vip');
  const phone = await Phone.call('+15550102', { from: '+15550997' });
  await phone.answered();
  questions.length = 0;
  answer = ({ stage }) => (stage === 'pin' ? { verdict: 'join', room: 'vip' } : { verdict: 'local' });
  phone.refer(`sip:+15550100@${SIP}`);
  check('refer: accepted while the hook is asked', await phone.until(() => phone.answers.includes('REFER 202'), 3000), phone.answers);
  const asked = phone.now();
  await sleep(1500);
  check('refer: the PIN is asked outside the room', phone.loud(asked + 300, asked + 1500) > 0.3, phone.loud(asked + 300, asked + 1500));
  await phone.press('1234#');
  check('refer: the hook names another room after the PIN', await phone.until(() => a.who().includes('sip_+15550997') && has(phone, 440, phone.now() - 500, phone.now()).found > 0.9, 8000), a.who());
  check('refer: the hook was asked for target and PIN', JSON.stringify(questions.map((q) => [q.stage, q.local.verdict, q.local.room])) === '[["refer","pin",""],["pin","join","secret"]]'
    && !JSON.stringify(questions).includes('1234'), questions.map((q) => [q.stage, q.local.verdict, q.local.room]));
  const told = phone.requests.filter((r) => r.startsWith('NOTIFY ')).map((r) => r.split('\r\n\r\n')[1].trim());
  check('refer: NOTIFY tells 100 and 200', JSON.stringify(told) === '["SIP/2.0 100 Processing","SIP/2.0 200 OK"]', told);
  answer = () => ({ verdict: 'reject', status: 603 });
  phone.refer(`sip:+15550101@${SIP}`);
  check('refer: a refusal of the hook is told, the call goes on', await phone.until(() => phone.requests.some((r) => r.includes('SIP/2.0 603')), 3000)
    && await phone.until(() => has(phone, 440, phone.now() - 500, phone.now()).found > 0.9, 3000) && !phone.byeAt);
  answer = () => ({ verdict: 'local' });
  await phone.bye();
  await a.leave();
}

const questions = [];
let answer = () => ({ verdict: 'local' });
const hook = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  questions.push(JSON.parse(Buffer.concat(chunks)));
  response.end(JSON.stringify(answer(questions.at(-1))));
});
await new Promise((r) => hook.listen(0, HOST, r));

let node;
try {
  node = await startNode(`policy: { hook: { url: 'http://${HOST}:${hook.address().port}/', timeout: 2s } }`, undefined, ['--policy', policy]);
  await rightPin(node);
  await wrongPin(node);
  await infoPin(node);
  await early(node, []);
  await early(node, ['Supported: 100rel']);
  await twice(node);
  await referred(node);
  check('the node ends with 0', (await node.stop()) === 0);
} catch (error) {
  check('script', false, error.stack);
  console.log(node?.log().slice(-2000));
  await node?.stop();
}
hook.close();
await dispose();
finish();
