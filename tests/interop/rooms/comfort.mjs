// A caller without a room, on the native binary: left alone it hears a soft tone until somebody comes, and when the room server goes away a message before the BYE.
import { dispose } from '@livekit/rtc-node';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { analyse } from './audio.mjs';
import { agent, sleep } from './room-agent.mjs';
import { check, finish, startServer } from './server.mjs';
import { startNode, scratch, HOST } from './node.mjs';
import { Phone } from './phone.mjs';

function policy() {
  const dir = join(scratch, 'comfort-policy');
  for (const name of ['trunks', 'rules']) mkdirSync(join(dir, name), { recursive: true });
  writeFileSync(join(dir, 'trunks', 'a.json'), JSON.stringify({ sip_trunk_id: 'ST_a', numbers: ['+15550110'], allowed_addresses: [HOST] }));
  writeFileSync(join(dir, 'rules', 'a.json'), JSON.stringify({ sip_dispatch_rule_id: 'SDR_a', rule: { dispatchRuleDirect: { roomName: 'comfort' } }, x: { when_alone: 'hang_up', alone_seconds: 60 } }));
  return dir;
}

let node, rooms;
try {
  rooms = await startServer(HOST + ':17880');
  node = await startNode(`api_key: devkey\napi_secret: secret\nws_url: ${rooms.url}\npolicy: { folder: ${policy()} }\nmax_cpu_utilization: 1`, HOST + ':17980', [], false);
  const heard = (phone, hz, from, to) => analyse(phone.samples(from, to), hz, 8000);
  const first = await agent({ url: rooms.url }, 'comfort');
  const phone = await Phone.call('+15550110');
  check('the caller hears the agent', (await phone.answered()) === 200 && await phone.until(() => heard(phone, 440, phone.now() - 600, phone.now()).found > 0.95));
  await first.leave();
  const leftAt = phone.now();
  await sleep(4500);
  const [note, rest] = [heard(phone, 660, leftAt + 300, leftAt + 4300), phone.loud(leftAt + 300, leftAt + 4300)];
  check('left alone it hears two notes every four seconds, softly', note.found > 0.1 && note.found < 0.25 && note.dbfs < -22 && rest > 0.25 && rest < 0.45, { ...note, loud: rest });
  const second = await agent({ url: rooms.url }, 'comfort');
  check('and the next agent instead of them', await phone.until(() => heard(phone, 440, phone.now() - 600, phone.now()).found > 0.95));
  await rooms.stop();
  const lostAt = phone.now();
  check('when the room server goes away the BYE comes within 5 s of the news', await phone.until(() => phone.byeAt, 20000) && phone.reason.startsWith('Q.850;cause=41'), { ms: phone.byeAt - lostAt, reason: phone.reason });
  const speech = phone.loud(phone.byeAt - 3700, phone.byeAt - 200);
  check('after a message', speech > 0.5 && heard(phone, 440, phone.byeAt - 3700, phone.byeAt - 200).found < 0.5, speech);
  await sleep(500);
  const record = node.records().at(-1);
  check('the record says so', record.flags.join() === 'hold_tone,told_room_lost' && record.ended_by === 'room', [record.code, record.flags]);
  const metrics = await node.metrics();
  check('metrics', metrics['siproom_comforts_total{what="room_lost"}'] === 1 && metrics['siproom_comforts_total{what="alone"}'] === 1 && metrics.siproom_faults_total === 0);
  await Promise.all([phone.close(), second.leave()]);
} catch (error) {
  check('script', false, error.stack);
  console.log(node?.log().slice(-3000));
}
await node?.stop();
await rooms?.stop();
await dispose();
finish();
