// SIPVicious as it is, against the native binary: what a scanner learns of devices, numbers and passwords from an address that no trunk lists, and that
// a carrier's calls beside it do not notice. svwar and svcrack ask from whatever address the kernel gives them, here 127.0.0.1: SIPROOM_HOST is another.
import { dispose } from '@livekit/rtc-node';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, finish, startServer } from './server.mjs';
import { startNode, run, siproom, scratch, root, HOST, SIP } from './node.mjs';

const SCANNER = '127.0.0.1';
const STRANGER = HOST.replace(/\.[0-9]+$/, '.77');
const [host, port] = SIP.split(':');
const control = join(scratch, 'control.sock');
if (host === SCANNER) throw new Error('SIPROOM_HOST must be another loopback address');

/** 150 takes calls of one address, 160 those of who knows a password; nothing else exists. */
function policy() {
  const dir = join(scratch, 'scanned-policy');
  for (const name of ['trunks', 'rules']) mkdirSync(join(dir, name), { recursive: true });
  writeFileSync(join(dir, 'trunks', 'a.json'), JSON.stringify({ sip_trunk_id: 'ST_a', numbers: ['150'], allowed_addresses: [HOST] }));
  writeFileSync(join(dir, 'trunks', 'u.json'), JSON.stringify({ sip_trunk_id: 'ST_u', numbers: ['160'], auth_username: 'sipp', auth_password: 's3cret' }));
  writeFileSync(join(dir, 'rules', 'r.json'), JSON.stringify({ sip_dispatch_rule_id: 'SDR_r', rule: { dispatchRuleIndividual: { roomPrefix: 's-' } }, x: { answer_mode: 'at_once' } }));
  return dir;
}

/** Stopped when it has had time enough: some of them go on asking for ever. */
async function scan(program, args, seconds) {
  const { child, done } = run(program, ['-p', port, ...args, host], { cwd: scratch });
  const patience = setTimeout(() => child.kill('SIGTERM'), seconds * 1000);
  const { out, err } = await done;
  clearTimeout(patience);
  return out + err;
}

const numbers = (text) => Object.fromEntries([...text.matchAll(/^\| (\d+) +\| (\w+)/gm)].map((m) => [m[1], m[2]]));
const calls = (scenario, to, from, at) => run('sipp', [SIP, '-sf', join(root, 'tests/interop/sipp', scenario + '.xml'), '-s', to, '-i', from, '-p', at, '-mp', at + 1000, '-m', '15', '-r', '5',
  '-nostdin', '-timeout', '20s', '-timeout_error'].map(String), { cwd: scratch }).done;

let node, rooms;
const start = (strangers = '') => startNode(`api_key: devkey\napi_secret: secret\nws_url: ${rooms.url}\ncontrol: ${control}\npolicy: { folder: ${policy()} }\n${strangers}\nmax_cpu_utilization: 1`, HOST + ':17980', [], false);
try {
  rooms = await startServer(HOST + ':17880');
  node = await start();
  const [map, register] = await Promise.all([scan('svmap', ['-b', STRANGER], 8), scan('svwar', ['-e', '100-165', '--maximumtime', '1'], 8)]);
  check('svmap learns that something speaks SIP, and not what', map.includes(SIP) && /\| unknown +\|/.test(map) && !/siproom|livekit/i.test(map), map.split('\n').find((l) => l.includes(SIP)));
  check('svwar by REGISTER finds nothing', register.includes('found nothing'), register.trim().split('\n').pop());
  await node.stop();

  node = await start();
  const war = numbers(await scan('svwar', ['-m', 'INVITE', '-e', '125-165', '--maximumtime', '1'], 10));
  check('svwar by INVITE is told the same of numbers that exist and of their neighbours', new Set(['149', '150', '151', '159', '160', '161', '165'].map((n) => war[n])).size === 1, war);
  await node.stop();

  node = await start('strangers: { alike_after: 0 }');
  const strict = await scan('svwar', ['-m', 'INVITE', '--force', '-e', '145-155', '--maximumtime', '1'], 10);
  check('with alike_after: 0 it finds nothing from the first try on', strict.includes('found nothing'), strict.trim().split('\n').pop());
  await node.stop();

  node = await start('strangers: { ban_after: 40 }');
  const guesses = [...Array(70).keys()].map((n) => 'guess' + n);
  writeFileSync(join(scratch, 'passwords'), [...guesses, 's3cret', ...[...Array(400).keys()]].join('\n') + '\n');
  const [crack, listed, known] = await Promise.all([
    scan('svcrack', ['-m', 'INVITE', '-u', 'sipp', '-e', '160', '-d', join(scratch, 'passwords'), '--maximumtime', '2'], 9),
    calls('basic', '150', HOST, 25000), calls('digest', '160', STRANGER, 25010)]);
  await new Promise((r) => setTimeout(r, 500));
  const codes = node.records().filter((r) => r.source.startsWith(SCANNER + ':')).reduce((all, r) => ({ ...all, [r.code]: (all[r.code] ?? 0) + 1 }), {});
  check('svcrack does not find a password that is 71st in its list: its address is locked out', !crack.includes('s3cret') && codes.bad_credentials >= 5 && codes.bad_credentials < 71 && codes.locked_out > 0 && !codes.hangup, codes);
  const bans = JSON.parse((await run(siproom, ['bans', 'list', '--json', '--control', control]).done).out).bans.map((b) => b.address).join();
  check('and then banned, it alone', bans === SCANNER, bans);
  check('a carrier, and a stranger who knows the password, call meanwhile', listed.code === 0 && known.code === 0, [listed.code, known.code, (listed.out + known.out).match(/Failed call[^\n]*/g)]);
  const metrics = await node.metrics();
  check('nothing is left and no fault of ours', metrics.siproom_faults_total === 0 && metrics.siproom_calls_active === 0, { calls: metrics.siproom_calls_active, faults: metrics.siproom_faults_total });
} catch (error) {
  check('script', false, error.stack);
  console.log(node?.log().slice(-3000));
}
await node?.stop();
await rooms?.stop();
await dispose();
finish();
