// Scenarios that need more than their messages, and those that cannot be replayed.

const roomOf = (scenario) => scenario.record.setup.find((s) => s.op === 'CreateSIPDispatchRule').request.rule.dispatch_rule_direct.room_name;
const remove = async (scenario) => {
  const room = roomOf(scenario);
  const { participants = [] } = await scenario.node.post('ListParticipants', { room });
  for (const p of participants.filter((x) => x.identity.startsWith('sip_'))) await scenario.node.post('RemoveParticipant', { room, identity: p.identity });
};
const deleteRoom = (scenario) => scenario.node.post('DeleteRoom', { room: roomOf(scenario) });
const drain = async (scenario) => { scenario.node.child.kill('SIGTERM'); await new Promise((r) => setTimeout(r, 300)); };

// Pattern of ids, what to do: act (make the room do what it did in the recording), talkMs (RTP stops after that), patience (for a
// request of ours) and settle (for the last answer), ms; once: not played again; digits: keys pressed after the ACK of a leg; seconds: how long it takes, for the order.
const rules = [
  [/^(1\.54|1\.44|3\.29|6\.05)/, { act: remove }],
  [/^6\.04/, { act: deleteRoom }],
  [/^1\.1[0-9]|^1\.2[01]/, { patience: 12000, answerWithin: 12000, seconds: 15 }],
  [/^1\.20/, { digits: { pin: '5678#', open: '#', wrong: '9999#' }, once: true }],
  [/^1\.22/, { digits: { '0001#': '0001#', '0002#': '0002#', '0003#': '0003#', '1234#': '1234#' }, patience: 2500, once: true, seconds: 15 }],
  [/^1\.49/, { patience: 8000, seconds: 6 }],
  [/^1\.50/, { patience: 9000, talkMs: 1000, seconds: 6 }],
  [/^2\.77(-|c)/, { patience: 40000, talkMs: 0, seconds: 40 }],
  [/^2\.78/, { patience: 40000, talkMs: 0, seconds: 40 }],
  [/^2\.97/, { once: true }],
  [/^3\.06/, { patience: 25000, talkMs: 1000, seconds: 20 }],
  [/^3\.02b/, { patience: 20000, talkMs: 400, seconds: 20 }],
  [/^2\.98/, { beforeLeg: { opt: drain }, once: true, seconds: 8 }],
];

/** Waits and doings of single scenarios. */
export function special(record) {
  return Object.assign({}, ...rules.filter(([pattern]) => pattern.test(record.id)).map(([, what]) => what));
}

const reasons = [
  [/^(1\.98|2\.06b)/, 'no message was exchanged: seen in the incumbent\'s log or API only'],
  [/^2\.99/, 'the incumbent\'s room server or Redis was stopped; here the room server of `--dev` is in the same process. Row 18 below names the tests'],
  [/^1\.53/, 'RPCs of an agent: `RoomMethodsTests`, tests/interop/rooms/transfer.mjs'],
  [/^6\.07/, 'TransferSIPParticipant through an agent: `TransferTests`, `ChallengeTests`, tests/interop/rooms/transfer.mjs'],
  [/^6\.(03|06|08|1[0-4])/, 'what the agent did in the room is not replayed'],
];

/** Why a scenario is not replayed; undefined for those that are. */
export function skipped(record) {
  return reasons.find(([pattern]) => pattern.test(record.id))?.[1];
}
