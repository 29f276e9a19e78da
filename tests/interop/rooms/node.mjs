// Starts the native `siproom serve --dev` for a script, our caller, and other people's callers.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { mkdtempSync, writeFileSync, readFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
/** Another loopback address lets several runs go on beside each other. */
export const HOST = process.env.SIPROOM_HOST ?? '127.0.0.1';
export const SIP = HOST + ':15060';
export const siproom = process.env.SIPROOM ?? root + 'artifacts/siproom';
export const scratch = mkdtempSync(join(tmpdir(), 'siproom-interop-'));

/** Runs `siproom serve`, with --dev unless told otherwise; records go to a file whose lines `records()` gives. */
export async function startNode(config = '', http = HOST + ':17980', extra = [], isDev = true) {
  const records = join(scratch, `records-${Date.now()}.jsonl`);
  const file = join(scratch, `siproom-${Date.now()}.yaml`);
  writeFileSync(file, `records: { file: ${records} }\n${config}\n`);
  const args = ['serve', ...(isDev ? ['--dev', '--dev-ice-port', '17982'] : []), '--config', file, '--sip', SIP, '--http', http, '--rtp', '20000-22000', ...extra];
  const child = spawn(siproom, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  child.stderr.on('data', (text) => { log += text; });
  const exited = new Promise((r) => child.once('exit', r));
  const start = Date.now();
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (text) => String(text).includes('ready') && resolve());
    child.once('exit', (code) => reject(new Error('siproom serve ended with ' + code + ': ' + log)));
    setTimeout(() => reject(new Error('siproom serve is not ready after 15 s')), 15000).unref();
  });
  return {
    url: 'ws://' + http, http: 'http://' + http, pid: child.pid, exited, signal: (name) => child.kill(name), readyMs: Date.now() - start,
    log: () => log,
    records: () => (existsSync(records) ? readFileSync(records, 'utf8').trim().split('\n').filter(Boolean).map((l) => JSON.parse(l)) : []),
    metrics: async () => Object.fromEntries((await (await fetch('http://' + http + '/metrics')).text()).split('\n')
      .filter((l) => l && !l.startsWith('#')).map((l) => [l.slice(0, l.lastIndexOf(' ')), Number(l.slice(l.lastIndexOf(' ') + 1))])),
    stop: async () => { child.kill('SIGTERM'); return exited; },
  };
}

/** Runs a program to its end. */
export function run(command, args, options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  let out = '', err = '';
  child.stdout.on('data', (t) => { out += t; });
  child.stderr.on('data', (t) => { err += t; });
  const done = new Promise((resolve) => child.once('exit', (code) => resolve({ code, out, err })));
  return { child, done };
}

/** Our own caller; resolves to its report. */
export function load(to, args = []) {
  const { done } = run(process.env.SIPROOM_LOAD ?? root + 'artifacts/siproom-load', ['--target', SIP, '--local', HOST, '--to', to, ...args.map(String)]);
  return done.then(({ code, out, err }) => {
    const line = out.trim().split('\n').pop() ?? '';
    try { return { code, ...JSON.parse(line) }; } catch { return { code, error: err || out }; }
  });
}

/** A tone as raw PCMU or PCMA and as a WAV file, level −15 dBFS as everywhere. */
export function toneFiles(hz, seconds = 1) {
  const pcm = new Int16Array(8000 * seconds);
  for (let i = 0; i < pcm.length; i++) pcm[i] = Math.round(32768 * 0.1778 * Math.sin((2 * Math.PI * hz * i) / 8000));
  const mu = Buffer.alloc(pcm.length);
  const a = Buffer.alloc(pcm.length);
  pcm.forEach((s, i) => { mu[i] = muLaw(s); a[i] = aLaw(s); });
  const wav = Buffer.alloc(44 + pcm.length * 2);
  wav.write('RIFF', 0); wav.writeUInt32LE(36 + pcm.length * 2, 4); wav.write('WAVEfmt ', 8); wav.writeUInt32LE(16, 16);
  wav.writeUInt16LE(1, 20); wav.writeUInt16LE(1, 22); wav.writeUInt32LE(8000, 24); wav.writeUInt32LE(16000, 28);
  wav.writeUInt16LE(2, 32); wav.writeUInt16LE(16, 34); wav.write('data', 36); wav.writeUInt32LE(pcm.length * 2, 40);
  pcm.forEach((s, i) => wav.writeInt16LE(s, 44 + i * 2));
  const files = { ulaw: join(scratch, `tone-${hz}.ulaw`), alaw: join(scratch, `tone-${hz}.alaw`), wav: join(scratch, `tone-${hz}-${seconds}.wav`) };
  writeFileSync(files.ulaw, mu); writeFileSync(files.alaw, a); writeFileSync(files.wav, wav);
  return files;
}

