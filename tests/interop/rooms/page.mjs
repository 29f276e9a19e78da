// The development page in headless Chromium, used as a person uses it, on the native binary: a SIP caller rings in a room,
// the page shows the call, joins by its own buttons, hears the caller's 1 kHz and is heard with 440 Hz; mute and leave.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { dispose } from '@livekit/rtc-node';
import { analyse, RATE } from './audio.mjs';
import { check, finish } from './server.mjs';
import { startNode, load, scratch } from './node.mjs';

const seconds = Number(process.env.SECONDS_OF_TONE ?? 20);
const pictures = process.env.PICTURES;
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));

/** The microphone: 440 Hz at −15 dBFS (peak), whole periods so that the loop has no seam. */
function microphone() {
  const samples = Int16Array.from({ length: RATE * 10 }, (_, i) => Math.round(32768 * 0.1778 * Math.sin((2 * Math.PI * 440 * i) / RATE)));
  const head = Buffer.alloc(44);
  head.write('RIFF', 0); head.writeUInt32LE(36 + samples.byteLength, 4); head.write('WAVEfmt ', 8); head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20); head.writeUInt16LE(1, 22); head.writeUInt32LE(RATE, 24); head.writeUInt32LE(RATE * 2, 28);
  head.writeUInt16LE(2, 32); head.writeUInt16LE(16, 34); head.write('data', 36); head.writeUInt32LE(samples.byteLength, 40);
  const file = join(scratch, 'microphone.wav');
  writeFileSync(file, Buffer.concat([head, Buffer.from(samples.buffer)]));
  return file;
}

/** What the page's first player plays, from now on: 16-bit samples at 48 kHz as the browser decoded them. */
async function hear(page, length) {
  // No AudioWorklet: playwright-core 1.55 leaves its thread waiting, and newer ones need a newer node than Debian 12 has.
  const { base64, rate, isPlaying } = await page.evaluate(async (wanted) => {
    const player = document.querySelector('#audio audio');
    const reader = new MediaStreamTrackProcessor({ track: player.srcObject.getAudioTracks()[0], maxBufferSize: 500 }).readable.getReader();
    const bytes = [];
    let rate = 0;
    const end = performance.now() + (wanted + 5) * 1000;
    for (let count = 0; (rate === 0 || count < wanted * rate) && performance.now() < end;) {
      const { value, done } = await reader.read();
      if (done) break;
      rate = value.sampleRate;
      const samples = new Float32Array(value.numberOfFrames);
      value.copyTo(samples, { planeIndex: 0, format: 'f32-planar' });
      value.close();
      const block = Int16Array.from(samples, (x) => Math.round(Math.max(-1, Math.min(1, x)) * 32767));
      bytes.push(new Uint8Array(block.buffer));
      count += block.length;
    }
    await reader.cancel();
    const isPlaying = !player.paused && player.volume === 1 && !player.muted;
    return { base64: btoa(bytes.map((block) => String.fromCharCode(...block)).join('')), rate, isPlaying };
  }, length);
  const bytes = Buffer.from(base64, 'base64');
  return { samples: new Int16Array(bytes.buffer, bytes.byteOffset, bytes.length / 2), rate, isPlaying };
}

const cells = (row) => row.locator('td').allInnerTexts();
const rowOf = (page, room) => page.locator('#calls tr', { has: page.getByRole('cell', { name: room, exact: true }) });
const picture = async (page, name) => pictures && page.screenshot({ path: join(pictures, name + '.png'), fullPage: true });

