// Bad weather between the node and Redis: slow, dripping, silent without closing. No call may wait for it, the verbs end with an error, and its return is noticed.
import { join } from 'node:path';
import { sleep } from './room-agent.mjs';
import { relay } from './relay.mjs';
import { check, finish } from './server.mjs';
import { startNode, run, siproom, scratch, root, HOST, SIP } from './node.mjs';

const REDIS = HOST + ':16390';
const control = join(scratch, 'control.sock');
const verb = (...args) => run(siproom, [...args, '--control', control]).done;
const redis = run('redis-server', ['--bind', HOST, '--port', '16390', '--save', '', '--dir', scratch]);
const toRedis = (...args) => run('redis-cli', ['-h', HOST, '-p', '16390', ...args]).done.then((r) => r.out.trim());

let at = 25000;
/** Calls with SIPp; what became of them stands in the records. */
async function calls(to, expected, count = 5) {
  const before = node.records().length;
  at += 20;
  const { code } = await run('sipp', [SIP, '-sf', join(root, 'tests/interop/sipp', expected === 200 ? 'basic.xml' : 'refused.xml'), '-s', to, '-i', HOST, '-p', at, '-mp', at + 1000, '-m', count, '-r', '10', '-nostdin',
    '-timeout', '10s', '-timeout_error'].map(String), { cwd: scratch }).done;
  await sleep(300);
  const records = node.records().slice(before);
  const ms = Math.max(...records.map((r) => (expected === 200 ? r.answered_ms : r.ended_ms)));
  return { isRight: code === 0 && records.length === count && records.every((r) => r.status === expected), ms, code, statuses: records.map((r) => r.status).join(' ') };
}

let node, way;
try {
  for (let i = 0; i < 50 && await toRedis('ping') !== 'PONG'; i++) await sleep(100);
  way = await relay(REDIS, HOST);
  node = await startNode(`control: ${control}\nredis: { address: ${way.address} }`);
  const trunk = (await verb('inbound', 'create', '--name', 'w', '--numbers', '+15550301')).out.match(/ST_\S+/)[0];
  const rule = (await verb('dispatch', 'create', JSON.stringify({ dispatch_rule: { rule: { dispatchRuleIndividual: { roomPrefix: 'w-' } } } }), '--trunks', trunk)).out.match(/SDR_\S+/)[0];
  await verb('dispatch', 'set', rule, 'answer_mode=at_once');
  const fair = await calls('+15550301', 200);
  check('calls in fair weather', fair.isRight, fair);

  way.slow(700);
  await sleep(1500);
  const [slow, unknown] = [await calls('+15550301', 200), await calls('+15559999', 404)];
  check('a slow Redis holds up no call; one that would be refused waits for it 300 ms at most', slow.isRight && slow.ms < fair.ms + 500 && unknown.isRight && unknown.ms < 600, { slow, unknown });

  way.slow(0, 20);
  await sleep(500);
  const drip = await calls('+15550301', 200);
  check('nor one that drips', drip.isRight && drip.ms < fair.ms + 500, drip);

  way.flow();
  await sleep(1500);
  way.hold();
  const heldAt = Date.now();
  const [held, refused] = [await calls('+15550301', 200), await calls('+15559999', 404)];
  check('nor one that fell silent without closing', held.isRight && held.ms < fair.ms + 500 && refused.isRight && refused.ms < 600, { held, refused });
  const late = await verb('inbound', 'create', '--name', 'x', '--numbers', '+15550302');
  check('a change ends with an error', late.code === 1 && Date.now() - heldAt < 20000, { code: late.code, said: late.err.trim(), seconds: (Date.now() - heldAt) / 1000 });
  const during = await node.metrics();
  check('the silence is seen', during.siproom_redis_up === 0 && during.siproom_redis_outages_total === 1, { up: during.siproom_redis_up, seconds: (Date.now() - heldAt) / 1000 });

  await toRedis('hdel', 'sip_inbound_trunk', trunk);
  way.flow();
  const flowAt = Date.now();
  while ((await node.metrics()).siproom_redis_up === 0 && Date.now() - flowAt < 10000) await sleep(50);
  check('its return is seen', Date.now() - flowAt < 5000, Date.now() - flowAt);
  await sleep(200);
  const gone = await calls('+15550301', 404, 1);
  check('and with it what changed meanwhile', gone.isRight, gone);
  const metrics = await node.metrics();
  check('nothing is left and no fault of ours', metrics.siproom_faults_total === 0 && metrics.siproom_calls_active === 0, { calls: metrics.siproom_calls_active, faults: metrics.siproom_faults_total });
} catch (error) {
  check('script', false, error.stack);
  console.log(node?.log().slice(-3000));
}
way?.flow();
await node?.stop();
way?.close();
redis.child.kill('SIGTERM');
await redis.done;
finish();
