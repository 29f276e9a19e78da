// A running node with a policy hook that is quick, slow, down, silent, or talks nonsense: real INVITEs over UDP, and what they get and when.
import { createServer } from 'node:http';
import { createHmac } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { HOST, startNode, admin, explain, check, finish } from './node.mjs';

const SECRET = 'a secret of the hook';
const policy = {
  'trunks/ST_1.json': { numbers: ['+15550100'] },
  'rules/SDR_1.json': { rule: { dispatchRuleDirect: { roomName: 'lobby' } } },
};
let behave = null;
const seen = [];
const hook = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const wanted = 'sha256=' + createHmac('sha256', SECRET).update(request.headers['x-siproom-timestamp'] + '.').update(body).digest('hex');
  seen.push({ signed: request.headers['x-siproom-signature'] === wanted, question: JSON.parse(body) });
  behave(response);
});
await new Promise((r) => hook.listen(0, HOST, r));
const { port } = hook.address();
const json = (object) => (response) => response.end(JSON.stringify(object));
const node = await startNode({
  policy,
  config: `policy: { hook: { url: "http://${HOST}:${port}/call", secret: "${SECRET}", timeout: 300ms, asks: all, failures: 3, rest: 1s } }`,
});
const [sipHost, sipPort] = node.sip.split(':');
let number = 0;

/** Sends an INVITE, waits for what decides it, and cancels it where it rings. */
async function call({ to = '+15550100', cancelAfter = 0 } = {}) {
  const id = `hook-${++number}-${process.pid}@test`;
  const socket = createSocket('udp4');
  await new Promise((r) => socket.bind(0, HOST, r));
  const own = `${HOST}:${socket.address().port}`;
  const sdp = `v=0\r\no=- 1 1 IN IP4 ${HOST}\r\ns=-\r\nc=IN IP4 ${HOST}\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0\r\n`;
  const message = (method, tag, cseq, body = '') => Buffer.from(`${method} sip:${to}@${node.sip} SIP/2.0\r\nVia: SIP/2.0/UDP ${own};branch=z9hG4bK${number}${cseq};rport\r\nMax-Forwards: 70\r\n`
    + `From: <sip:+15550199@${HOST}>;tag=t${number}\r\nTo: <sip:${to}@${node.sip}>${tag}\r\nCall-ID: ${id}\r\nCSeq: 1 ${method}\r\nContact: <sip:test@${own}>\r\n`
    + `${body ? 'Content-Type: application/sdp\r\n' : ''}Content-Length: ${body.length}\r\n\r\n${body}`);
  const statuses = [];
  const send = (data) => socket.send(data, Number(sipPort), sipHost);
  const began = Date.now();
  let decided = 0;
  await new Promise((resolve) => {
    const timeout = setTimeout(resolve, 5000);
    socket.on('message', (data) => {
      const text = String(data);
      const [, status] = /^SIP\/2\.0 (\d+)/.exec(text) ?? [];
      if (!status || !/CSeq: 1 INVITE/i.test(text)) return;
      if (!statuses.includes(Number(status))) statuses.push(Number(status));
      if (Number(status) > 100 && !decided) decided = Date.now() - began;
      if (Number(status) >= 180 && Number(status) < 200) send(message('CANCEL', '', 1));
      if (Number(status) >= 200) {
        send(message('ACK', /To:[^\r]*?(;tag=[^\r;]*)/i.exec(text)?.[1] ?? '', 1));
        clearTimeout(timeout);
        resolve();
      }
    });
    send(message('INVITE', '', 1, sdp));
    if (cancelAfter) setTimeout(() => send(message('CANCEL', '', 1)), cancelAfter);
  });
  socket.close();
  for (let i = 0; i < 40; i++) {
    const show = await fetch(`${node.url}/node/calls/show?id=${encodeURIComponent(id)}`, { headers: { authorization: 'Bearer ' + admin() } });
    const record = show.ok ? (await show.json()).ended[0] : undefined;
    if (record) return { statuses, decided, record };
    await new Promise((r) => setTimeout(r, 50));
  }
  return { statuses, decided, record: {} };
}
const metric = async (name) => Number(new RegExp(`^${name.replace(/[{}"]/g, '\\$&')} (\\S+)$`, 'm').exec(await (await fetch(node.url + '/metrics')).text())?.[1] ?? NaN);

