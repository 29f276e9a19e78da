// Real calls through the native binary: SIPp, baresip and our own caller on the SIP side, @livekit/rtc-node in the room.
// Audio is judged by frequency, level and the longest run without the tone.
import { dispose } from '@livekit/rtc-node';
import { writeFileSync, readFileSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { record, analyse } from './audio.mjs';
import { agent, good, sleep } from './room-agent.mjs';
import { check, finish } from './server.mjs';
import { startNode, load, run, toneFiles, tonePcap, readWav, scratch, root, SIP } from './node.mjs';

const seconds = Number(process.env.SECONDS_OF_TONE ?? 20);
const only = process.env.ONLY;
async function ownCaller(node, name, args, expectedCodec) {
  const a = await agent(node, name);
  const calling = load('room-' + name, ['--hold', seconds + 3, '--dtmf', '12#', ...args]);
  const [track] = await a.heard;
  const samples = await record(track, seconds + 1);
  await a.room.localParticipant.publishDtmf(5, '5').catch(() => {});
  const report = await calling;
  const up = analyse(samples.subarray(48000), 1000);
  check(`${name}: the room hears the caller's 1 kHz`, good(up, 1000, -18.06), up);
  check(`${name}: the caller hears the agent's 440 Hz`, report.heardTone === 1 && report.longestToneGapMs <= 60 && Math.abs(report.toneLevelDb + 15) < 1.5 && report.lost === 0,
    { gapMs: report.longestToneGapMs, level: report.toneLevelDb, lost: report.lost, holes: report.holes, error: report.error });
  check(`${name}: the caller's digits arrive`, a.digits.join('') === '12#', a.digits);
  check(`${name}: the agent's digit arrives`, report.digits === '5', report.digits);
  await sleep(1500);
  check(`${name}: sip.callStatus`, a.attributes.includes('active') && a.attributes.at(-1) === 'hangup', a.attributes);
  const line = node.records().at(-1) ?? {};
  check(`${name}: the record`, line.code === 'hangup' && JSON.stringify(line).toLowerCase().includes(expectedCodec), line.sentence);
  await a.leave();
}

async function sipp(node, codec, pt, file, transport = 'u1') {
  const isPcap = file.endsWith('.pcap');
  const name = 'sipp-' + codec.toLowerCase() + (transport === 't1' ? '-tcp' : '') + (isPcap ? '-pcap' : '');
  const a = await agent(node, name);
  const scenario = join(scratch, name + '.xml');
  writeFileSync(scenario, readFileSync(join(root, 'tests/interop/sipp/uac-rtp.xml'), 'utf8').replaceAll('@PLAY@', isPcap ? `play_pcap_audio="${file}"` : `rtp_stream="${file},-1,${pt}"`).replaceAll('@PORT@', isPcap ? '[media_port]' : '[rtpstream_audio_port]')
    .replaceAll('@PT@', pt)
    .replaceAll('@CODEC@', codec).replaceAll('@HOLD@', (seconds + 4) * 1000));
  // SIPp plays a capture through a raw socket: root's right.
  const [command, ...sudo] = isPcap && process.getuid() !== 0 ? ['sudo', '-n', 'sipp'] : ['sipp'];
  const call = run(command, [...sudo, '-sf', scenario, '-s', 'room-' + name, SIP, '-i', '127.0.0.1', '-m', '1', '-mp', '23000', '-nostdin', '-timeout', '60s', '-t', transport], { cwd: scratch });
  const [track] = await a.heard;
  const samples = await record(track, seconds + 1);
  const result = await call.done;
  const up = analyse(samples.subarray(48000), 1000);
  check(`${name}: SIPp's call succeeds`, result.code === 0, result.err.split('\n').slice(-3).join(' '));
  check(`${name}: the room hears 1 kHz`, good(up, 1000, -18.06), up);
  await a.leave();
}

async function baresip(node) {
  const name = 'baresip';
  const dir = join(scratch, 'baresip');
  mkdirSync(dir, { recursive: true });
  const wav = toneFiles(1000, seconds + 10).wav;
  writeFileSync(join(dir, 'accounts'), '<sip:+15550111@127.0.0.1>;regint=0;audio_codecs=PCMU\n');
  writeFileSync(join(dir, 'contacts'), '');
  writeFileSync(join(dir, 'config'), ['poll_method epoll', 'sip_listen 127.0.0.1:15099', 'rtp_ports 23100-23200', 'audio_player aubridge,sink', 'snd_path ' + dir,
    'audio_source aufile,' + wav, 'audio_alert aufile,/dev/null', 'ausrc_srate 8000', 'auplay_srate 8000', 'module_path /usr/lib/baresip/modules',
    'module account.so', 'module g711.so', 'module aufile.so', 'module aubridge.so', 'module sndfile.so', 'module uuid.so', 'module_app menu.so', ''].join('\n'));
  const a = await agent(node, name);
  const call = run('baresip', ['-f', dir, '-e', `/dial sip:room-${name}@${SIP}`, '-t', String(seconds + 6)]);
  const [track] = await a.heard;
  const samples = await record(track, seconds + 1);
  const result = await call.done;
  const up = analyse(samples.subarray(48000), 1000);
  check(`${name}: the room hears 1 kHz`, good(up, 1000, -18.06), up);
  const dump = readdirSync(dir).find((f) => f.endsWith('-dec.wav'));
  if (dump) {
    const { samples: down, rate } = readWav(join(dir, dump));
    const heard = analyse(down.subarray(rate * 2, rate * (seconds - 1)), 440, rate);
    check(`${name}: baresip hears the agent's 440 Hz`, good(heard, 440, -18.06), heard);
  } else check(`${name}: baresip hears the agent's 440 Hz`, false, result.out.slice(-300) + result.err.slice(-300));
  await a.leave();
}

let node;
const wanted = (name) => !only || only.split(',').includes(name);
try {
  const tone = toneFiles(1000);
  node = await startNode();
  check('ready', true, node.readyMs + ' ms');
  if (wanted('pcmu')) await ownCaller(node, 'pcmu', [], 'pcmu');
  if (wanted('pcma')) await ownCaller(node, 'pcma', ['--pt', 8], 'pcma');
  if (wanted('sipp')) await sipp(node, 'PCMU', 0, tone.ulaw);
  if (wanted('sippa')) await sipp(node, 'PCMA', 8, tone.alaw);
  if (wanted('sipptcp')) await sipp(node, 'PCMU', 0, tone.ulaw, 't1');
  if (wanted('pcap')) await sipp(node, 'PCMU', 0, tonePcap(1000, seconds + 5));
  if (wanted('baresip')) await baresip(node);
  check('the node ends with 0', (await node.stop()) === 0);
  node = await startNode('room_codec: opus');
  if (wanted('opus')) await ownCaller(node, 'opus', [], 'opus');
  if (wanted('sippopus')) { await sipp(node, 'PCMU', 0, tone.ulaw); }
  const refused = await load('nobody', ['--hold', 1]);
  check('a call that matches nothing gets 404', refused.statuses?.['404'] === 1, refused.statuses);
  await node.stop();
} catch (error) {
  check('script', false, error.stack);
  console.log(node?.log().slice(-2000));
  await node?.stop();
}
await dispose();
finish();
