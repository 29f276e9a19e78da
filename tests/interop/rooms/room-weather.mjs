// Bad weather between the node and the room server, during calls whose audio has its own way: signalling cut for 3 s, and a WebSocket that falls silent
// without closing. Neither caller may notice, and the signalling must work afterwards.
import { dispose } from '@livekit/rtc-node';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { agent, sleep } from './room-agent.mjs';
import { relay } from './relay.mjs';
import { check, finish, startServer } from './server.mjs';
import { startNode, load, run, siproom, scratch, HOST } from './node.mjs';

const HELD_S = 21;
const control = join(scratch, 'control.sock');

function policy() {
  const dir = join(scratch, 'weather-policy');
  for (const name of ['trunks', 'rules']) mkdirSync(join(dir, name), { recursive: true });
  for (const name of ['cut', 'silent']) {
    writeFileSync(join(dir, 'trunks', name + '.json'), JSON.stringify({ sip_trunk_id: 'ST_' + name, numbers: [name], allowed_addresses: [HOST] }));
    writeFileSync(join(dir, 'rules', name + '.json'), JSON.stringify({ sip_dispatch_rule_id: 'SDR_' + name, trunk_ids: ['ST_' + name], rule: { dispatchRuleDirect: { roomName: name } } }));
  }
  return dir;
}

let node, rooms, way;
try {
  rooms = await startServer(HOST + ':17880');
  way = await relay(HOST + ':17880', HOST);
  node = await startNode(`api_key: devkey\napi_secret: secret\nws_url: ws://${way.address}\ncontrol: ${control}\npolicy: { folder: ${policy()} }\nmax_cpu_utilization: 1`, HOST + ':17980', [], false);
  const agents = await Promise.all(['cut', 'silent'].map((room) => agent({ url: rooms.url }, room)));
  const live = async () => JSON.parse((await run(siproom, ['calls', 'list', '--live', '--json', '--control', control]).done).out || '{}').live?.filter((c) => c.state === 'connected').length ?? 0;
  const call = (to) => load(to, ['--hold', HELD_S, '--hear-hz', 440]);

  const silent = call('silent');
  for (let i = 0; i < 40 && await live() < 1; i++) await sleep(100);
  const noticed = Promise.race([way.holdOld(), sleep(25000)]);
  const cut = call('cut');
  for (let i = 0; i < 40 && await live() < 2; i++) await sleep(100);
  check('two calls are up', await live() === 2, await live());
  way.cut(3000);
  await sleep(3500);
  check('3 s without signalling end no call', await live() === 2 && !node.records().length, await live());
  const noticedMs = await noticed;
  // The room server's ping_timeout is 15 s; a close that nobody answers takes 2 s more.
  check('a WebSocket that falls silent is given up', noticedMs > 9000 && noticedMs < 18500, noticedMs);
  const [a, b] = await Promise.all([silent, cut]);
  await sleep(1000);
  const ends = node.records().map((r) => `${r.room} ${r.code} ${r.ended_by}`).sort();
  check('both end when their callers hang up', ends.join() === 'cut hangup caller,silent hangup caller', ends);
  check('their audio has no hole', [a, b].every((c) => c.answered === 1 && c.heardTone === 1 && c.longestToneGapMs <= 100), [a, b].map((c) => ({ gapMs: c.longestToneGapMs, lost: c.lost, error: c.error })));
  check('both agents were told of the hang-up: signalling came back', agents.every((g) => g.attributes.at(-1) === 'hangup'), agents.map((g) => g.attributes));
  const metrics = await node.metrics();
  check('nothing is left and no fault of ours', metrics.siproom_faults_total === 0 && metrics.siproom_calls_active === 0, { calls: metrics.siproom_calls_active, faults: metrics.siproom_faults_total });
  await Promise.all(agents.map((g) => g.leave()));
} catch (error) {
  check('script', false, error.stack);
  console.log(node?.log().slice(-3000));
}
await node?.stop();
way?.close();
await rooms?.stop();
await dispose();
finish();