behave = json({ verdict: 'local' });
await call();   // code and connection are warm afterwards
behave = json({ verdict: 'join', room: 'vip' });
let got = await call();
check('the hook names the room, and the record says so', got.record.room === 'vip' && /^hook answered in \d+ ms: room vip$/.test(got.record.note), got);
check('the caller hears 100, then ringing', got.statuses[0] === 100 && got.statuses.includes(180), got.statuses);
check('questions are signed and carry call and verdict of the rules', seen.at(-1).signed && seen.at(-1).question.local.room === 'lobby' && seen.at(-1).question.call.to === '+15550100', seen.at(-1));
behave = json({ verdict: 'reject', status: 486, reason: 'Busy Here', sentence: 'out of credit' });
got = await call();
check('the hook refuses with its own status', got.statuses.at(-1) === 486 && got.record.code === 'hook_rejected' && got.record.sentence.includes('out of credit'), got);
behave = json({ verdict: 'join', room: 'found' });
got = await call({ to: '+4999' });
check('asks: all lets the hook take what no trunk takes', got.record.room === 'found', got);
behave = json({ verdict: 'reject' });
got = await explain(node, { from: '+15550199', to: '+15550100' });
check('explain asks the hook, and says that there is no call', got.code === 'hook_rejected' && seen.at(-1).question.explain === true, got);
behave = () => { };
got = await call({ cancelAfter: 100 });
check('a caller that hangs up while the hook thinks gets 487 at once', got.statuses.at(-1) === 487 && got.record.code === 'cancelled' && got.decided < 300, got);
got = await call();
check('a silent hook costs its deadline and no more', got.record.room === 'lobby' && got.record.note === 'hook no answer in 300 ms: local answer' && got.decided >= 290 && got.decided < 1500, got);
behave = json({ verdict: 'local' });
await call();
for (const [what, how, note] of [
  ['500', (r) => r.writeHead(500).end(), /^hook answered 500: local answer$/],
  ['a redirect', (r) => r.writeHead(307, { location: `http://${HOST}:${port}/other` }).end(), /^hook answered 307: local answer$/],
]) {
  behave = how;
  got = await call();
  check(`${what} is no answer: the rules decide`, got.record.room === 'lobby' && note.test(got.record.note), got);
}
behave = json({ verdict: 'local' });
await call();
for (const [what, how, note] of [
  ['garbage', (r) => r.end('<html>'), /cannot be understood: the answer is no JSON/],
  ['an answer of 2 MiB', (r) => r.end(JSON.stringify({ verdict: 'join', room: 'x'.repeat(2 << 20) })), /more than 64 KiB/],
  ['a broken connection', (r) => r.socket.destroy(), /^hook down: /],
]) {
  behave = how;
  got = await call();
  check(`${what} is no answer: the rules decide`, got.record.room === 'lobby' && note.test(got.record.note), got);
}
const asked = seen.length;
got = await call();
check('after three failures in a row nobody is asked', seen.length === asked && got.record.note === 'hook left alone, it failed too often: local answer' && await metric('siproom_hook_open') === 1, got);
behave = json({ verdict: 'join', room: 'vip' });
await new Promise((r) => setTimeout(r, 1100));
got = await call();
check('one call probes after the rest, and the hook is back', got.record.room === 'vip' && await metric('siproom_hook_open') === 0, got);
check('metrics count it all', await metric('siproom_hook_questions_total{result="late"}') === 1 && await metric('siproom_hook_questions_total{result="caller_gave_up"}') === 1
  && await metric('siproom_hook_questions_total{result="not_asked_open"}') >= 1 && await metric('siproom_calls_waiting') === 0, await (await fetch(node.url + '/metrics')).text().then((t) => t.match(/^siproom_hook.*$/gm)));
check('the secret is in no log', !node.log().includes(SECRET), '');
await node.stop();
hook.close();
finish();
