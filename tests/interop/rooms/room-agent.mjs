// An agent made of the stock SDK for scripts that place calls: it publishes a tone and hears the caller.
import { Room, RoomEvent, LocalAudioTrack, TrackPublishOptions, TrackSource, TrackKind } from '@livekit/rtc-node';
import { playTone } from './audio.mjs';
import { token } from './server.mjs';

const audio = (track) => track.kind === TrackKind.KIND_AUDIO;
export const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
/** The tone, its level, and no hole longer than 60 ms. */
export const good = (r, hz, dbfs, slack = 1.5) => Math.abs(r.hz - hz) < 3 && Math.abs(r.dbfs - dbfs) < slack && r.gapMs <= 60;

function once(room, event, accept = () => true, ms = 15000) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no ' + event + ' within ' + ms + ' ms')), ms);
    const handler = (...args) => { if (accept(...args)) { clearTimeout(timer); room.off(event, handler); resolve(args); } };
    room.on(event, handler);
  });
}

/** Joins the room and publishes a tone; `heard` resolves with the caller's track. */
export async function agent(node, roomName, hz = 440) {
  const room = new Room();
  const heard = once(room, RoomEvent.TrackSubscribed, audio, 40000);
  heard.catch(() => {});
  await room.connect(node.url, await token(roomName, 'agent'), { autoSubscribe: true, dynacast: false });
  const tone = playTone(hz, 0.1778);
  const track = LocalAudioTrack.createAudioTrack('agent', tone.source);
  await room.localParticipant.publishTrack(track, new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE, dtx: false }));
  const digits = [];
  room.on(RoomEvent.DtmfReceived, (code, digit) => digits.push(digit));
  const attributes = [];
  room.on(RoomEvent.ParticipantAttributesChanged, (changed) => changed['sip.callStatus'] && attributes.push(changed['sip.callStatus']));
  return { room, heard, digits, attributes, leave: async () => { await tone.stop(); await room.disconnect(); } };
}
