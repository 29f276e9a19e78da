// One stay in a room: the microphone goes out, everybody's audio comes in. livekit-client does the work.

const MICROPHONE = { autoGainControl: true, echoCancellation: true, noiseSuppression: true };
const PLAIN = { autoGainControl: false, echoCancellation: false, noiseSuppression: false };
// No DTX: a caller would hear silence fall between words. No RED: the far end is G.711 or Opus at 8 kHz.
const PUBLISH = { dtx: false, red: false, stopMicTrackOnMute: false };

export class Stay {
  #client = globalThis.LivekitClient;
  #room;
  #hears;
  #levels = new Map();
  #context = null;
  #isIn = false;
  #isOver = false;

  /** @param hears {changed(), ended(why), trouble(sentence), audio: element that holds the players} */
  constructor(room, hears) {
    this.room = room;
    this.state = 'joining…';
    this.#hears = hears;
    this.#room = new this.#client.Room({ publishDefaults: PUBLISH, disconnectOnPageLeave: true });
    this.#listen();
  }

  /** In the room, and the microphone is on or was refused: mute and unmute have a meaning. */
  get isReady() { return this.#isIn && this.state === ''; }

  get isMuted() { return this.isReady && !this.#room.localParticipant.isMicrophoneEnabled; }

  get maySound() { return this.#room.canPlaybackAudio; }

  async join(token, isProcessed) {
    this.#context = new AudioContext();
    await this.#room.connect(location.origin.replace(/^http/, 'ws'), token);
    if (this.#isOver) return;
    this.#isIn = true;
    this.state = 'opening the microphone…';
    this.#hears.changed();
    await this.#room.startAudio().catch(() => {});
    try {
      await this.#room.localParticipant.setMicrophoneEnabled(true, isProcessed ? MICROPHONE : PLAIN, PUBLISH);
    } catch (error) {
      this.#hears.trouble(`No microphone (${error.message}): you hear the room, it does not hear you. "Unmute" tries again.`);
    }
    this.state = '';
    this.#hears.changed();
  }

  async toggleMute() {
    try {
      await this.#room.localParticipant.setMicrophoneEnabled(this.isMuted, undefined, PUBLISH);
      this.#hears.trouble('');
    } catch (error) {
      this.#hears.trouble('The microphone cannot be used: ' + error.message);
    }
    this.#hears.changed();
  }

  allowSound() {
    this.#context?.resume();
    return this.#room.startAudio();
  }

  leave() {
    this.#isOver = true;
    this.#room.disconnect();
    this.#context?.close().catch(() => {});
    this.#context = null;
    this.#levels.clear();
    this.#hears.audio.replaceChildren();
  }

  /** Who is in the room, we first. */
  people() {
    if (!this.#isIn) return [];
    const { localParticipant, remoteParticipants } = this.#room;
    return [localParticipant, ...remoteParticipants.values()].map((one) => ({
      identity: one.identity,
      name: (one.name || one.identity) + (one === localParticipant ? ' (you)' : ''),
      note: this.#note(one),
      isSpeaking: one.isSpeaking,
    }));
  }

  /** 0 to 1 over 60 dB, for a meter. */
  level(identity) {
    const meter = this.#levels.get(identity);
    if (!meter) return 0;
    meter.analyser.getFloatTimeDomainData(meter.samples);
    let sum = 0;
    for (const sample of meter.samples) sum += sample * sample;
    const decibels = 10 * Math.log10(sum / meter.samples.length + 1e-9);
    return Math.max(0, Math.min(1, (decibels + 60) / 60));
  }

  #note(one) {
    const words = [];
    if (one.kind === this.#client.ParticipantKind.SIP) words.push('phone', one.attributes['sip.callStatus'] ?? '');
    if (one.kind === this.#client.ParticipantKind.AGENT) words.push('agent');
    if (!one.isMicrophoneEnabled) words.push(one.trackPublications.size > 0 ? 'muted' : 'no microphone');
    return words.filter(Boolean).join(', ');
  }

  #listen() {
    const { RoomEvent } = this.#client;
    const changed = () => this.#hears.changed();
    for (const event of ['ParticipantConnected', 'ParticipantAttributesChanged', 'ActiveSpeakersChanged', 'TrackMuted', 'TrackUnmuted', 'TrackPublished',
      'TrackUnpublished', 'LocalTrackUnpublished', 'AudioPlaybackStatusChanged']) this.#room.on(RoomEvent[event], changed);
    this.#room
      .on(RoomEvent.TrackSubscribed, (track, publication, participant) => this.#play(track, participant))
      .on(RoomEvent.TrackUnsubscribed, (track, publication, participant) => this.#silence(track, participant))
      .on(RoomEvent.LocalTrackPublished, ({ track }, participant) => { this.#measure(track, participant.identity); changed(); })
      .on(RoomEvent.ParticipantDisconnected, (one) => { this.#levels.delete(one.identity); changed(); })
      .on(RoomEvent.Reconnecting, () => { this.state = 'connection lost, trying again…'; changed(); })
      .on(RoomEvent.SignalReconnecting, () => { this.state = 'signal lost, trying again…'; changed(); })
      .on(RoomEvent.Reconnected, () => { this.state = ''; changed(); })
      .on(RoomEvent.Disconnected, (reason) => !this.#isOver && this.#hears.ended(this.#why(reason)));
  }

  #why(reason) {
    return 'You are out of the room: ' + (this.#client.DisconnectReason[reason] ?? 'unknown reason').toLowerCase().replaceAll('_', ' ') + '.';
  }

  #play(track, participant) {
    if (track.kind !== 'audio') return;
    this.#hears.audio.append(track.attach());
    this.#measure(track, participant.identity);
    this.#hears.changed();
  }

  #silence(track, participant) {
    track.detach().forEach((element) => element.remove());
    this.#levels.delete(participant.identity);
    this.#hears.changed();
  }

  #measure(track, identity) {
    if (!this.#context) return;
    const analyser = this.#context.createAnalyser();
    analyser.fftSize = 1024;
    this.#context.createMediaStreamSource(new MediaStream([track.mediaStreamTrack])).connect(analyser);
    this.#levels.set(identity, { analyser, samples: new Float32Array(analyser.fftSize) });
  }
}