/** A capture file of a PCMU tone: 50 RTP packets a second in Ethernet frames, for SIPp's play_pcap_audio. */
export function tonePcap(hz, seconds) {
  const tone = readFileSync(toneFiles(hz).ulaw);
  const parts = [Buffer.alloc(24)];
  parts[0].writeUInt32LE(0xa1b2c3d4, 0); parts[0].writeUInt16LE(2, 4); parts[0].writeUInt16LE(4, 6);
  parts[0].writeUInt32LE(65535, 16); parts[0].writeUInt32LE(1, 20);
  for (let n = 0; n < seconds * 50; n++) {
    const frame = Buffer.alloc(16 + 14 + 20 + 8 + 172);
    frame.writeUInt32LE(Math.floor(n / 50), 0); frame.writeUInt32LE((n % 50) * 20000, 4);
    frame.writeUInt32LE(frame.length - 16, 8); frame.writeUInt32LE(frame.length - 16, 12);
    frame.writeUInt16BE(0x0800, 16 + 12);
    const ip = 30;
    frame[ip] = 0x45; frame.writeUInt16BE(200, ip + 2); frame[ip + 8] = 64; frame[ip + 9] = 17;
    frame.set([127, 0, 0, 1], ip + 12); frame.set([127, 0, 0, 1], ip + 16);
    frame.writeUInt16BE(6000, ip + 20); frame.writeUInt16BE(6000, ip + 22); frame.writeUInt16BE(180, ip + 24);
    const rtp = ip + 28;
    frame[rtp] = 0x80; frame[rtp + 1] = n === 0 ? 0x80 : 0;
    frame.writeUInt16BE(n & 0xffff, rtp + 2); frame.writeUInt32BE(n * 160, rtp + 4); frame.writeUInt32BE(0x5150, rtp + 8);
    tone.copy(frame, rtp + 12, (n % 50) * 160, (n % 50) * 160 + 160);
    parts.push(frame);
  }
  const path = join(scratch, `tone-${hz}-${seconds}.pcap`);
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

function muLaw(s) {
  const sign = s < 0 ? 0x80 : 0;
  const m = Math.min(Math.abs(s), 32635) + 132;
  const e = Math.floor(Math.log2(m)) - 7;
  return ~(sign | (e << 4) | ((m >> (e + 3)) & 15)) & 0xff;
}

function aLaw(s) {
  let v = s >> 3, sign = 0x80, e = 0;
  if (v < 0) { sign = 0; v = -v - 1; }
  while (v > 31 && e < 7) { v >>= 1; e++; }
  const code = e === 0 ? v >> 1 : (e << 4) | (v & 15);
  return (sign | Math.min(code, 127)) ^ 0x55;
}

/** Samples and rate of a 16-bit WAV file; whatever its header says about length (players that are killed leave it 0). */
export function readWav(path) {
  const bytes = readFileSync(path);
  const rate = bytes.readUInt32LE(24);
  const channels = bytes.readUInt16LE(22);
  const data = bytes.subarray(44);
  const samples = new Int16Array(Math.floor(data.length / 2 / channels));
  for (let i = 0; i < samples.length; i++) samples[i] = data.readInt16LE(i * 2 * channels);
  return { samples, rate };
}
