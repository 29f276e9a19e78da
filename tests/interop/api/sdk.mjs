// The official livekit-server-sdk against `siproom serve --dev --policy DIR`: what the documentation's examples do, what wrong requests
// are told, what tokens allow; then the calls that official clients made against a stock server, replayed (replay.mjs).
import { SipClient, RoomServiceClient, AgentDispatchClient, TwirpError } from 'livekit-server-sdk';
import { SIPDispatchRuleInfo, SIPInboundTrunkInfo, RoomConfiguration, RoomAgentDispatch, ListUpdate, SIPTransport } from '@livekit/protocol';
import { startNode, explain, check, finish, refused, sign, claims, KEY, SECRET } from './node.mjs';
import { replay } from './replay.mjs';

const node = await startNode({ policy: stock() });
const sip = new SipClient(node.url, KEY, SECRET, { failover: false, requestTimeout: 60 });
try {
  await trunks();
  await rules();
  await numbers();
  await wrong();
  await tokens();
  await calls();
} catch (e) {
  check('the examples run to their end', false, `${e.stack}\n${node.log()}`);
}
await node.stop();
await replay();
finish();

function stock() {
  return Object.fromEntries([1, 2, 3].map((n) => [`numbers/PN_${n}.json`,
    { id: `PN_${n}`, e164Format: `+1415555010${n}`, countryCode: 'US', areaCode: n < 3 ? '415' : '628', locality: 'San Francisco' }]));
}

async function trunks() {
  const any = await sip.createSipInboundTrunk('My trunk', ['+15105550100'], { krispEnabled: true });
  check('a trunk for any caller', any.sipTrunkId.startsWith('ST_') && any.numbers[0] === '+15105550100' && any.krispEnabled, any);
  const some = await sip.createSipInboundTrunk('My trunk', ['+15105550101'], { allowedNumbers: ['+13105550100', '+17145550100'] });
  check('a trunk for two callers', some.allowedNumbers.join() === '+13105550100,+17145550100', some);
  const auth = await sip.createSipInboundTrunk('Twilio', ['+15105550102'], { authUsername: 'user', authPassword: 'pass', ringingTimeout: 30 });
  check('a trunk with credentials', auth.authUsername === 'user' && Number(auth.ringingTimeout?.seconds) === 30, auth);
  const all = await sip.listSipInboundTrunk();
  check('trunks are listed by id', all.length === 3 && all.every((t, i) => i === 0 || all[i - 1].sipTrunkId < t.sipTrunkId), all.map((t) => t.sipTrunkId));
  check('trunks are listed by number', (await sip.listSipInboundTrunk({ numbers: ['+15105550101'] })).map((t) => t.sipTrunkId).join() === some.sipTrunkId);
  const picked = await sip.listSipInboundTrunk({ trunkIds: [auth.sipTrunkId, 'ST_none'] });
  check('a trunk is got by its id', picked[0].sipTrunkId === auth.sipTrunkId && picked.length === 1, picked);
  const fields = await sip.updateSipInboundTrunkFields(any.sipTrunkId, { name: 'My updated trunk', numbers: new ListUpdate({ add: ['+15105550109'] }) });
  check('fields of a trunk change', fields.name === 'My updated trunk' && fields.numbers.join() === '+15105550100,+15105550109' && fields.krispEnabled, fields);
  const whole = await sip.updateSipInboundTrunk(any.sipTrunkId, new SIPInboundTrunkInfo({ name: 'Replaced', numbers: ['+15105550100'] }));
  check('a whole trunk is replaced', whole.name === 'Replaced' && whole.sipTrunkId === any.sipTrunkId && !whole.krispEnabled && whole.numbers.length === 1, whole);
  const out = await sip.createSipOutboundTrunk('Out', 'sip.example.test', ['+15105550110'], { transport: SIPTransport.SIP_TRANSPORT_TCP, authUsername: 'u', authPassword: 'p' });
  check('an outbound trunk is stored', (await sip.listSipOutboundTrunk()).some((t) => t.sipTrunkId === out.sipTrunkId && t.address === 'sip.example.test'));
  const moved = await sip.updateSipOutboundTrunkFields(out.sipTrunkId, { name: 'Out 2' });
  check('an outbound trunk changes', moved.name === 'Out 2' && moved.authUsername === 'u', moved);
  check('all trunks in the old shape', (await sip.listSipTrunk()).length === 4);
  await sip.deleteSipTrunk(out.sipTrunkId);
  check('a trunk is deleted', (await sip.listSipOutboundTrunk()).length === 0);
}

