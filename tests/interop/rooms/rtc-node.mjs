// Two stock rtc-node participants through the built-in room server: audio both ways, DTMF, data, attributes, mute,
// duplicate identity, RemoveParticipant, demo agent.
import { Room, RoomEvent, LocalAudioTrack, TrackPublishOptions, TrackSource, TrackKind, DisconnectReason, dispose } from '@livekit/rtc-node';
import { RoomServiceClient } from 'livekit-server-sdk';
import { RoomConfiguration, RoomAgentDispatch } from '@livekit/protocol';
import { playTone, record, analyse } from './audio.mjs';
import { startServer, token, check, finish } from './server.mjs';

const server = await startServer();
const seconds = Number(process.env.SECONDS_OF_TONE ?? 5);

function once(room, event, accept = () => true, ms = 10000) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no ' + event + ' within ' + ms + ' ms')), ms);
    const handler = (...args) => { if (accept(...args)) { clearTimeout(timer); room.off(event, handler); resolve(args); } };
    room.on(event, handler);
  });
}
async function join(roomName, identity, extra) {
  const room = new Room();
  const start = Date.now();
  await room.connect(server.url, await token(roomName, identity, extra), { autoSubscribe: true, dynacast: false });
  room.joinedMs = Date.now() - start;
  return room;
}
async function publish(room, hz) {
  const tone = playTone(hz);
  const track = LocalAudioTrack.createAudioTrack('mic', tone.source);
  const options = new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE, dtx: false });
  const publication = await room.localParticipant.publishTrack(track, options);
  return { ...tone, track, publication };
}
const audio = (track) => track.kind === TrackKind.KIND_AUDIO;