async function talk(page, { room, codec, joinBy }) {
  const calling = load('room-' + room, ['--hold', seconds + 4]);
  const row = rowOf(page, room);
  await row.getByText('ringing').waitFor({ timeout: 10000 });
  const [from, to, where] = await cells(row);
  check(`${room}: the page shows the ringing call by itself`, from === '15550000' && to === 'room-' + room && where === room, { from, to, where });
  await picture(page, room + '-ringing');
  await page.locator('#processing').setChecked(false);
  await joinBy(row);
  await row.getByText('connected').waitFor({ timeout: 15000 });
  check(`${room}: joining answers the call`, true);
  await page.locator('#audio audio').first().waitFor({ state: 'attached', timeout: 10000 });
  const [{ samples, rate, isPlaying }, shown] = await Promise.all([hear(page, seconds + 1), (async () => {
    const first = (await cells(row))[4];
    await sleep(5000);
    await picture(page, room + '-talking');
    return { first, ...Object.fromEntries((await cells(row)).map((text, i) => [['from', 'to', 'room', 'state', 'time', 'codec'][i], text])), people: await page.locator('#people li').allInnerTexts() };
  })()]);
  const heard = analyse(samples.subarray(rate), 1000, rate);
  check(`${room}: the page hears the caller's 1 kHz`, isPlaying && heard.seconds >= seconds - 0.2 && Math.abs(heard.hz - 1000) < 3 && Math.abs(heard.dbfs + 18.06) < 1.5 && heard.gapMs <= 60, heard);
  check(`${room}: state, time and codec are shown and move`, shown.state === 'connected' && shown.codec === codec && shown.time !== shown.first, shown);
  check(`${room}: who is in the room is shown`, shown.people.length === 2 && shown.people[0].includes('(you)') && shown.people[1].includes('phone'), shown.people);
  const report = await calling;
  check(`${room}: the caller hears the page's 440 Hz`, report.heardTone === 1 && report.longestToneGapMs <= 60 && Math.abs(report.toneLevelDb + 15) < 1.5 && report.lost === 0,
    { gapMs: report.longestToneGapMs, level: report.toneLevelDb, lost: report.lost, holes: report.holes, error: report.error });
  await row.waitFor({ state: 'detached', timeout: 5000 });
  check(`${room}: a call that is over goes away`, true);
}

async function muteAndLeave(page) {
  const calling = load('room-mute', ['--hold', 9]);
  await rowOf(page, 'mute').getByRole('button', { name: 'Join' }).click();
  await rowOf(page, 'mute').getByText('connected').waitFor({ timeout: 15000 });
  await sleep(2500);
  await page.getByRole('button', { name: 'Mute', exact: true }).click();
  await page.locator('#people li').first().getByText('muted').waitFor({ timeout: 3000 });
  await sleep(3000);
  await page.getByRole('button', { name: 'Unmute' }).click();
  const report = await calling;
  check('mute: the caller hears 3 s of silence and the tone again', report.heardTone === 1 && report.longestToneGapMs > 2500 && report.longestToneGapMs < 4500, { gapMs: report.longestToneGapMs, holes: report.holes });
  await page.getByRole('button', { name: 'Leave' }).click();
  await page.locator('#lobby').waitFor({ state: 'visible' });
  check('leave: the room list is back', (await page.locator('#notice').isVisible()) === false && (await page.locator('#stay').isVisible()) === false);
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--use-file-for-fake-audio-capture=' + microphone()],
});
let node;
try {
  for (const [room, config, codec] of [['passthrough', '', 'PCMU'], ['opus', 'room_codec: opus', 'PCMU ⇄ Opus']]) {
    node = await startNode(config);
    const context = await browser.newContext({ colorScheme: room === 'opus' ? 'dark' : 'light', viewport: { width: 1100, height: 800 } });
    const page = await context.newPage();
    const complaints = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    await page.goto(node.http + '/');
    await page.getByText('SIP on').waitFor();
    check(`${room}: the page says what it is`, await page.getByText('development page').isVisible());
    const byForm = async () => { await page.locator('#room').fill(room); await page.getByRole('button', { name: 'Join with microphone' }).click(); };
    const byRow = (row) => row.getByRole('button', { name: 'Join' }).click();
    await talk(page, { room, codec, joinBy: room === 'opus' ? byRow : byForm });
    if (room === 'opus') await muteAndLeave(page);
    check(`${room}: the browser has no complaints`, complaints.length === 0, complaints);
    await context.close();
    await node.stop();
  }
} catch (error) {
  check('script', false, error.stack);
  console.log(node?.log().slice(-2000));
  await node?.stop();
}
await browser.close();
await dispose();
finish();