async function rules() {
  const [trunk] = await sip.listSipInboundTrunk({ numbers: ['+15105550101'] });
  const roomConfig = new RoomConfiguration({ agents: [new RoomAgentDispatch({ agentName: 'inbound-agent', metadata: 'job dispatch metadata' })] });
  const individual = await sip.createSipDispatchRule({ type: 'individual', roomPrefix: 'call-' }, { name: 'My dispatch rule', roomConfig });
  check('a rule with a room for each caller and an agent', individual.rule?.rule.case === 'dispatchRuleIndividual'
    && individual.roomConfig?.agents[0].agentName === 'inbound-agent' && individual.roomConfig.agents[0].metadata === 'job dispatch metadata', individual);
  const direct = await sip.createSipDispatchRule({ type: 'direct', roomName: 'open-room', pin: '12345' }, { name: 'with a PIN', hidePhoneNumber: true,
    metadata: '{"is_internal": true}', attributes: { key: 'value' } });
  check('a rule for one room with a PIN', direct.rule?.rule.value.pin === '12345' && direct.hidePhoneNumber && direct.attributes.key === 'value', direct);
  const callee = await sip.createSipDispatchRule({ type: 'callee', roomPrefix: 'number-', randomize: true }, { name: 'callee', trunkIds: [trunk.sipTrunkId] });
  check('a rule with a room for each called number', callee.rule?.rule.value.randomize && callee.trunkIds[0] === trunk.sipTrunkId, callee);
  check('rules are listed', (await sip.listSipDispatchRule()).length === 3);
  const of = await sip.listSipDispatchRule({ trunkIds: [trunk.sipTrunkId] });
  check('rules of a trunk are listed, those for all trunks too', of.some((r) => r.sipDispatchRuleId === callee.sipDispatchRuleId) && of.length === 3, of);
  const fields = await sip.updateSipDispatchRuleFields(direct.sipDispatchRuleId, { name: 'renamed', metadata: '{"x":1}' });
  check('fields of a rule change', fields.name === 'renamed' && fields.rule?.rule.value.pin === '12345' && fields.attributes.key === 'value', fields);
  const whole = await sip.updateSipDispatchRule(direct.sipDispatchRuleId, new SIPDispatchRuleInfo({ name: 'whole',
    rule: { rule: { case: 'dispatchRuleDirect', value: { roomName: 'open-room', pin: '54321' } } } }));
  check('a whole rule is replaced', whole.name === 'whole' && whole.rule?.rule.value.pin === '54321' && whole.attributes.key === undefined, whole);
  const gone = await sip.deleteSipDispatchRule(callee.sipDispatchRuleId);
  check('a rule is deleted', gone.sipDispatchRuleId === callee.sipDispatchRuleId && (await sip.listSipDispatchRule()).length === 2);
}

/** The SDK has no client for this service yet: its requests as the other SDKs send them. */
async function numbers() {
  const ask = async (method, body, token = sign(claims({ sip: { admin: true } }))) => {
    const r = await fetch(`${node.url}/twirp/livekit.PhoneNumberService/${method}`, { method: 'POST', body: JSON.stringify(body),
      headers: { 'content-type': 'application/json', authorization: 'Bearer ' + token } });
    return { status: r.status, ...(await r.json()) };
  };
  const [rule] = await sip.listSipDispatchRule();
  check('numbers are searched by area', (await ask('SearchPhoneNumbers', { countryCode: 'US', areaCode: '415', limit: 10 })).items?.length === 2);
  const bought = await ask('PurchasePhoneNumber', { phoneNumbers: ['+14155550101'] });
  check('a number is bought, offline without a rule', bought.phone_numbers?.[0].status === 'PHONE_NUMBER_STATUS_OFFLINE', bought);
  const with2 = await ask('PurchasePhoneNumber', { phoneNumbers: ['+14155550102'], sipDispatchRuleId: rule.sipDispatchRuleId });
  check('a number is bought with its rule', with2.phone_numbers?.[0].status === 'PHONE_NUMBER_STATUS_ACTIVE', with2);
  const list = await ask('ListPhoneNumbers', {});
  check('numbers are listed and counted', list.items?.length === 2 && list.total_count === 2 && list.offline_count === 1, list);
  const updated = await ask('UpdatePhoneNumber', { phoneNumber: '+14155550101', sipDispatchRuleId: rule.sipDispatchRuleId });
  check('a number is pointed at a rule', updated.phone_number?.sip_dispatch_rule_ids[0] === rule.sipDispatchRuleId, updated);
  check('a number is got', (await ask('GetPhoneNumber', { id: 'PN_1' })).phone_number?.e164_format === '+14155550101');
  check('numbers are released', (await ask('ReleasePhoneNumbers', { phoneNumbers: ['+14155550101'], ids: ['PN_2'] })).status === 200
    && (await ask('ListPhoneNumbers', {})).total_count === 0);
  const none = await ask('GetPhoneNumber', { phoneNumber: '+10000000000' });
  check('a number that is not there is 404', none.status === 404 && none.code === 'not_found', none);
  const denied = await ask('ListPhoneNumbers', {}, sign(claims({ sip: { call: true } })));
  check('numbers need sip.admin', denied.status === 401 && denied.code === 'unauthenticated', denied);
}

