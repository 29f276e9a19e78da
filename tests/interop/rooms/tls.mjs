// SIP over TLS with SDES SRTP through the native binary: openssl s_client shakes hands, baresip calls; both ways heard.
import { dispose } from '@livekit/rtc-node';
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { record, analyse } from './audio.mjs';
import { agent, good, sleep } from './room-agent.mjs';
import { check, finish } from './server.mjs';
import { startNode, run, siproom, toneFiles, readWav, scratch, HOST } from './node.mjs';

const seconds = Number(process.env.SECONDS_OF_TONE ?? 12);
const TLS = HOST + ':15061';
const folder = join(scratch, 'tls');
mkdirSync(folder, { recursive: true });
const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'pipe'] }).toString();

/** A certificate for the address of the test, over NAME.pem and NAME.key. */
function certificate(name, host = HOST) {
  openssl('req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2', '-subj', '/CN=' + name,
    '-addext', 'subjectAltName=IP:' + host + ',DNS:' + name, '-keyout', join(folder, name + '.key'), '-out', join(folder, name + '.pem'));
  return openssl('x509', '-in', join(folder, name + '.pem'), '-noout', '-serial').trim();
}

/** What a client sees of a handshake; it hangs up after it. */
async function handshake(...args) {
  const { child, done } = run('openssl', ['s_client', '-connect', TLS, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end();
  const { out, err } = await done;
  return out + err;
}

/** Trunk and rule for one number, with one media encryption. */
function policy(encryption) {
  const dir = join(folder, 'policy');
  mkdirSync(join(dir, 'trunks'), { recursive: true });
  mkdirSync(join(dir, 'rules'), { recursive: true });
  writeFileSync(join(dir, 'trunks', 'tls.json'), JSON.stringify({ sip_trunk_id: 'ST_tls', numbers: ['+15550180'], allowed_addresses: ['127.0.0.0/8'], media_encryption: 'SIP_MEDIA_ENCRYPT_' + encryption }));
  writeFileSync(join(dir, 'rules', 'tls.json'), JSON.stringify({ sip_dispatch_rule_id: 'SDR_tls', trunk_ids: ['ST_tls'], rule: { dispatchRuleDirect: { roomName: 'secure' } } }));
  return dir;
}

function baresip(name, { transport = 'tls', mediaenc = 'srtp-mand', to = TLS }) {
  const dir = join(folder, name);
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, 'accounts'), `<sip:+15550111@${HOST};transport=${transport}>;regint=0;audio_codecs=PCMU;mediaenc=${mediaenc}\n`);
  writeFileSync(join(dir, 'contacts'), '');
  writeFileSync(join(dir, 'config'), ['poll_method epoll', `sip_listen ${HOST}:15099`, 'sip_cafile ' + join(folder, 'siproom.test.pem'), 'rtp_ports 23100-23200',
    'audio_player aubridge,sink', 'snd_path ' + dir, 'audio_source aufile,' + toneFiles(1000, seconds + 10).wav, 'audio_alert aufile,/dev/null', 'ausrc_srate 8000', 'auplay_srate 8000',
    'module_path /usr/lib/baresip/modules', 'module g711.so', 'module aufile.so', 'module aubridge.so', 'module sndfile.so', 'module uuid.so', 'module srtp.so',
    'module account.so', 'module_app menu.so', ''].join('\n'));
  return { dir, ...run('baresip', ['-v', '-f', dir, '-e', `/dial sip:+15550180@${to}`, '-t', String(seconds + 6)]) };
}

