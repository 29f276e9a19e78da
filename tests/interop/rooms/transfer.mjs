// Transfers on the native binary: the official server SDK asks, our own phone is the carrier, the agent is @livekit/rtc-node.
import { dispose } from '@livekit/rtc-node';
import { SipClient } from 'livekit-server-sdk';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { analyse, record } from './audio.mjs';
import { agent, sleep } from './room-agent.mjs';
import { check, finish } from './server.mjs';
import { startNode, run, siproom, scratch } from './node.mjs';
import { Phone } from './phone.mjs';

const policy = join(scratch, 'policy');
const socket = join(scratch, 'control.sock');
function object(kind, id, body) {
  mkdirSync(join(policy, kind), { recursive: true });
  writeFileSync(join(policy, kind, id + '.json'), JSON.stringify(body));
}
object('trunks', 'ST_t', { sipTrunkId: 'ST_t', name: 'carrier', numbers: ['+15550100'], allowedAddresses: ['127.0.0.0/8'], attributesToHeaders: { 'sip.callID': 'X-Call' } });
object('trunks', 'ST_d', { sipTrunkId: 'ST_d', name: 'digest', numbers: ['+15550101'], allowedAddresses: ['127.0.0.0/8'], authUsername: 'user', authPassword: 'pass' });
object('trunks', 'ST_s', { sipTrunkId: 'ST_s', name: 'sales', numbers: ['+15550102'], allowedAddresses: ['127.0.0.0/8'] });
object('rules', 'SDR_s', { sipDispatchRuleId: 'SDR_s', trunkIds: ['ST_s'], rule: { dispatchRuleDirect: { roomName: 'sales' } } });
object('rules', 'SDR_t', { sipDispatchRuleId: 'SDR_t', trunkIds: ['ST_t', 'ST_d'], rule: { dispatchRuleDirect: { roomName: 'desk' } } });

const md5 = (text) => createHash('md5').update(text).digest('hex');
const hears = (phone, hz) => phone.until(() => analyse(phone.samples(phone.now() - 500, phone.now()), hz, 8000).found > 0.9, 6000);
let node, client, from = 100;

/** A call that hears its agent. */
async function connected(to = '+15550100', options = {}) {
  const a = await agent(node, 'desk');
  const phone = await Phone.call(to, { from: '+15559' + ++from, ...options });
  await phone.answered();
  return { a, phone, identity: 'sip_' + phone.from };
}

const transfer = (identity, to, options) => client.transferSipParticipant('desk', identity, to, options).then(() => ({ ok: true }), (e) => ({ ok: false, status: e.status, code: e.code, message: e.message, meta: e.metadata }));

async function succeeds() {
  const { a, phone, identity } = await connected();
  check('the caller hears the agent', await hears(phone, 440));
  let told = 0;
  phone.replies.REFER = () => {
    setTimeout(() => phone.notify('100 Trying'), 50);
    setTimeout(() => phone.notify('180 Ringing'), 100);
    setTimeout(() => { told = phone.now(); phone.notify('200 OK', 'terminated;reason=noresource'); }, 2500);
    return '202 Accepted';
  };
  const asked = transfer(identity, 'tel:+15550300', { playDialtone: true, headers: { 'X-Ref': '1' } });
  check('the caller hears ringing while it is under way', await hears(phone, 425));
  const got = await asked;
  const refer = phone.requests.find((r) => r.startsWith('REFER '));
  check('transferSipParticipant succeeds after the NOTIFY', got.ok && phone.now() >= told && told > 0, got);
  check('the REFER carries target, header and mapped attribute', /^Refer-To: <tel:\+15550300>\r?$/m.test(refer) && /^X-Ref: 1\r?$/m.test(refer) && /^X-Call: SCL_/m.test(refer));
  const ended = await phone.until(() => phone.byeAt, 3000);
  check('our BYE comes a second later', ended && phone.byeAt - told > 900 && phone.byeAt - told < 1600, phone.byeAt - told + ' ms');
  await sleep(600);
  check('sip.callStatus ends with hangup', a.attributes.at(-1) === 'hangup', a.attributes);
  const record = node.records().at(-1);
  check('the record names the transfer', record.code === 'transferred' && record.transfers?.[0].result === 'completed' && record.transfers[0].to === 'tel:+15550300', record.transfers);
  const shown = (await run(siproom, ['calls', 'show', record.call_id, '--control', socket]).done).out;
  check('calls show names it too', /transfers\.1\.id +STR_/.test(shown) && /transfers\.1\.result +completed/.test(shown), shown.match(/transfers.*/g));
  await phone.close();
  await a.leave();
}

