// A worker as a developer writes one: its agent joins the room of its job, plays 440 Hz and measures what it hears.
// What happens goes as JSON lines to AGENT_LOG. usage: LIVEKIT_URL=… AGENT_NAME=… AGENT_LOG=… HEALTH_HOST=… HEALTH_PORT=… node worker.mjs start
import { defineAgent, cli, ServerOptions } from '@livekit/agents';
import { AudioFrame, AudioSource, AudioStream, LocalAudioTrack, RoomEvent, TrackKind, TrackPublishOptions, TrackSource } from '@livekit/rtc-node';
import { fileURLToPath } from 'node:url';
import { appendFileSync } from 'node:fs';
import { RATE, analyse, sine } from '../rooms/tone.mjs';

const SECONDS = 3;
const tell = (line) => appendFileSync(process.env.AGENT_LOG, JSON.stringify(line) + '\n');

export default defineAgent({
  entry: async (ctx) => {
    const job = ctx.job;
    tell({ e: 'job', job: job.id, room: job.room.name, metadata: job.metadata, agent: job.agentName });
    ctx.addShutdownCallback(async () => tell({ e: 'over', job: job.id }));
    const heard = new Promise((resolve) => ctx.room.on(RoomEvent.TrackSubscribed, (track, _, who) => track.kind === TrackKind.KIND_AUDIO && resolve([track, who])));
    await ctx.connect();
    tell({ e: 'joined', identity: ctx.room.localParticipant.identity, kind: ctx.room.localParticipant.info?.kind });
    const source = new AudioSource(RATE, 1, 200);
    const options = new TrackPublishOptions({ source: TrackSource.SOURCE_MICROPHONE, dtx: false });
    await ctx.room.localParticipant.publishTrack(LocalAudioTrack.createAudioTrack('agent', source), options);
    play(source, ctx.room).catch(() => {});
    const [track, who] = await heard;
    tell({ e: 'heard', job: job.id, caller: who.identity, attributes: who.attributes, ...(await measure(track)) });
  },
});

async function play(source, room) {
  for (let at = 0; room.isConnected; at += RATE / 100) {
    await source.captureFrame(new AudioFrame(sine(440, 0.1778, at, RATE / 100), RATE, 1, RATE / 100));
  }
}

async function measure(track) {
  const samples = new Int16Array(RATE * SECONDS);
  let filled = 0;
  const reader = new AudioStream(track, RATE, 1).getReader();
  for (let next = await reader.read(); !next.done && filled < samples.length; next = await reader.read()) {
    samples.set(next.value.data.subarray(0, samples.length - filled), filled);
    filled += Math.min(next.value.data.length, samples.length - filled);
  }
  return analyse(samples.subarray(RATE / 2, filled), 1000);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // The machine is busy with tests: its load must not turn the worker away.
  cli.runApp(new ServerOptions({
    agent: fileURLToPath(import.meta.url), agentName: process.env.AGENT_NAME, host: process.env.HEALTH_HOST, port: Number(process.env.HEALTH_PORT),
    numIdleProcesses: 1, loadFunc: async () => 0.1, initializeProcessTimeout: 30_000,
  }));
}
