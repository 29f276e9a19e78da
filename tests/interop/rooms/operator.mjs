// An operator at the native binary: calls listed, shown, hung up, explained; drain by command, undone, by signal, by a second signal. Calls are our own caller's; the control
// socket is the configuration's.
import { join } from 'node:path';
import { statSync } from 'node:fs';
import { check, finish } from './server.mjs';
import { startNode, load, run, siproom, scratch } from './node.mjs';

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const socket = join(scratch, 'control.sock');
const verb = (...args) => run(siproom, [...args, '--control', socket]).done;
const readyz = async (node) => (await fetch(node.http + '/readyz')).status;
const since = (start) => (Date.now() - start) / 1000;

let node = await startNode(`control: ${socket}`);
try {
  check('the socket is its owner\'s alone', (statSync(socket).mode & 0o777) === 0o600);
  const shown = load('demo', ['--hold', 20]);
  await sleep(2000);
  const live = JSON.parse((await verb('calls', 'list', '--live', '--json')).out).live;
  check('siproom calls list --live', live.length === 1 && live[0].state === 'connected' && live[0].talked_seconds > 0.5, live[0]?.call_id);
  const sip = (await verb('calls', 'show', live[0].call_id, '--sip')).out;
  check('siproom calls show --sip: ladder and messages', /INVITE─+▶\n.*100 .*\n.*180 Ringing(.|\n)*200 OK─+\n.*ACK─+▶/.test(sip) && sip.includes('m=audio'));
  const hungUp = await verb('calls', 'hangup', live[0].sip_call_id);
  check('siproom calls hangup', hungUp.code === 0 && hungUp.out.includes(live[0].call_id), (hungUp.out + hungUp.err).trim());
  check('the caller gets a BYE', (await shown).answered === 1);
  const unmatched = await load('nobody', ['--hold', 1]);
  const why = await verb('explain', '--call', JSON.parse((await verb('calls', 'list', '--refused', '--json')).out).ended[0].call_id);
  check('siproom explain --call says refused with status 3', unmatched.statuses?.['404'] === 1 && why.code === 3 && why.out.includes('refused: 404'), why.out.trim().split('\n').pop());

  const trunk = await verb('inbound', 'create', '--name', 'acme', '--numbers', '+15550177');
  const trunkId = trunk.out.match(/SIPTrunkID: (ST_\S+)/)?.[1];
  const rule = await verb('dispatch', 'create', '{"dispatch_rule":{"rule":{"dispatchRuleDirect":{"roomName":"acme"}}}}', '--trunks', trunkId);
  const ruleId = rule.out.match(/SIPDispatchRuleID: (SDR_\S+)/)?.[1];
  const set = await verb('inbound', 'set', trunkId, 'max_calls=10');
  check('siproom inbound and dispatch create, set', !!trunkId && !!ruleId && set.code === 0, trunk.err + rule.err + set.out.trim());
  const would = await verb('explain', '--from', '+1', '--to', '+15550177', '--src', '127.0.0.1');
  check('siproom explain asks the node: the new rule takes the call', would.code === 0 && would.out.includes('joins room acme'), would.err);
  const gone = [await verb('dispatch', 'delete', ruleId), await verb('inbound', 'delete', trunkId)];
  const listed = await verb('inbound', 'list', '--json');
  check('siproom dispatch and inbound delete', gone.every((g) => g.code === 0) && JSON.parse(listed.out).items.length === 0, listed.out.trim());

  const running = load('demo', ['--hold', 30]);
  await sleep(2000);
  const start = Date.now();
  const said = await verb('drain', '--for', '4s');
  check('siproom drain', said.code === 0 && said.out.includes('1 call runs'), (said.out + said.err).trim());
  check('not ready while draining', (await readyz(node)) === 503);
  const refused = await load('demo', ['--hold', 1]);
  check('a new INVITE gets 503', refused.statuses?.['503'] === 1, refused.statuses);
  const ended = await running;
  check('the running call goes on until the deadline', since(start) > 3.5 && since(start) < 6 && ended.answered === 1, since(start).toFixed(1) + ' s');
  const record = node.records().find((r) => r.code === 'drained');
  check('its record says why', record?.status === 200 && record?.ended_by === 'us', record?.sentence);
  const undone = await verb('drain', '--undo');
  check('siproom drain --undo', undone.code === 0 && (await readyz(node)) === 200, (undone.out + undone.err).trim());
  const again = await load('demo', ['--hold', 2]);
  check('calls are taken again', again.answered === 1, again.statuses);
  const reloaded = await verb('reload');
  check('siproom reload', reloaded.code === 0 && reloaded.out.includes('reloaded'), (reloaded.out + reloaded.err).trim());

  const last = load('demo', ['--hold', 5]);
  await sleep(2000);
  node.signal('SIGTERM');
  await sleep(300);
  check('after SIGTERM the node lives on, not ready', (await readyz(node)) === 503);
  const late = await verb('drain', '--undo');
  check('which is not undone', late.code === 1 && late.err.includes('signal'), late.err.trim());
  const finished = await last;
  check('the call ends by itself and was heard', finished.answered === 1 && finished.heardTone === 1, finished.statuses);
  check('then the node ends with 0', (await Promise.race([node.exited, sleep(3000)])) === 0);

  node = await startNode(`control: ${socket}`);
  const cut = load('demo', ['--hold', 60]);
  await sleep(2000);
  node.signal('SIGTERM');
  await sleep(500);
  const second = Date.now();
  node.signal('SIGTERM');
  check('a second signal ends at once, with 0', (await Promise.race([node.exited, sleep(5000)])) === 0 && since(second) < 2.5, since(second).toFixed(1) + ' s');
  check('and the caller gets its BYE', (await cut).answered === 1 && since(second) < 6);
  node = await startNode(`control: ${socket}\ndrain_for: 2s`);
  const short = load('demo', ['--hold', 60]);
  await sleep(2000);
  const term = Date.now();
  node.signal('SIGTERM');
  check('drain_for ends calls and process', (await Promise.race([node.exited, sleep(8000)])) === 0 && since(term) > 1.5, since(term).toFixed(1) + ' s');
  await short;
} catch (error) {
  check('script', false, error.stack);
  console.log(node.log().slice(-2000));
}
await node.stop();

finish();
