// Tone in, tone out: what the interop scripts measure with. Samples are 16-bit mono at 48 kHz.
import { AudioFrame, AudioSource, AudioStream } from '@livekit/rtc-node';
import { RATE, sine } from './tone.mjs';

export { RATE, analyse } from './tone.mjs';

/** Plays a sine into an AudioSource until stopped. peak 0..1 */
export function playTone(hz, peak = 0.25) {
  const source = new AudioSource(RATE, 1, 200);
  let running = true;
  let at = 0;
  const done = (async () => {
    while (running) {
      const data = sine(hz, peak, at, RATE / 100);
      at += data.length;
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