/** One call by baresip, judged on both sides. */
async function call(node, name, options, expectsSrtp) {
  const a = await agent(node, 'secure');
  const phone = baresip(name, options);
  const [track] = await a.heard;
  const samples = await record(track, seconds + 1);
  const result = await phone.done;
  const up = analyse(samples.subarray(48000), 1000);
  check(`${name}: the room hears 1 kHz`, good(up, 1000, -18.06), up);
  const dump = readdirSync(phone.dir).find((f) => f.endsWith('-dec.wav'));
  const heard = dump ? (({ samples: down, rate }) => analyse(down.subarray(rate * 2, rate * (seconds - 1)), 440, rate))(readWav(join(phone.dir, dump))) : null;
  check(`${name}: baresip hears the agent's 440 Hz`, heard && good(heard, 440, -18.06), heard ?? (result.out + result.err).slice(-600));
  await sleep(500);
  const line = node.records().at(-1) ?? {};
  check(`${name}: the record names ${expectsSrtp || 'no SRTP'}`, (line.srtp ?? '') === expectsSrtp && line.transport === options.transport && line.media?.srtp_failures === 0,
    { srtp: line.srtp, transport: line.transport, code: line.code, failures: line.media?.srtp_failures });
  await a.leave();
  return line;
}

const first = certificate('siproom.test');
const socket = join(folder, 'control.sock');
const settings = (encryption) => `control: ${socket}\npolicy: { folder: ${policy(encryption)} }\n`
  + `tls: { port: 15061, certs: [{ cert_file: ${join(folder, 'siproom.test.pem')}, key_file: ${join(folder, 'siproom.test.key')} }] }`;
let node;
try {
  node = await startNode(settings('REQUIRE'));
  for (const version of ['-tls1_2', '-tls1_3']) {
    const seen = await handshake(version, '-CAfile', join(folder, 'siproom.test.pem'), '-verify_return_error');
    check(`openssl s_client ${version}`, seen.includes('Verify return code: 0 (ok)') && seen.includes(`TLSv1.${version.at(-1)}`), seen.match(/Cipher is .*/)?.[0]);
  }
  const old = await handshake('-tls1_1', '-cipher', 'ALL:@SECLEVEL=0');
  check('TLS 1.1 is refused', !old.includes('Cipher is ECDHE') && old.includes('Cipher is (NONE)'));

  const line = await call(node, 'baresip-tls-srtp', { transport: 'tls' }, 'AesCm128HmacSha1Tag80');
  const sip = (await run(siproom, ['calls', 'show', line.call_id, '--sip', '--control', socket]).done).out;
  check('the ladder is kept over TLS, keys are masked', sip.includes('RTP/SAVP') && /inline:\*+/.test(sip) && !/inline:[A-Za-z0-9]/.test(sip));
  const running = baresip('reload', {});
  const b = await agent(node, 'secure');
  await b.heard;
  const second = certificate('siproom.test');
  const reloaded = await run(siproom, ['reload', '--control', socket]).done;
  const fresh = await handshake();
  check('siproom reload: the new certificate is shown', reloaded.code === 0 && first !== second && fresh.includes('CN = siproom.test')
    && (await handshake('-CAfile', join(folder, 'siproom.test.pem'))).includes('Verify return code: 0 (ok)'), (reloaded.out + reloaded.err).trim());
  const live = JSON.parse((await run(siproom, ['calls', 'list', '--live', '--json', '--control', socket]).done).out).live;
  check('the running call goes on', live.length === 1 && live[0].transport === 'tls', live[0]?.state);
  await running.done;
  await sleep(500);
  check('and ends with its BYE', node.records().at(-1)?.ended_by === 'caller', node.records().at(-1)?.code);
  await b.leave();

  const clear = baresip('clear', { mediaenc: '' });
  await clear.done;
  await sleep(500);
  check('without SRTP it is refused where the trunk requires it', node.records().at(-1)?.code === 'media_encryption', node.records().at(-1)?.sentence);
  await node.stop();
  node = await startNode(settings('ALLOW'));
  await call(node, 'baresip-tls-clear', { transport: 'tls', mediaenc: '' }, '');
  await call(node, 'baresip-udp-srtp', { transport: 'udp', to: HOST + ':15060' }, 'AesCm128HmacSha1Tag80');
  const metrics = await node.metrics();
  check('no fault of ours', metrics.siproom_faults_total === 0 && metrics.siproom_sip_connections === 0, metrics.siproom_sip_tls_handshakes_failed_total);
  await node.stop();
} catch (error) {
  check('script', false, error.stack);
  console.log(node?.log().slice(-3000));
  await node?.stop();
}
await dispose();
finish();
