// linphonec calls the echo through the native binary, over UDP with SDES SRTP and over TCP: it plays a 1 kHz file and records what it hears to another.
import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { analyse } from './tone.mjs';
import { check, finish } from './server.mjs';
import { startNode, toneFiles, readWav, scratch, HOST, SIP } from './node.mjs';

const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const seconds = Number(process.env.SECONDS_OF_TONE ?? 8);

/** One call; resolves to the file that it recorded. */
async function linphone(name, port, { transport, encryption }) {
  const dir = join(scratch, name);
  // Without its folder the core does not start.
  mkdirSync(join(dir, '.local/share/linphone'), { recursive: true });
  const codecs = [['PCMU', 1], ['PCMA', 0], ['opus', 0], ['speex', 0], ['G722', 0], ['GSM', 0]];
  writeFileSync(join(dir, 'linphonerc'), ['[sip]', `sip_port=${transport === 'udp' ? port : 0}`, `sip_tcp_port=${transport === 'tcp' ? port : 0}`, 'sip_tls_port=0', 'default_proxy=-1', 'guess_hostname=1', `media_encryption=${encryption}`, `media_encryption_mandatory=${encryption === 'srtp' ? 1 : 0}`,
    '[rtp]', `audio_rtp_port=${port + 10}`, 'video_rtp_port=-1', '[video]', 'enabled=0', 'capture=0', 'display=0',
    '[sound]', 'echocancellation=0', 'mic_gain_db=0', 'playback_gain_db=0', ...codecs.flatMap(([mime, on], i) => [`[audio_codec_${i}]`, 'mime=' + mime, `rate=${mime === 'opus' ? 48000 : 8000}`, 'enabled=' + on]), ''].join('\n'));
  const heard = join(dir, 'heard.wav');
  const child = spawn('linphonec', ['-c', join(dir, 'linphonerc'), '-d', '4', '-l', join(dir, 'log')],
    { stdio: ['pipe', 'pipe', 'pipe'], cwd: dir, env: { ...process.env, HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir } });
  let out = '';
  child.stdout.on('data', (t) => { out += t; });
  child.stderr.on('data', (t) => { out += t; });
  const ended = new Promise((r) => child.once('exit', r));
  const say = async (line, ms = 300) => { child.stdin.write(line + '\n'); await sleep(ms); };
  await sleep(2000);
  await say('ipv6 disable', 1000);
  await say('soundcard use files');
  await say('play ' + toneFiles(1000, seconds + 10).wav);
  await say('record ' + heard);
  await say(`call sip:echo@${SIP};transport=${transport}`, (seconds + 2) * 1000);
  await say('terminate', 700);
  await say('quit');
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await ended;
  clearTimeout(timer);
  return { heard, out };
}

let node;
try {
  node = await startNode();
  const calls = [['linphone-udp-srtp', 15071, { transport: 'udp', encryption: 'srtp' }, 'AesCm128HmacSha1Tag80'], ['linphone-tcp', 15073, { transport: 'tcp', encryption: 'none' }, '']];
  await Promise.all(calls.map(async ([name, port, options, srtp]) => {
    const { heard, out } = await linphone(name, port, options);
    if (!existsSync(heard)) return check(`${name}: a call`, false, out.slice(-1500));
    const { samples, rate } = readWav(heard);
    const up = analyse(samples.subarray(rate * 3, rate * (seconds - 1)), 1000, rate);
    check(`${name}: what it played comes back from the room`, Math.abs(up.hz - 1000) < 5 && up.found > 0.97, up);
    const line = node.records().find((r) => r.transport === options.transport);
    check(`${name}: the record`, line?.code === 'hangup' && line.ended_by === 'caller' && (line.srtp ?? '') === srtp && line.media.sip_packets_in > seconds * 45 && line.media.srtp_failures === 0,
      { code: line?.code, srtp: line?.srtp, ended_by: line?.ended_by, media: line?.media });
  }));
} catch (error) {
  check('script', false, error.stack);
  console.log(node?.log().slice(-3000));
}
await node?.stop();
finish();