/** livekit/sip's methods, called by an agent of the stock SDK. */
async function methods() {
  const { a, phone, identity } = await connected('+15550100', { headers: ['X-Order: 17'] });
  const rpc = (method, payload) => a.room.localParticipant.performRpc({ destinationIdentity: identity, method, payload: JSON.stringify(payload), responseTimeout: 3000 })
    .then((text) => JSON.parse(text), (e) => ({ code: e.code, message: e.message }));
  const told = await rpc('lk.sip.GetRemoteHeaders', { include: ['x-order', 'from', 'via'] });
  check('an agent reads the INVITE\'s headers (lk.sip.GetRemoteHeaders)', told.headers?.['X-Order'] === '17' && told.headers.From?.includes(phone.from) && !told.headers.Via, told);
  const unknown = await rpc('lk.sip.Nothing', {});
  check('a method that there is not', unknown.code === 1400, unknown);
  const ended = await rpc('lk.sip.EndCall', { headers: { 'X-End': 'by-agent' } });
  check('an agent hangs up (lk.sip.EndCall)', JSON.stringify(ended) === '{}' && await phone.until(() => phone.byeAt, 2000), ended);
  check('the BYE carries its header', /^X-End: by-agent\r?$/m.test(phone.requests.find((r) => r.startsWith('BYE ')) ?? ''));
  await phone.close();
  await a.leave();
}

async function fails() {
  const { a, phone, identity } = await connected();
  phone.replies.REFER = () => { setTimeout(() => phone.notify('486 Busy Here', 'terminated'), 700); return '202 Accepted'; };
  const busy = await transfer(identity, 'sip:desk@example.com', { playDialtone: true });
  check('a busy target: 429 with the SIP status', busy.status === 429 && busy.code === 'resource_exhausted' && busy.meta?.sip_status_code === '486', busy);
  check('the caller hears the agent again', await hears(phone, 440));
  phone.replies.REFER = () => '603 Decline';
  const declined = await transfer(identity, 'sip:desk@example.com');
  check('a REFER that is refused: 403', declined.status === 403 && declined.meta?.sip_status === 'Decline', declined);
  phone.replies.REFER = () => '202 Accepted';
  const start = Date.now();
  const silent = await transfer(identity, 'sip:desk@example.com', { ringingTimeout: 2 });
  check('no NOTIFY: 408 after the ringing timeout', silent.status === 408 && silent.code === 'deadline_exceeded' && Date.now() - start < 3500, silent);
  const nobody = await transfer('nobody', 'tel:+1');
  check('nobody: 404', nobody.status === 404 && nobody.message.endsWith('participant does not exist'), nobody);
  check('the call goes on after all that', await hears(phone, 440) && !phone.byeAt);
  phone.replies.REFER = () => { setTimeout(() => phone.bye(), 300); return '202 Accepted'; };
  check('a BYE instead of a result is a success', (await transfer(identity, 'tel:+15550300')).ok);
  await sleep(500);
  check('the record has all four', node.records().at(-1).transfers?.map((t) => t.result).join() === 'failed,refused,timed_out,call_ended', node.records().at(-1).transfers);
  await a.leave();
}

/** The trunk's own credentials answer the carrier's challenge to our REFER and BYE. */
async function challenged() {
  const first = await Phone.call('+15550101', { from: '+15559' + ++from });
  await first.answered();
  const [, realm, nonce] = first.responses.at(-1).head.match(/Proxy-Authenticate: Digest realm="([^"]+)", nonce="([^"]+)"/);
  const uri = 'sip:+15550101@example.com';
  const response = md5(`${md5(`user:${realm}:pass`)}:${nonce}:00000001:c:auth:${md5(`INVITE:${uri}`)}`);
  const again = `Proxy-Authorization: Digest username="user",realm="${realm}",nonce="${nonce}",uri="${uri}",response="${response}",qop=auth,nc=00000001,cnonce="c"`;
  await first.close();
  const { a, phone, identity } = await connected('+15550101', { headers: [again] });
  const ask = (method) => (head, field) => {
    const [, target] = head.split(' ');
    const given = field('proxy-authorization').match(/cnonce="([^"]+)"/)?.[1];
    const right = given && md5(`${md5('user:carrier:pass')}:${method}:00000001:${given}:auth:${md5(`${method}:${target}`)}`);
    if (!right || !head.includes(`response="${right}"`)) return `407 Proxy Authentication Required\r\nProxy-Authenticate: Digest realm="carrier", nonce="${method}", qop="auth"`;
    if (method === 'REFER') setTimeout(() => phone.notify('200 OK', 'terminated'), 100);
    return method === 'REFER' ? '202 Accepted' : '200 OK';
  };
  phone.replies = { REFER: ask('REFER'), BYE: ask('BYE') };
  check('a challenged REFER succeeds with the trunk\'s credentials', (await transfer(identity, 'tel:+15550300')).ok && phone.requests.filter((r) => r.startsWith('REFER ')).length === 2);
  check('a challenged BYE too', await phone.until(() => phone.requests.filter((r) => r.startsWith('BYE ')).length === 2, 4000));
  const sip = (await run(siproom, ['calls', 'show', phone.callId, '--sip', '--control', socket]).done).out;
  check('their sums are masked where messages are shown', (sip.match(/response="\*+"/g) ?? []).length === 3 && !/response="[0-9a-f]/.test(sip));
  await phone.close();
  await a.leave();
}

