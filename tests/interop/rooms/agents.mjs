// A stock `@livekit/agents` worker behind one binary: the documentation's rule dispatches it to a SIP caller, both hear each
// other, and a call without a worker says so. The worker stands in ../agents.
import { AgentDispatchClient, RoomServiceClient } from 'livekit-server-sdk';
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { writeFileSync, readFileSync, mkdirSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { check, finish } from './server.mjs';
import { startNode, load, run, scratch, root, siproom, HOST } from './node.mjs';

const socket = join(scratch, 'control.sock');
const RING = 5; // for the call without a worker; the others have 15 s, a cold job process on a busy machine takes some
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
async function until(holds, ms, what) {
  for (const end = Date.now() + ms; Date.now() < end; await sleep(50)) if (await holds()) return;
  throw new Error('no ' + what + ' within ' + ms + ' ms');
}

/** The documentation's trunk and rule, and a rule of ours for a room that many share. */
function policy() {
  const dir = join(scratch, 'policy');
  const put = (path, object) => { mkdirSync(join(dir, path, '..'), { recursive: true }); writeFileSync(join(dir, path), JSON.stringify(object)); };
  put('trunks/agent.json', { trunk: { name: 'inbound', numbers: ['+15550123', '+15550124'], ringing_timeout: '15s' } });
  put('trunks/short.json', { trunk: { name: 'short', numbers: ['+15550125'], ringing_timeout: RING + 's' } });
  put('rules/agent.json', { dispatch_rule: {
    name: 'My dispatch rule', numbers: ['+15550123', '+15550125'], rule: { dispatchRuleIndividual: { roomPrefix: 'call-' } },
    roomConfig: { agents: [{ agentName: 'inbound-agent', metadata: 'job dispatch metadata' }] } } });
  put('rules/lobby.json', { dispatch_rule: {
    name: 'lobby', numbers: ['+15550124'], rule: { dispatchRuleDirect: { roomName: 'lobby' } },
    roomConfig: { agents: [{ agentName: 'inbound-agent', metadata: 'lobby' }] } }, x: { dispatch_agents: 'every_call' } });
  return dir;
}

/** A port of the kernel's choice: the worker takes 0 for its own default, on which another run may listen. */
const freePort = () => new Promise((resolve) => { const s = createServer().listen(0, HOST, () => { const { port } = s.address(); s.close(() => resolve(port)); }); });

async function startWorker(node) {
  const log = join(scratch, 'agent.jsonl');
  const child = spawn(process.execPath, [join(root, 'tests/interop/agents/worker.mjs'), 'start'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, LIVEKIT_URL: node.url, LIVEKIT_API_KEY: 'devkey', LIVEKIT_API_SECRET: 'secret', AGENT_NAME: 'inbound-agent', AGENT_LOG: log, HEALTH_HOST: HOST, HEALTH_PORT: String(await freePort()) },
  });
  let out = '';
  child.stdout.on('data', (t) => { out += t; });
  child.stderr.on('data', (t) => { out += t; });
  const exited = new Promise((r) => child.once('exit', r));
  return {
    out: () => out,
    events: () => (existsSync(log) ? readFileSync(log, 'utf8').trim().split('\n').filter(Boolean).map((l) => JSON.parse(l)) : []),
    stop: async () => { child.kill('SIGTERM'); return exited; },
  };
}

/** One call that the agent answers. */
async function answered(name, number, node, worker, metadata) {
  const before = worker.events().length;
  const report = await load(number, ['--hold', 5, '--answer-within', 15]);
  await until(() => worker.events().slice(before).some((e) => e.e === 'heard'), 5000, 'measurement of the agent').catch(() => {});
  const events = worker.events().slice(before);
  const job = events.find((e) => e.e === 'job') ?? {};
  const heard = events.find((e) => e.e === 'heard') ?? {};
  check(`${name}: the caller hears the agent's 440 Hz`, report.heardTone === 1 && report.longestToneGapMs <= 60 && Math.abs(report.toneLevelDb + 15) < 1.5,
    { gapMs: report.longestToneGapMs, level: report.toneLevelDb, statuses: report.statuses, error: report.error });
  check(`${name}: the agent hears the caller's 1 kHz`, Math.abs(heard.hz - 1000) < 3 && Math.abs(heard.dbfs + 18.06) < 1.5 && heard.gapMs <= 60, heard);
  check(`${name}: the job carries the rule's metadata`, job.metadata === metadata && job.agent === 'inbound-agent', job);
  const line = node.records().at(-1) ?? {};
  check(`${name}: the record`, line.code === 'hangup' && line.room === job.room && /^SDR_/.test(line.rule_id), line.sentence + ', answered after ' + line.answered_ms + ' ms');
  return { job, heard, line };
}

let node, worker;
try {
  node = await startNode(`control: ${socket}`, HOST + ':17980', ['--policy', policy()]);
  worker = await startWorker(node);
  await until(() => node.log().includes("registered for agent 'inbound-agent'"), 20000, 'registration');
  check('the worker registers', true);

  const first = await answered('individual', '+15550123', node, worker, 'job dispatch metadata');
  check('individual: the room is a call- room of its own', /^call-/.test(first.job.room ?? ''), first.job.room);
  check('individual: the agent sees the caller\'s attributes', first.heard.attributes?.['sip.trunkPhoneNumber'] === '+15550123' && /^SCL_/.test(first.heard.attributes?.['sip.callID']), first.heard.attributes);
  const dispatches = await new AgentDispatchClient(node.http, 'devkey', 'secret').listDispatch(first.job.room);
  check('individual: ListDispatch knows the job', dispatches.length === 1 && dispatches[0].state?.jobs[0]?.id === first.job.job, dispatches.map((d) => d.agentName));

  const rooms = new RoomServiceClient(node.http, 'devkey', 'secret');
  await rooms.createRoom({ name: 'lobby' });
  await sleep(1500);
  await answered('every call', '+15550124', node, worker, 'lobby');

  // A worker that is told to stop waits for its jobs, and rooms outlive their callers by 20 s.
  for (const room of [first.job.room, 'lobby']) await rooms.deleteRoom(room);
  await until(() => worker.events().filter((e) => e.e === 'over').length === 2, 10000, 'end of the jobs');
  await worker.stop();
  await until(() => node.log().includes("for agent 'inbound-agent' is gone"), 5000, 'end of the worker');
  const start = Date.now();
  const report = await load('+15550125', ['--hold', 1, '--answer-within', RING + 5]);
  const waited = (Date.now() - start) / 1000;
  check('no worker: the call ends with 480 by the ringing timeout', report.statuses?.['480'] === 1 && Math.abs(waited - RING) < 2, { statuses: report.statuses, waited });
  const line = node.records().at(-1) ?? {};
  const sentence = `rule ${line.rule_id} dispatched agent 'inbound-agent'; no worker took the job in ${RING}.0 s`;
  check('no worker: the record names rule and agent', line.code === 'ring_timeout' && line.status === 480 && line.sentence.startsWith(sentence), line.sentence);
  check('no worker: so does the log', node.log().includes(sentence));
  const told = await run(siproom, ['explain', '--call', line.call_id, '--control', socket]).done;
  check('no worker: so does explain --call', told.out.includes(`ended: 480 (ring_timeout): ${sentence}`), told.out + told.err);
} catch (error) {
  check('script', false, error.stack);
  console.log(node?.log().slice(-2000), worker?.out().slice(-2000));
  await worker?.stop();
}
await node?.stop();
finish();
