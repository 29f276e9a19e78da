// Tone in, tone out: what the interop scripts measure with. Samples are 16-bit mono at 48 kHz.
import { AudioFrame, AudioSource, AudioStream } from '@livekit/rtc-node';

export const RATE = 48000;
const BLOCK = RATE / 50; // 20 ms

/** Plays a sine into an AudioSource until stopped. peak 0..1 */
export function playTone(hz, peak = 0.25) {
  const source = new AudioSource(RATE, 1, 200);
  let running = true;
  let at = 0;
  const done = (async () => {
    while (running) {
      const data = new Int16Array(RATE / 100);
      for (let i = 0; i < data.length; i++) data[i] = Math.round(32767 * peak * Math.sin((2 * Math.PI * hz * at++) / RATE));
      await source.captureFrame(new AudioFrame(data, RATE, 1, data.length));
    }
  })();
  return { source, stop: async () => { running = false; await done.catch(() => {}); } };
}

/** Collects a remote track's samples for a number of seconds. */
export async function record(track, seconds) {
  const stream = new AudioStream(track, RATE, 1);
  const reader = stream.getReader();
  const chunks = [];
  let count = 0;
  const deadline = Date.now() + (seconds + 3) * 1000;
  while (count < seconds * RATE && Date.now() < deadline) {
    const next = await Promise.race([reader.read(), new Promise((r) => setTimeout(() => r({ timeout: true }), 3000))]);
    if (next.timeout || next.done) break;
    chunks.push(next.value.data.slice());
    count += next.value.data.length;
  }
  reader.releaseLock();
  await stream.cancel?.().catch(() => {});
  const all = new Int16Array(count);
  let at = 0;
  for (const chunk of chunks) { all.set(chunk, at); at += chunk.length; }
  return all;
}

function goertzel(samples, hz, rate) {
  const k = 2 * Math.cos((2 * Math.PI * hz) / rate);
  let a = 0, b = 0;
  for (const x of samples) { const c = x + k * a - b; b = a; a = c; }
  return (a * a + b * b - k * a * b) / (samples.length * samples.length / 4); // amplitude squared
}

/** Level of the tone in dBFS (rms of the sine), its measured frequency, and the longest run without it in ms and where it begins. */
export function analyse(samples, hz, rate = RATE) {
  const block = rate / 50;
  const blocks = Math.floor(samples.length / block);
  let longest = 0, longestEnd = 0, run = 0, good = 0, power = 0;
  for (let i = 0; i < blocks; i++) {
    const part = samples.subarray(i * block, (i + 1) * block);
    const tone = goertzel(part, hz, rate);
    let sum = 0;
    for (const x of part) sum += x * x;
    const has = tone > (0.02 * 32768) ** 2 && tone / 2 > 0.5 * (sum / block);
    if (has) { good++; power += tone / 2; run = 0; } else { run += 20; if (run > longest) { longest = run; longestEnd = (i + 1) * 20; } }
  }
  let crossings = 0, first = -1, last = -1;
  for (let i = 1; i < samples.length; i++) if (samples[i - 1] < 0 && samples[i] >= 0) { crossings++; if (first < 0) first = i; last = i; }
  return {
    seconds: samples.length / rate,
    found: good / Math.max(blocks, 1),
    dbfs: good ? Math.round(1000 * Math.log10(power / good / 32768 ** 2)) / 100 : -Infinity,
    hz: last > first ? Math.round((10 * (crossings - 1) * rate) / (last - first)) / 10 : 0,
    gapMs: longest,
    gapAtMs: longestEnd - longest,
  };
}