async function wrong() {
  const same = await refused(sip.createSipInboundTrunk('dup', ['+15105550100']));
  check('a second trunk for a number', same.status === 400 && same.code === 'invalid_argument' && same.message.includes('<new>') && /ST_\w+/.test(same.message)
    && same.message.startsWith('Conflicting inbound SIP Trunks: ') && same.message.includes('using the same number(s) ["+15105550100"]'), same);
  const open = await refused(sip.createSipInboundTrunk('open', []));
  check('a trunk that anybody could use', open.message === 'for security, one of the fields must be set: AuthUsername+AuthPassword, AllowedAddresses or Numbers', open);
  const none = await refused(sip.updateSipInboundTrunkFields('ST_none', { name: 'x' }));
  check('a trunk that is not there', none.status === 404 && none.code === 'not_found' && none.message === 'requested sip trunk does not exist', none);
  const rule = await refused(sip.createSipDispatchRule({ type: 'direct', roomName: 'x' }));
  check('two rules for the same calls', rule.status === 400 && rule.message.startsWith('Dispatch rule for the same trunk, inbound number, number, and PIN combination already exists'), rule);
  const gone = await refused(sip.deleteSipDispatchRule('SDR_none'));
  check('a rule that is not there', gone.status === 404 && gone.message === 'requested sip dispatch rule does not exist', gone);
  const legacy = await refused(sip.createSipTrunk('+15105550190'));
  check('CreateSIPTrunk is gone', legacy.status === 404 && legacy.code === 'bad_route', legacy);
  const dial = await refused(sip.createSipParticipant('ST_x', '+15105550199', 'room'));
  check('dialling out is unimplemented, with a sentence', dial.code === 'unimplemented' && dial.message.length > 10, dial);
  const move = await refused(sip.transferSipParticipant('room', 'nobody', 'tel:+15105550100'));
  check('a transfer of nobody', move.status === 404 && move.code === 'not_found', move);
}

async function tokens() {
  const other = await refused(new SipClient(node.url, KEY, 'not the secret', { failover: false, requestTimeout: 60 }).listSipInboundTrunk());
  check('a token of another secret', other.status === 401, other);
  const key = await refused(new SipClient(node.url, 'nobody', SECRET, { failover: false, requestTimeout: 60 }).listSipInboundTrunk());
  check('a token of an unknown key', key.status === 401, key);
  const ask = async (token, method = 'ListSIPInboundTrunk') => (await fetch(`${node.url}/twirp/livekit.SIP/${method}`, { method: 'POST', body: '{}',
    headers: { 'content-type': 'application/json', ...(token && { authorization: 'Bearer ' + token }) } })).status;
  check('the right token', await ask(sign(claims({ sip: { admin: true } }))) === 200);
  check('no token', await ask('') === 401);
  check('no grant', await ask(sign(claims({}))) === 401);
  check('sip.call does not list', await ask(sign(claims({ sip: { call: true } }))) === 401);
  check('roomAdmin does not list', await ask(sign(claims({ video: { roomAdmin: true, room: 'x' } }))) === 401);
  check('an expired token', await ask(sign({ ...claims({ sip: { admin: true } }), exp: Math.floor(Date.now() / 1000) - 120 })) === 401);
  check('alg none', await ask(sign(claims({ sip: { admin: true } }), SECRET, { alg: 'none', typ: 'JWT' })) === 401);
  check('sip.admin does not call', await ask(sign(claims({ sip: { admin: true } })), 'CreateSIPParticipant') === 401);
}

/** What was stored over the API decides calls at once. */
async function calls() {
  const verdict = await explain(node, { from: '+13105550100', to: '+15105550101' });
  check('a call through the stored objects meets the PIN rule', verdict.verdict === 'pin' && verdict.trunk_id.startsWith('ST_'), verdict);
  const other = await explain(node, { from: '+19995550100', to: '+15105550101' });
  check('a caller who is not allowed is refused with a reason', other.verdict === 'reject' && other.sip.status === 403 && other.sentence.length > 0, other);
  const rooms = new RoomServiceClient(node.url, KEY, SECRET, { failover: false, requestTimeout: 60 });
  const room = await rooms.createRoom({ name: 'sdk', emptyTimeout: 10, maxParticipants: 4 });
  check('the built-in room server makes rooms for the SDK', room.name === 'sdk' && room.sid.startsWith('RM_'), room);
  const dispatch = new AgentDispatchClient(node.url, KEY, SECRET, { failover: false, requestTimeout: 60 });
  const job = await dispatch.createDispatch('sdk', 'agent-x', { metadata: 'md' });
  check('an agent is dispatched by the SDK', job.agentName === 'agent-x' && (await dispatch.listDispatch('sdk')).some((d) => d.id === job.id), job);
}