/** The caller's own REFER: a number that the policy sends to another room moves the call there. */
async function moved() {
  const sales = await agent(node, 'sales', 700);
  const { a, phone } = await connected();
  check('moved: the caller hears the first agent', await hears(phone, 440));
  phone.refer('sip:+15559998@example.com');
  check('moved: a target that no trunk takes is refused', await phone.until(() => phone.answers.includes('REFER 404')) && await hears(phone, 440), phone.answers);
  phone.refer('sip:+15550102@example.com');
  check('moved: the caller hears the other room', await hears(phone, 700), phone.answers);
  const told = phone.requests.filter((r) => r.startsWith('NOTIFY ')).map((r) => r.trim().split('\r\n').at(-1));
  check('moved: NOTIFY tells 100 and 200', phone.answers.includes('REFER 202') && told.join() === 'SIP/2.0 100 Processing,SIP/2.0 200 OK', told);
  check('moved: the first room is left, the second heard', a.room.remoteParticipants.size === 0 && [...sales.room.remoteParticipants.values()].some((p) => p.identity === 'sip_' + phone.from));
  const up = analyse((await record((await sales.heard)[0], 2)).subarray(24000), 1000);
  check('moved: the second room hears the caller', Math.abs(up.hz - 1000) < 3 && up.found > 0.9, up);
  await phone.bye();
  await sleep(600);
  const line = node.records().at(-1);
  check('moved: the record', line.code === 'hangup' && line.room === 'sales' && line.transfers?.map((t) => `${t.by} ${t.result} ${t.status}`).join() === 'caller refused 404,caller moved 200', line.transfers);
  await a.leave();
  await sales.leave();
}

/** Another phone takes the call over: the end of an attended transfer. */
async function replaced() {
  const { a, phone } = await connected();
  check('replaces: the first phone hears the agent', await hears(phone, 440));
  const names = `Replaces: ${phone.callId};to-tag=${phone.toTag};from-tag=${phone.tag}`;
  const second = await Phone.call('', { from: '+15558000', headers: ['Require: replaces', names] });
  check('replaces: the second is answered and hears the agent', (await second.answered()) === 200 && await hears(second, 440), second.statuses);
  check('replaces: the first gets a BYE', await phone.until(() => phone.byeAt, 2000));
  await phone.close();
  await sleep(500);
  const up = analyse((await record((await a.heard)[0], 2)).subarray(24000), 1000);
  check('replaces: the agent hears the second, in the same participant', Math.abs(up.hz - 1000) < 3 && up.found > 0.9 && a.room.remoteParticipants.size === 1, up);
  const again = await Phone.call('', { from: '+15558001', headers: [names] });
  check('replaces: a dialog that is over is no dialog', (await again.answered()) === 481, again.statuses);
  await again.close();
  await second.bye();
  await sleep(600);
  const line = node.records().filter((r) => r.call_id === phone.toTag).at(-1);
  check('replaces: one record', line?.code === 'hangup' && line.transfers?.[0].by === 'replaces' && line.transfers[0].to === second.callId, line?.transfers);
  await a.leave();
}

try {
  node = await startNode(`control: ${socket}`, undefined, ['--policy', policy]);
  client = new SipClient(node.http, 'devkey', 'secret', { failover: false });
  await succeeds();
  await methods();
  await fails();
  await challenged();
  await moved();
  await replaced();
  const metrics = await node.metrics();
  check('metrics', metrics['siproom_transfers_total{result="completed"}'] === 2 && metrics['siproom_transfers_total{result="failed"}'] === 1);
  check('the node ends with 0', (await node.stop()) === 0);
} catch (error) {
  check('script', false, error.stack);
  console.log(node?.log().slice(-2000));
  await node?.stop();
}
await dispose();
finish();
