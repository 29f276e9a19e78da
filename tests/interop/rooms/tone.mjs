// Tones without a client library: making them, and measuring them. Samples are 16-bit mono.
export const RATE = 48000;

/** Samples of a sine that goes on from sample number `at`. peak 0..1 */
export function sine(hz, peak, at, count, rate = RATE) {
  const data = new Int16Array(count);
  for (let i = 0; i < count; i++) data[i] = Math.round(32767 * peak * Math.sin((2 * Math.PI * hz * (at + i)) / rate));
  return data;
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
