// SIPp through every flow that a carrier or a PBX may take, against the native binary: each is one file of tests/interop/sipp and one process of SIPp, all at once.
// `node flows.mjs refresh` instead: calls of 95 s with sessions of 90 s that one side refreshes, or does not.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { check, finish } from './server.mjs';
import { startNode, run, siproom, toneFiles, scratch, root, HOST, SIP } from './node.mjs';

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const only = process.env.ONLY?.split(',');
const control = join(scratch, 'control.sock');
const verb = async (...args) => { const { code, out, err } = await run(siproom, [...args, '--control', control]).done; return { code, out, err }; };

/** Name → what differs from one UDP call to the echo. `meanwhile` runs beside SIPp and is told the Call-ID. */
const refresh = process.argv[2] === 'refresh';
const flows = refresh ? { 'refresh-update': { patience: 120 }, 'refresh-invite': { patience: 120 }, 'refresh-lapsed': { patience: 120 } } : {
  basic: {}, 'basic over tcp': { file: 'basic', args: ['-t', 't1'] }, 'callee-bye': { meanwhile: hangUp }, cancel: { to: 'room-empty' }, hold: {}, 'codec-change': {},
  offerless: {}, 'offerless-reinvite': {}, prack: { to: 'room-prack' }, 'prack over tcp': { file: 'prack', to: 'room-prack-tcp', args: ['-t', 't1'] }, 'prack-early-media': { to: '+15550208' }, 'prack-answer': { to: '+15550208' }, 'prack-offer': { to: '+15550208' }, update: {}, 'update-early': { to: 'room-update' }, 'timer-uac': {}, 'timer-422': {}, digest: { to: '+15550207' },
  'record-route': { meanwhile: hangUp }, 'strict-route': { meanwhile: hangUp }, t38: { play: true }, g729: {}, info: {}, options: {}, methods: {}, require: {}, 'wrong-tag': {},
  loss: { args: ['-m', '20', '-r', '10'], patience: 40 },
};

/** The room side ends the call. */
async function hangUp(callId, isOver) {
  while (!isOver()) {
    const { live = [] } = JSON.parse((await verb('calls', 'list', '--live', '--json')).out || '{}');
    if (live.some((c) => c.sip_call_id === callId && c.state === 'connected')) return verb('calls', 'hangup', callId);
    await sleep(200);
  }
}

/** A trunk and a rule for one number; the agent of --dev echoes. */
async function number(digits, trunkFlags, answerMode) {
  const trunk = (await verb('inbound', 'create', '--name', 'n' + digits, '--numbers', digits, ...trunkFlags)).out.match(/ST_\S+/)[0];
  const rule = JSON.stringify({ dispatch_rule: { rule: { dispatchRuleIndividual: { roomPrefix: 'flow-' } }, room_config: { agents: [{ agent_name: 'demo', metadata: 'echo' }] } } });
  await verb('dispatch', 'set', (await verb('dispatch', 'create', rule, '--trunks', trunk)).out.match(/SDR_\S+/)[0], 'answer_mode=' + answerMode);
}

let started = 0;
async function flow(name, { file = name, to = 'echo', args = [], meanwhile, play, patience = 20 }) {
  let path = join(root, 'tests/interop/sipp', file + '.xml');
  if (play) {
    // SIPp takes no keywords in what it plays.
    const text = readFileSync(path, 'utf8').replaceAll('@PLAY@', `rtp_stream="${toneFiles(1000).ulaw},-1,0"`);
    writeFileSync(path = join(scratch, file + '.xml'), text);
  }
  const at = started++;
  const id = `flow-${name.replaceAll(' ', '-')}`;
  const sipp = run('sipp', [SIP, '-sf', path, '-s', to, '-i', HOST, '-p', 25000 + at * 2, '-mp', 26000 + at * 40, '-m', '1', '-cid_str', `${id}-%u@${HOST}`, '-nostdin', '-timeout', patience + 's', '-timeout_error',
    '-trace_err', '-error_file', join(scratch, id + '.err'), ...args].map(String), { cwd: scratch });
  const [{ code, out }] = await Promise.all([sipp.done, meanwhile?.(`${id}-1@${HOST}`, () => sipp.child.exitCode !== null)]);
  let why = '';
  if (code !== 0) { try { why = readFileSync(join(scratch, id + '.err'), 'utf8').slice(0, 1500); } catch { why = out.slice(-800); } }
  check(`sipp ${name}`, code === 0, why);
}

let node;
try {
  // SIPp is silent in calls that nobody refreshes by speaking.
  node = await startNode(`control: ${control}\nmedia_timeout_initial: 5m`);
  const wanted = Object.entries(flows).filter(([name]) => !only || only.includes(name));
  const start = Date.now();
  const atOnce = (some) => Promise.all(some.map(async ([name, options], i) => { await sleep(i * 150); await flow(name, options); }));
  await atOnce(wanted.filter(([, options]) => !options.to?.startsWith('+')));
  if (wanted.some(([, options]) => options.to?.startsWith('+'))) {
    // A trunk ends the policy of --dev: the flows that need one come last.
    await number('+15550207', ['--auth-user', 'sipp', '--auth-pass', 's3cret'], 'at_once');
    await number('+15550208', [], 'early_media');
    await atOnce(wanted.filter(([, options]) => options.to?.startsWith('+')));
  }
  await sleep(1000);
  const records = node.records();
  const of = (name) => records.filter((r) => new RegExp(`^flow-${name}-[0-9]+@`).test(r.sip_call_id));
  if (refresh) {
    const lasted = (name) => of(name)[0]?.ended_ms / 1000;
    check('refreshed calls last until the caller ends them', lasted('refresh-update') > 90 && lasted('refresh-invite') > 90 && of('refresh-update')[0].ended_by === 'caller', [lasted('refresh-update'), lasted('refresh-invite')]);
    check('a session that lapses is ended by us, before its end', lasted('refresh-lapsed') > 50 && lasted('refresh-lapsed') < 90 && of('refresh-lapsed')[0].ended_by === 'us', of('refresh-lapsed')[0]);
  } else if (!only) {
    check('every flow has one record an attempt', wanted.length === Object.keys(flows).length && of('loss').length === 20 && of('basic').length === 1 && of('hold').length === 1, { loss: of('loss').length, basic: of('basic').length, hold: of('hold').length });
    const fax = of('t38')[0];
    check('t38: the audio goes on after the 488, both ways', fax?.media?.sip_packets_in > 150 && fax?.media?.sip_packets_out > 150, fax?.media);
    check('cancel: the record says who ended it', of('cancel')[0]?.ended_by === 'caller' && of('cancel')[0]?.status === 487, of('cancel')[0]?.code);
  }
  const metrics = await node.metrics();
  check('nothing is left and no fault of ours', metrics.siproom_faults_total === 0 && metrics.siproom_calls_active === 0, { seconds: (Date.now() - start) / 1000, calls: metrics.siproom_calls_active, faults: metrics.siproom_faults_total });
} catch (error) {
  check('script', false, error.stack);
  console.log(node?.log().slice(-3000));
}
await node?.stop();
finish();
