// The nodes that the scenarios are played against: one for every set of objects and settings that cannot share one.
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, writeFileSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHmac } from 'node:crypto';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const scratch = mkdtempSync(join(tmpdir(), 'siproom-wire-'));

/** Records whose objects match any number get a node of their own, as do those whose settings differ. */
export function nodeOf(record) {
  const trunks = record.setup.filter((s) => s.op === 'CreateSIPInboundTrunk' && !s.error);
  const rules = record.setup.filter((s) => s.op === 'CreateSIPDispatchRule' && !s.error);
  if (record.id.startsWith('4.')) return 'carriers';
  // The same message over both transports would be one transaction.
  if (record.id.startsWith('5.')) return record.id.endsWith('-tcp') ? 'torture-tcp' : 'torture';
  const isWild = trunks.some((t) => !t.request.numbers?.length) || rules.some((r) => !r.request.trunk_ids?.length);
  if (isWild || record.sip_config === 'C' || /^(2\.06|2\.95)/.test(record.id)) return record.id;
  return record.sip_config;
}

const settings = {
  A: '',
  B: 'symmetric_rtp: true\nenable_jitter_buffer: true\nhide_inbound_port: true\nadd_record_route: true\naudio_dtmf: true\n',
  C: '',
};

/** Whether somebody publishes audio in the room: where the incumbent answered, or refused before it mattered. */
export function hasAgent(record) {
  const finals = record.ladder.filter((e) => e.dir === '<' && /^SIP\/2.0 [2-6]/.test(e.line) && /^cseq:\s*\d+\s+INVITE/im.test(e.raw)).map((e) => Number(e.line.slice(8, 11)));
  if (finals.some((s) => s < 300)) return true;
  if (record.id.startsWith('5.')) return false;
  return finals.some((s) => s >= 400 && s !== 486 && s !== 487) && !finals.includes(487);
}

function write(folder, kind, id, object) {
  mkdirSync(join(folder, kind), { recursive: true });
  writeFileSync(join(folder, kind, id + '.json'), JSON.stringify(object, null, 1));
}

/** A policy folder out of the recorded API requests. */
function writePolicy(folder, records, maps) {
  mkdirSync(folder, { recursive: true });
  records.forEach((record) => {
    const agents = hasAgent(record) ? { agents: [{ agent_name: 'demo', metadata: 'tone pcmu' }] } : undefined;
    for (const { op, request, id } of record.setup) {
      if (!id) continue;
      const text = JSON.stringify(request).replace(/127\.0\.1\.0\/24/g, maps.get(record)('127.0.1.1').replace(/\.\d+$/, '.0/24'));
      const object = JSON.parse(text);
      if (op === 'CreateSIPInboundTrunk') write(folder, 'trunks', id, { sip_trunk_id: id, ...object });
      else write(folder, 'rules', id, { sip_dispatch_rule_id: id, ...object, ...(agents ? { room_config: { ...object.room_config, ...agents } } : {}) });
    }
  });
}

/** Carriers share one trunk and one rule; the torture messages ring two seconds in a room without anybody, as recorded. */
function writeShared(folder, key) {
  const isTorture = key.startsWith('torture');
  write(folder, 'trunks', 'ST_any', { sip_trunk_id: 'ST_any', name: key, allowed_addresses: ['127.0.0.0/8'], ...(isTorture ? { ringing_timeout: '2s' } : {}) });
  write(folder, 'rules', 'SDR_any', {
    sip_dispatch_rule_id: 'SDR_any', name: key, trunk_ids: ['ST_any'], rule: { dispatch_rule_individual: { room_prefix: key } },
    ...(isTorture ? {} : { room_config: { agents: [{ agent_name: 'demo', metadata: 'tone pcmu' }] } }),
  });
}

let certificate;
function makeCertificate() {
  if (certificate) return certificate;
  const key = join(scratch, 'key.pem'), cert = join(scratch, 'cert.pem');
  spawnSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=siproom.test'], { stdio: 'ignore' });
  certificate = existsSync(cert) ? { key, cert } : {};
  return certificate;
}

export class Node {
  constructor(key, number, records, maps) {
    this.key = key;
    this.host = `127.0.26.${number}`;
    this.sipPort = 17460;
    this.tlsPort = 17461;
    this.http = `${this.host}:17980`;
    this.folder = join(scratch, key.replace(/[^\w.-]/g, '_'));
    this.config = records[0].sip_config;
    this.policy = join(this.folder, 'policy');
    if (key === 'carriers' || key.startsWith('torture')) writeShared(this.policy, key);
    else writePolicy(this.policy, records, maps);
    this.isSecure = records.some((r) => r.tls);
  }

  async start() {
    const { key, cert } = this.isSecure ? makeCertificate() : {};
    const lines = [settings[this.config], `records: { file: ${join(this.folder, 'records.jsonl')} }`, `control: ${join(this.folder, 'control.sock')}`];
    if (key) lines.push(`tls: { port: ${this.tlsPort}, certs: [{ cert_file: ${cert}, key_file: ${key} }] }`);
    const file = join(this.folder, 'siproom.yaml');
    writeFileSync(file, lines.join('\n') + '\n');
    const ports = this.key.startsWith('2.97') ? '17500-17501' : '30000-40000';
    const program = process.env.SIPROOM ?? root + 'artifacts/siproom';
    const args = ['serve', '--dev', '--config', file, '--policy', this.policy, '--sip', `${this.host}:${this.sipPort}`, '--http', this.http, '--rtp', ports, '--dev-ice-port', '17982'];
    const [command, all] = program.endsWith('.dll') ? ['dotnet', [program, ...args]] : [program, args];
    this.child = spawn(command, all, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.log = '';
    this.exited = new Promise((r) => this.child.once('exit', r));
    this.child.stderr.on('data', (t) => { this.log += t; });
    await new Promise((resolve, reject) => {
      this.child.stdout.on('data', (t) => String(t).includes('ready') && resolve());
      this.child.once('exit', (code) => reject(new Error(`node ${this.key} ended with ${code}: ${this.log}`)));
      setTimeout(() => reject(new Error(`node ${this.key} is not ready after 40 s: ${this.log}`)), 40000).unref();
    });
    return this;
  }

  async stop() {
    // A second signal ends at once; calls of a failed scenario must not hold the run.
    this.child.kill('SIGTERM');
    setTimeout(() => this.child.kill('SIGTERM'), 200).unref();
    return this.exited;
  }

  /** A room service call on the built-in room server. */
  async post(method, body) {
    const b64 = (x) => Buffer.from(typeof x === 'string' ? x : JSON.stringify(x)).toString('base64url');
    const now = Math.floor(Date.now() / 1000);
    const unsigned = b64({ alg: 'HS256', typ: 'JWT' }) + '.' + b64({ iss: 'devkey', sub: 'wire', nbf: now - 10, exp: now + 600, video: { roomAdmin: true, roomList: true, roomCreate: true, room: body.room ?? '' } });
    const token = unsigned + '.' + createHmac('sha256', 'secret').update(unsigned).digest('base64url');
    const reply = await fetch(`http://${this.http}/twirp/livekit.RoomService/${method}`, { method: 'POST', headers: { authorization: 'Bearer ' + token, 'content-type': 'application/json' }, body: JSON.stringify(body) });
    return reply.json();
  }
}
