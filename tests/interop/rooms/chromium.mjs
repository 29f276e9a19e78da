// livekit-client in headless Chromium against the built-in room server: publishes a fake microphone's tone and hears an
// rtc-node participant; mute, attributes, data, signal resume, full reconnect, RemoveParticipant.
import { createServer } from 'node:http';
import { readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as path } from 'node:path';
import { chromium } from 'playwright-core';
import { Room, RoomEvent, LocalAudioTrack, TrackPublishOptions, TrackSource, TrackKind, dispose } from '@livekit/rtc-node';
import { RoomServiceClient } from 'livekit-server-sdk';
import { playTone, record, analyse } from './audio.mjs';
import { startServer, token, check, finish } from './server.mjs';

function wav(hz, seconds, rate = 48000) {
  const count = rate * seconds;
  const buffer = Buffer.alloc(44 + count * 2);
  buffer.write('RIFF', 0); buffer.writeUInt32LE(36 + count * 2, 4); buffer.write('WAVEfmt ', 8); buffer.writeUInt32LE(16, 16);
  buffer.writeUInt16LE(1, 20); buffer.writeUInt16LE(1, 22); buffer.writeUInt32LE(rate, 24); buffer.writeUInt32LE(rate * 2, 28);
  buffer.writeUInt16LE(2, 32); buffer.writeUInt16LE(16, 34); buffer.write('data', 36); buffer.writeUInt32LE(count * 2, 40);
  for (let i = 0; i < count; i++) buffer.writeInt16LE(Math.round(8192 * Math.sin((2 * Math.PI * hz * i) / rate)), 44 + i * 2);
  return buffer;
}

const folder = mkdtempSync(path(tmpdir(), 'siproom-web-'));
writeFileSync(path(folder, 'tone.wav'), wav(440, 10));
const client = readFileSync(new URL('./node_modules/livekit-client/dist/livekit-client.umd.js', import.meta.url));
const web = createServer((request, response) => {
  response.setHeader('content-type', request.url === '/client.js' ? 'text/javascript' : 'text/html');
  response.end(request.url === '/client.js' ? client : '<!doctype html><script src="/client.js"></script>');
}).listen(0, '127.0.0.1');
await new Promise((r) => web.once('listening', r));

const server = await startServer();
const api = new RoomServiceClient(server.url.replace('ws', 'http'), 'devkey', 'secret');
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream', '--autoplay-policy=no-user-gesture-required',
    '--use-file-for-fake-audio-capture=' + path(folder, 'tone.wav'), '--allow-loopback-in-peer-connection', '--disable-features=WebRtcHideLocalIpsWithMdns'],
});
const once = (room, event, accept = () => true, ms = 15000) => new Promise((resolve) => {
  const timer = setTimeout(() => resolve(new Error('no ' + event)), ms);
  room.on(event, (...args) => { if (accept(...args)) { clearTimeout(timer); resolve(args); } });
});

