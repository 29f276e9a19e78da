// A hundred calls at once into a hundred rooms through the native binary: every call answered and heard, every packet
// accounted for, nothing allocated on the shards while they run, everything given back afterwards.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { check, finish } from './server.mjs';
import { startNode, load, scratch, siproom } from './node.mjs';

const calls = Number(process.env.CALLS ?? 100);
const hold = Number(process.env.HOLD ?? 60);
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const policy = join(scratch, 'policy');
mkdirSync(join(policy, 'trunks'), { recursive: true });
mkdirSync(join(policy, 'rules'), { recursive: true });
writeFileSync(join(policy, 'trunks', 'load.json'), JSON.stringify({ sip_trunk_id: 'ST_load', name: 'load', allowed_addresses: ['127.0.0.0/8'] }));
writeFileSync(join(policy, 'rules', 'load.json'), JSON.stringify({
  sip_dispatch_rule_id: 'SDR_load', name: 'load', trunk_ids: ['ST_load'], rule: { dispatchRuleCallee: { roomPrefix: 'load' } },
  roomConfig: { agents: [{ agentName: 'demo', metadata: process.env.AGENT ?? 'tone opus' }] },
}));

const sum = (metrics, name) => Object.entries(metrics).filter(([key]) => key.startsWith(name)).reduce((a, [, v]) => a + v, 0);
const shard = (metrics, name) => sum(Object.fromEntries(Object.entries(metrics).filter(([k]) => k.includes('world="shard"'))), name);
const fds = (pid) => readdirSync(`/proc/${pid}/fd`).length;

// The stalls that the node told of while the machine was watched.
function stallsOf(log, missed) {
  const [, from, to] = missed.match(/^watched from=(\d+) to=(\d+)$/m) ?? [];
  const gaps = [...missed.matchAll(/^gap core=(\d+) end=(\d+) ms=([\d.]+)$/gm)].map(([, core, end, ms]) => ({ core: Number(core), end: Number(end), ms: Number(ms) }));
  const told = [...log.matchAll(/loop (shard-\d+) was kept from its work for ([\d.]+) ms until (\d+) \(cause: (\w+)/g)]
    .map(([, loop, ms, end, cause]) => ({ loop, ms: Number(ms), end: Number(end), cause }))
    .filter((stall) => stall.end >= Number(from) && stall.end <= Number(to));
  return {
    told: told.length,
    longestMs: Math.max(0, ...told.map((s) => s.ms)),
    worst: told.sort((a, b) => b.ms - a.ms).slice(0, 3).map((s) => `${s.loop} ${s.ms} ms ${s.cause}, the machine ${taken(gaps, s).toFixed(1)} ms of it`),
    machine: missed.match(/^core \d+: .*$/gm),
  };
}

/** What a first-ranked thread missed on one core in the time of a stall, gaps under 1 ms left out. */
function taken(gaps, stall) {
  const within = gaps.filter((g) => g.end >= stall.end - stall.ms - 1 && g.end - g.ms <= stall.end + 1);
  return Math.max(0, ...gaps.map((g) => g.core).filter((core, i, all) => all.indexOf(core) === i).map((core) => within.filter((g) => g.core === core).reduce((sum, g) => sum + g.ms, 0)));
}

/** Seconds that the hypervisor gave to others while we had work, over all cores. */
const stolen = () => Number(readFileSync('/proc/stat', 'utf8').split('\n')[0].split(/ +/)[8]) / 100;

const node = await startNode(`policy: { folder: ${policy} }\n${process.env.CONFIG ?? ''}`);
try {
  const before = fds(node.pid);
  const rampSeconds = calls / 20;
  const running = load('load-{n}', ['--calls', calls, '--rate', 20, '--hold', hold]);
  await sleep((rampSeconds + 3) * 1000);
  const first = await node.metrics();
  const stolenBefore = stolen();
  // Beside it a thread on each core that comes before all others: what it misses, the machine took (a hypervisor, interrupts).
  const machine = spawn(siproom, ['bench', 'machine', '--seconds', String(hold - 6), '--each'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let missed = '';
  machine.stdout.on('data', (d) => { missed += d; });
  await sleep((hold - 6) * 1000);
  const second = await node.metrics();
  const stolenSeconds = stolen() - stolenBefore;
  const report = await running;
  check('every call is answered', report.answered === calls, report.statuses ?? report.error);
  check('every call hears the agent, no gap over 60 ms', report.heardTone === calls && report.longestToneGapMs <= 60,
    { gapMs: report.longestToneGapMs, holes: report.holes, level: report.toneLevelDb, lost: report.lost });
  check('INVITE to 200', true, report.to200Ms);
  const allocated = shard(second, 'siproom_loop_allocated_bytes_total') - shard(first, 'siproom_loop_allocated_bytes_total');
  check('0 bytes allocated on shard threads in the steady state', allocated === 0, allocated + ' bytes');
  const cpu = (shard(second, 'siproom_loop_cpu_seconds_total') - shard(first, 'siproom_loop_cpu_seconds_total')) / (calls * (hold - 6));
  check('shard CPU', true, (cpu * 1000).toFixed(2) + ' ms per call and second');
  await sleep(3000);
  const stalls = stallsOf(node.log(), missed);
  const collected = sum(second, 'siproom_gc_collections_total{generation="0"') - sum(first, 'siproom_gc_collections_total{generation="0"');
  // 5 ms is the aim. Reported, not failed: on a virtual machine the hypervisor alone takes more (docs/decisions/0010).
  check('collections and stalls', true, {
    seconds: hold - 6, gen0: collected, ...stalls, stolenSeconds: Number(stolenSeconds.toFixed(2)), longestSinceStartMs: shard(second, 'siproom_loop_longest_stall_seconds') * 1000,
  });
  const after = await node.metrics();
  const sipIn = sum(after, 'siproom_ended_packets_total{leg="sip",direction="in"');
  const roomOut = sum(after, 'siproom_ended_packets_total{leg="room",direction="out"');
  const verdicts = sum(after, 'siproom_ended_verdicts_total') - sum(after, 'siproom_ended_verdicts_total{verdict="duplicate"');
  check('packets in = packets out', sipIn === roomOut + verdicts && verdicts === 0, { sipIn, roomOut, verdicts });
  check('calls, sockets and ports are back', sum(after, 'siproom_calls_active') === 0 && sum(after, 'siproom_media_sockets') === 0
    && sum(after, 'siproom_rtp_ports_taken') === 0 && sum(after, 'siproom_shard_calls') === 0);
  await sleep(3000);
  check('descriptors are back', fds(node.pid) <= before + 4, `${before} before, ${fds(node.pid)} after`);
  check('no fault of ours', sum(after, 'siproom_faults_total') === 0 && sum(after, 'siproom_calls_broken_total') === 0);
  check('a record for every call', node.records().length === calls, node.records().length);
  check('memory', true, Math.round(sum(second, 'siproom_process_resident_bytes') / 1e6) + ' MB with the room server inside');
} catch (error) {
  check('script', false, error.stack + node.log().slice(-1000));
}
await node.stop();
finish();
