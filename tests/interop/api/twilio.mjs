// Twilio's own package signs the requests and reads the answers of POST /twilio/voice.
import twilio from 'twilio';
import { startNode, siproom, freePort, check, finish, HOST } from './node.mjs';

const AUTH = 'an auth token of Twilio';
const number = '+15105550100';
const policy = {
  'trunks/ST_twilio.json': { name: 'Twilio', numbers: [number], authUsername: 'user', authPassword: 'p<&"w' },
  'trunks/ST_open.json': { name: 'Bins', authUsername: 'bin', authPassword: 'secret' },
};
const fields = { To: number, From: '+13105550199', CallSid: 'CA0123456789abcdef0123456789abcdef', AccountSid: 'AC1', Direction: 'inbound', CallerName: 'Zoë & Söhne' };

/** What Twilio does: signs `url` and posts the form to `at`. */
async function post(at, url, { form = fields, auth = AUTH, headers = {} } = {}) {
  const body = new URLSearchParams();
  for (const [name, value] of Object.entries(form)) for (const v of [value].flat()) body.append(name, v);
  const response = await fetch(at, { method: 'POST', body, headers: { 'x-twilio-signature': twilio.getExpectedTwilioSignature(auth, url, form), ...headers } });
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

const voice = new twilio.twiml.VoiceResponse();
voice.dial({ answerOnBridge: true }).sip({ username: 'user', password: 'p<&"w' }, `sip:${number}@sip.example.com;transport=tcp`);
const wanted = voice.toString().replace(/\s*\n\s*/g, '');

{
  const node = await startNode({ policy, config: 'twilio: { sip_host: sip.example.com }', env: { TWILIO_AUTH_TOKEN: AUTH } });
  const url = node.url + '/twilio/voice';
  const good = await post(url, url);
  check('a signed request gets the TwiML that the twilio package would write', good.status === 200 && good.type.startsWith('text/xml')
    && good.text.replace(/\s*\n\s*/g, '') === wanted, `${good.text} wanted ${wanted}`);
  check('a query is part of the signature', (await post(url + '?a=1&b=%20x', url + '?a=1&b=%20x')).status === 200 && (await post(url + '?a=1', url)).status === 403);
  check('a name that comes twice', (await post(url, url, { form: { ...fields, Media: ['z', 'a', 'z'] } })).status === 200);
  check('another auth token', (await post(url, url, { auth: 'of somebody else' })).status === 403);
  check('a changed form', (await post(url, url, { headers: { 'x-twilio-signature': twilio.getExpectedTwilioSignature(AUTH, url, { ...fields, To: '+1' }) } })).status === 403);
  check('no signature', (await fetch(url, { method: 'POST', body: new URLSearchParams(fields) })).status === 403);
  check('forwarded headers of nobody in particular', (await post(url, 'https://pbx.example.com/twilio/voice',
    { headers: { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'pbx.example.com' } })).status === 403);
  const other = await post(url, url, { form: { ...fields, To: '+15105550111' } });
  check('a number of no trunk goes to the trunk without numbers', other.text.includes('username="bin"') && other.text.includes('sip:+15105550111@'), other);
  const client = await post(url, url, { form: { ...fields, To: 'client:alice' } });
  check('what is no number is rejected with the reason', client.status === 200 && client.text.includes('<Reject/>') && client.text.includes('no telephone number'), client);
  check('a huge form', (await post(url, url, { form: { ...fields, Big: 'x'.repeat(100000) } })).status === 413);
  check('a GET', (await fetch(url)).status === 405);
  check('the log names the URL and no secret', node.log().includes('whose signature does not fit') && !node.log().includes(AUTH) && !node.log().includes('p<&'), node.log());
  const metrics = await (await fetch(node.url + '/metrics')).text();
  check('requests are counted', /siproom_twilio_requests_total\{result="answered"\} [1-9]/.test(metrics) && /result="bad_signature"\} [1-9]/.test(metrics));
  await node.stop();
}
{
  const at = `${HOST}:${await freePort()}`;
  const node = await startNode({ policy, config: `public_http: ${at}\ntwilio:\n  auth_token: ${AUTH}\n  public_url: https://pbx.example.com\n  sip_host: sip.example.com\n  transport: tcp\n` });
  const url = `http://${at}/twilio/voice`;
  check('public_url is what counts on public_http', (await post(url, 'https://pbx.example.com/twilio/voice')).status === 200 && (await post(url, url)).status === 403);
  check('nothing else is on public_http', (await fetch(`http://${at}/metrics`)).status === 404 && (await fetch(`http://${at}/`)).status === 404
    && (await fetch(`http://${at}/twirp/livekit.SIP/ListSIPInboundTrunk`, { method: 'POST', body: '{}' })).status === 404);
  await node.stop();
}
{
  const node = await startNode({ policy, config: `twilio: { auth_token: "${AUTH}", trusted_proxies: [127.0.0.0/8], sip_host: sip.example.com }` });
  const at = node.url + '/twilio/voice';
  check('forwarded headers of a trusted proxy', (await post(at, 'https://pbx.example.com/twilio/voice',
    { headers: { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'pbx.example.com' } })).status === 200);
  const bin = await siproom(['twilio', 'twiml', '--number', number, '--policy', node.dir, '--sip-host', 'sip.example.com']);
  check('siproom twilio twiml prints the same', bin.code === 0 && bin.out.replace(/\s*\n\s*/g, '') === wanted, bin);
  const conference = await siproom(['twilio', 'twiml', '--number', number, '--policy', node.dir, '--sip-host', 'sip.example.com', '--conference', 'room 1']);
  check('the form with a conference names the credentials of the REST call', conference.out.includes('<Conference>room 1</Conference>')
    && conference.out.includes('SipAuthUsername=user') && conference.out.includes('/Conferences/room%201/Participants.json'), conference);
  const lost = await siproom(['twilio', 'twiml', '--number', number, '--policy', node.dir]);
  check('without a SIP host it says what is missing', lost.code === 2 && lost.err.includes('twilio.sip_host'), lost);
  await node.stop();
}
{
  const node = await startNode({ policy, env: { TWILIO_AUTH_TOKEN: '' } });
  check('without an auth token there is no route', (await post(node.url + '/twilio/voice', node.url + '/twilio/voice')).status === 404);
  await node.stop();
}
finish();