try {
  const page = await browser.newPage();
  page.on('console', (m) => process.env.VERBOSE && console.log('   page:', m.text()));
  await page.goto('http://127.0.0.1:' + web.address().port + '/');
  const node = new Room();
  await node.connect(server.url, await token('web', 'node'), { autoSubscribe: true, dynacast: false });
  const tone = playTone(1000);
  const options = new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE, dtx: false });
  await node.localParticipant.publishTrack(LocalAudioTrack.createAudioTrack('mic', tone.source), options);
  const nodeHears = once(node, RoomEvent.TrackSubscribed, (track) => track.kind === TrackKind.KIND_AUDIO);

  const joined = await page.evaluate(async ([url, jwt]) => {
    const { Room, RoomEvent } = LivekitClient;
    const room = (window.room = new Room({ publishDefaults: { dtx: false } }));
    window.events = [];
    for (const name of ['TrackSubscribed', 'Reconnecting', 'SignalReconnecting', 'Reconnected', 'Disconnected', 'ParticipantAttributesChanged', 'DataReceived', 'ActiveSpeakersChanged'])
      room.on(RoomEvent[name], (...args) => window.events.push([name, args.length && typeof args[0] === 'number' ? args[0] : '']));
    room.on(RoomEvent.TrackSubscribed, (track) => {
      const element = track.attach();
      document.body.append(element);
      const context = (window.context ??= new AudioContext());
      window.analyser = context.createAnalyser();
      window.analyser.fftSize = 8192;
      context.createMediaStreamSource(new MediaStream([track.mediaStreamTrack])).connect(window.analyser);
    });
    const start = performance.now();
    await room.connect(url, jwt);
    const connected = performance.now() - start;
    await room.localParticipant.setMicrophoneEnabled(true, { echoCancellation: false, noiseSuppression: false, autoGainControl: false });
    return { connected: Math.round(connected), published: Math.round(performance.now() - start) };
  }, [server.url, await token('web', 'browser')]);
  check('browser joins and publishes', true, joined);

  const listen = () => page.evaluate(async () => {
    const end = Date.now() + 8000;
    while (Date.now() < end) {
      await new Promise((r) => setTimeout(r, 250));
      if (!window.analyser) continue;
      const bins = new Float32Array(window.analyser.frequencyBinCount);
      window.analyser.getFloatFrequencyData(bins);
      let best = 0;
      for (let i = 1; i < bins.length; i++) if (bins[i] > bins[best]) best = i;
      const hz = (best * window.context.sampleRate) / window.analyser.fftSize;
      if (bins[best] > -40) return { hz: Math.round(hz), db: Math.round(bins[best]) };
    }
    return { hz: 0, events: window.events };
  });
  const heard = await listen();
  check('browser hears 1000 Hz', Math.abs(heard.hz - 1000) < 12, heard);
  const subscribed = await nodeHears;
  if (subscribed instanceof Error) check('rtc-node hears the browser', false, subscribed.message);
  else {
    const result = analyse((await record(subscribed[0], 6)).subarray(48000), 440);
    check('rtc-node hears the browser: 440 Hz', Math.abs(result.hz - 440) < 3 && Math.abs(result.dbfs + 15.05) < 2 && result.gapMs <= 60, result);
  }

  const muted = once(node, RoomEvent.TrackMuted);
  await page.evaluate(() => window.room.localParticipant.setMicrophoneEnabled(false));
  check('mute arrives', !((await muted) instanceof Error));
  const unmuted = once(node, RoomEvent.TrackUnmuted);
  await page.evaluate(() => window.room.localParticipant.setMicrophoneEnabled(true));
  check('unmute arrives', !((await unmuted) instanceof Error));
  const attributes = once(node, RoomEvent.ParticipantAttributesChanged);
  await page.evaluate(() => window.room.localParticipant.setAttributes({ k: 'v' }));
  const changed = await attributes;
  check('attributes arrive', !(changed instanceof Error) && changed[0].k === 'v');
  const data = once(node, RoomEvent.DataReceived);
  const sent = await page.evaluate(() => Promise.race([
    window.room.localParticipant.publishData(new TextEncoder().encode('hi'), { reliable: true }).then(() => 'sent'),
    new Promise((r) => setTimeout(() => r('no data channel'), 8000))]).catch((e) => e.message));
  const packet = sent === 'sent' ? await data : new Error(sent);
  check('data arrives', !(packet instanceof Error) && new TextDecoder().decode(packet[0]) === 'hi', packet instanceof Error ? packet.message : '');

  for (const scenario of ['signal-reconnect', 'full-reconnect']) {
    const back = await page.evaluate(async (name) => {
      const done = new Promise((r) => window.room.once(LivekitClient.RoomEvent.Reconnected, () => r(true)));
      window.analyser = undefined;
      await window.room.simulateScenario(name);
      return Promise.race([done, new Promise((r) => setTimeout(() => r(false), 15000))]);
    }, scenario);
    check(scenario, back);
    if (scenario === 'full-reconnect') {
      const after = await listen();
      check('hears again after ' + scenario, Math.abs(after.hz - 1000) < 12, after);
    }
  }
  const speakers = await page.evaluate(() => window.events.filter((e) => e[0] === 'ActiveSpeakersChanged').length);
  check('active speakers', speakers > 0, speakers);
  await api.removeParticipant('web', 'browser');
  await new Promise((r) => setTimeout(r, 500));
  check('RemoveParticipant', await page.evaluate(() => window.events.some((e) => e[0] === 'Disconnected' && e[1] === 4)), await page.evaluate(() => window.events.filter((e) => e[0] === 'Disconnected')));
  await tone.stop();
  await node.disconnect();
} catch (error) {
  check('script', false, error.stack);
}
await browser.close();
web.close();
rmSync(folder, { recursive: true });
await dispose();
await server.stop();
finish();