try {
  // 1. First ear.
  const alice = await join('ear', 'alice');
  check('alice joins', true, alice.joinedMs + ' ms');
  const aliceTone = await publish(alice, 440);
  check('alice publishes', true, aliceTone.publication.sid);
  const bob = new Room();
  const bobHears = once(bob, RoomEvent.TrackSubscribed, audio);
  await bob.connect(server.url, await token('ear', 'bob'), { autoSubscribe: true, dynacast: false });
  const [fromAlice] = await bobHears;
  const aliceHears = once(alice, RoomEvent.TrackSubscribed, audio);
  const bobTone = await publish(bob, 1000);
  const [fromBob] = await aliceHears;
  const [heardByBob, heardByAlice] = await Promise.all([record(fromAlice, seconds + 1), record(fromBob, seconds + 1)]);
  for (const [name, samples, hz] of [['bob hears 440 Hz', heardByBob, 440], ['alice hears 1000 Hz', heardByAlice, 1000]]) {
    const result = analyse(samples.subarray(48000), hz);
    check(name, Math.abs(result.hz - hz) < 3 && Math.abs(result.dbfs + 15.05) < 1.5 && result.gapMs <= 60, result);
  }

  // 2. Data.
  const digit = once(alice, RoomEvent.DtmfReceived).catch((e) => e);
  await bob.localParticipant.publishDtmf(7, '7');
  const got = await digit;
  check('DTMF arrives', got instanceof Error ? false : got[0] === 7 && got[1] === '7', got instanceof Error ? got.message : got.slice(0, 2));
  const data = once(bob, RoomEvent.DataReceived).catch((e) => e);
  await alice.localParticipant.publishData(new TextEncoder().encode('hello'), { reliable: true, topic: 't' });
  const packet = await data;
  check('data arrives', !(packet instanceof Error) && new TextDecoder().decode(packet[0]) === 'hello' && packet[1]?.identity === 'alice', packet instanceof Error ? packet.message : packet[1]?.identity);
  const api = new RoomServiceClient(server.url.replace('ws', 'http'), 'devkey', 'secret');
  const fromApi = once(bob, RoomEvent.DataReceived).catch((e) => e);
  await api.sendData('ear', new TextEncoder().encode('api'), 0, { topic: 'x' });
  const apiPacket = await fromApi;
  check('SendData arrives', !(apiPacket instanceof Error) && new TextDecoder().decode(apiPacket[0]) === 'api');

  // 3. State.
  const attributes = once(bob, RoomEvent.ParticipantAttributesChanged).catch((e) => e);
  await alice.localParticipant.setAttributes({ 'sip.callStatus': 'active' });
  const changed = await attributes;
  check('attributes arrive', !(changed instanceof Error) && changed[0]['sip.callStatus'] === 'active', changed instanceof Error ? changed.message : changed[0]);
  const muted = once(bob, RoomEvent.TrackMuted).catch((e) => e);
  const rooms = await api.listRooms();
  const people = await api.listParticipants('ear');
  check('ListRooms, ListParticipants', rooms.some((r) => r.name === 'ear') && people.length === 2, people.map((p) => p.identity));
  await api.mutePublishedTrack('ear', 'alice', aliceTone.publication.sid, true);
  check('admin mute arrives', !((await muted) instanceof Error));
  await api.updateParticipant('ear', 'bob', { metadata: 'm', attributes: { a: '1' } });
  const info = await api.getParticipant('ear', 'bob');
  check('UpdateParticipant', info.metadata === 'm' && info.attributes.a === '1');

  // 4. Unpublish and publish again: the section is used again.
  const gone = once(alice, RoomEvent.TrackUnsubscribed).catch((e) => e);
  await bob.localParticipant.unpublishTrack(bobTone.publication.sid);
  await bobTone.stop();
  check('unpublish arrives', !((await gone) instanceof Error));
  const again = once(alice, RoomEvent.TrackSubscribed, audio).catch((e) => e);
  const second = await publish(bob, 700);
  const track = await again;
  const heard = track instanceof Error ? null : analyse((await record(track[0], 3)).subarray(48000), 700);
  check('publish again is heard', heard !== null && Math.abs(heard.hz - 700) < 3 && heard.gapMs <= 60, heard ?? track.message);
  await second.stop();

  // 5. Ends.
  const removed = once(bob, RoomEvent.Disconnected).catch((e) => e);
  await api.removeParticipant('ear', 'bob');
  const why = await removed;
  check('RemoveParticipant', why[0] === DisconnectReason.PARTICIPANT_REMOVED, String(why[0]));
  const kicked = once(alice, RoomEvent.Disconnected).catch((e) => e);
  const alice2 = await join('ear', 'alice');
  check('duplicate identity', (await kicked)[0] === DisconnectReason.DUPLICATE_IDENTITY);
  await aliceTone.stop();
  await alice2.disconnect();

  // 6. Demo agent by roomConfig: 440 Hz greeting, then echo.
  const carol = new Room();
  const agentTrack = once(carol, RoomEvent.TrackSubscribed, audio).catch((e) => e);
  const roomConfig = new RoomConfiguration({ agents: [new RoomAgentDispatch({ agentName: 'demo', metadata: 'greet,dtmf' })] });
  await carol.connect(server.url, await token('demo-1', 'carol', { roomConfig }), { autoSubscribe: true, dynacast: false });
  const carolTone = await publish(carol, 1000);
  const agent = await agentTrack;
  if (agent instanceof Error) check('demo agent', false, agent.message);
  else {
    const samples = await record(agent[0], 7);
    const greeting = analyse(samples.subarray(48000 * 0.5, 48000 * 1.5), 440);
    const echo = analyse(samples.subarray(48000 * 3), 1000);
    check('demo agent greets', Math.abs(greeting.hz - 440) < 3, greeting);
    check('demo agent echoes', Math.abs(echo.hz - 1000) < 3 && Math.abs(echo.dbfs + 15.05) < 1.5 && echo.gapMs <= 60, echo);
  }
  const back = once(carol, RoomEvent.DtmfReceived).catch((e) => e);
  await carol.localParticipant.publishDtmf(5, '5');
  check('demo agent answers DTMF', !((await back) instanceof Error));
  await carolTone.stop();
  await carol.disconnect();

  // 7. G.711 and Opus tones made by the server: every codec it forwards is heard by libwebrtc.
  for (const codec of ['opus', 'pcmu', 'pcma']) {
    await api.createRoom({ name: 'tone-' + codec, agents: [new RoomAgentDispatch({ agentName: 'demo', metadata: 'tone,' + codec })] });
    const listener = new Room();
    const hears = once(listener, RoomEvent.TrackSubscribed, audio).catch((e) => e);
    await listener.connect(server.url, await token('tone-' + codec, 'listener'), { autoSubscribe: true, dynacast: false });
    const heardTone = await hears;
    const result = heardTone instanceof Error ? heardTone.message : analyse((await record(heardTone[0], 6)).subarray(48000), 440);
    check('tone in ' + codec, typeof result !== 'string' && Math.abs(result.hz - 440) < 3 && Math.abs(result.dbfs + 15.05) < 1.5 && result.gapMs <= 60, result);
    await listener.disconnect();
  }

  // 8. A crowd: everybody publishes, everybody hears everybody.
  const crowd = [];
  const size = Number(process.env.CROWD ?? 8);
  for (let i = 0; i < size; i++) {
    const room = new Room();
    room.heard = 0;
    room.on(RoomEvent.TrackSubscribed, (track) => { if (audio(track)) room.heard++; });
    await room.connect(server.url, await token('crowd', 'p' + i), { autoSubscribe: true, dynacast: false });
    crowd.push({ room, tone: await publish(room, 300 + 50 * i) });
  }
  const until = Date.now() + 15000;
  while (Date.now() < until && crowd.some((one) => one.room.heard < size - 1)) await new Promise((r) => setTimeout(r, 100));
  check('crowd of ' + size + ' hears each other', crowd.every((one) => one.room.heard === size - 1), crowd.map((one) => one.room.heard));
  for (const one of crowd) { await one.tone.stop(); await one.room.disconnect(); }
} catch (error) {
  check('script', false, error.stack);
}
await dispose();
await server.stop();
finish();
