// Replays the recorded SIP scenarios (tests/data/livekit-golden/sip-wire: what a stock livekit-sip answered) against siproom.
//   node tests/interop/wire/replay.mjs            plays them; every outcome must be the one in docs/compared-with-livekit-sip.md
//   ... --write                                   puts what was answered into the page; a difference without a reason fails
//   ... --only 2.4,3.01 -v                        some of them, with both ladders
// SIPROOM names the binary (a .dll is run by dotnet).
import { readFileSync, writeFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Scenario, addressMap } from './scenario.mjs';
import { Node, nodeOf, root, scratch } from './nodes.mjs';
import { readLadder, summarise } from './outcome.mjs';
import { special, skipped } from './special.mjs';
import { readPage, writePage, reasonFor } from './page.mjs';

const args = process.argv.slice(2);
const option = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
const only = option('--only')?.split(',');
const isVerbose = args.includes('-v');
const files = ['1-trunks-rules', '2-rejections-transactions', '3-in-call-media', '4-carrier-invites', '5-rfc4475', '6-agent-side'];
const data = join(root, 'tests/data/livekit-golden/sip-wire');
const everything = files.flatMap((file) => readFileSync(join(data, file + '.jsonl'), 'utf8').trim().split('\n').map((line) => JSON.parse(line)));
const wanted = (r) => !only || only.some((prefix) => r.id.startsWith(prefix));
const played = everything.filter((r) => wanted(r) && !skipped(r));

const nodeKeys = [...new Set(everything.map(nodeOf))];
const index = new Map(everything.map((r, n) => [r, n]));
const groups = new Map();
for (const record of played) {
  const key = nodeOf(record);
  if (!groups.has(key)) groups.set(key, []);
  groups.get(key).push(record);
}

/** RFC 4475 has bytes that JSON text cannot hold: the messages come from the RFC's own files. */
function originalBytes(record) {
  const name = /^5\.([^-]+)-/.exec(record.id)?.[1];
  const path = name && join(root, 'tests/data/rfc4475', name + '.dat');
  return path && existsSync(path) ? readFileSync(path).toString('latin1') : undefined;
}

const results = new Map();
async function play(record, node, attempt = 0) {
  const scenario = new Scenario(record, index.get(record), node, { bytes: originalBytes(record), attempt, ...special(record) });
  let error = '';
  try { await scenario.run(); } catch (e) { error = e.stack; }
  const theirs = summarise(readLadder(record.ladder), scenario.sentInRecord());
  const ours = error ? 'script: ' + error.split('\n')[0] : summarise(readLadder(scenario.ladder), scenario.sent);
  results.set(record, { record, theirs, ours, error });
  if (isVerbose) {
    console.log(`== ${record.id} ${record.title}\n   incumbent ${theirs}\n   siproom   ${ours}`);
    for (const e of scenario.ladder) console.log(`   ${String(e.ms).padStart(6)} ${e.leg}${e.dir} ${args.includes('-vv') ? e.raw.replaceAll('\r\n', '\n          ') : e.line}`);
    if (error) console.log(error);
  }
}

async function pool(tasks, width) {
  let next = 0;
  await Promise.all(Array.from({ length: width }, async () => { while (next < tasks.length) await tasks[next++](); }));
}

/** Not what the page says, or without a reason. */
function isSurprising(r) {
  const reason = r.theirs === r.ours ? null : reasonFor(r);
  return Boolean(r.error) || reason === undefined || (page.has(r.record.id) || page.size > 0) && page.get(r.record.id) !== (reason ? r.ours : undefined);
}

const page = readPage();
let again = [];
const start = Date.now();
const nodes = [];
const tasks = [];
for (const [key, records] of groups) {
  const number = nodeKeys.indexOf(key) + 1;
  const maps = new Map(records.map((r) => [r, addressMap(index.get(r), `127.0.26.${number}`)]));
  nodes.push(new Node(key, number, records, maps));
}
try {
  await pool(nodes.map((n) => () => n.start()), 4);
  for (const node of nodes) for (const record of groups.get(node.key)) tasks.push({ record, run: () => play(record, node) });
  // Those that take long go first.
  tasks.sort((a, b) => (special(b.record).seconds ?? 0) - (special(a.record).seconds ?? 0));
  await pool(tasks.map((t) => t.run), Number(option('--parallel') ?? 48));
  // A machine that was too busy for a join in time gets a second chance, alone.
  again = tasks.filter((t) => !t.record.id.startsWith('5.') && !special(t.record).once && isSurprising(results.get(t.record))).slice(0, 40);
  await pool(again.map((t) => () => play(t.record, nodes.find((n) => n.key === nodeOf(t.record)), 1)), 8);
} finally {
  if (isVerbose) for (const n of nodes) console.log(n.log?.slice(-3000));
  await Promise.all(nodes.filter((n) => n.child).map((n) => n.stop()));
  rmSync(scratch, { recursive: true, force: true });
}
const all = [...results.values()].sort((a, b) => index.get(a.record) - index.get(b.record));
const seconds = ((Date.now() - start) / 1000).toFixed(0);

let failures = 0;
const fail = (text) => { failures++; console.log('FAIL wire ' + text); };
for (const r of all) {
  r.reason = r.theirs === r.ours ? null : reasonFor(r);
  if (r.error) fail(`${r.record.id}: ${r.ours}`);
  else if (r.reason === undefined) fail(`${r.record.id}: answers differ and reasons.tsv does not say why\n       incumbent ${r.theirs}\n       siproom   ${r.ours}`);
  else if (!args.includes('--write') && page.get(r.record.id) !== (r.reason ? r.ours : undefined)) {
    fail(`${r.record.id}: not the answer of docs/compared-with-livekit-sip.md\n       page    ${page.get(r.record.id) ?? 'as the incumbent: ' + r.theirs}\n       siproom ${r.ours}`);
  }
}
const alike = all.filter((r) => r.theirs === r.ours).length;
if (args.includes('--write') && !only) writePage(all, everything.filter((r) => skipped(r)).map((r) => ({ record: r, why: skipped(r) })), files);
if (failures === 0) console.log(`ok   wire ${all.length} recorded scenarios replayed in ${seconds} s: ${alike} answered as the incumbent did, ${all.length - alike} otherwise, each with its reason${again.length ? `; ${again.length} played twice` : ''}`);
else console.log(`${all.length} replayed in ${seconds} s, ${alike} alike, ${failures} failed`);
process.exit(failures === 0 ? 0 : 1);
