// Starts `siproom serve --dev --policy DIR` for a script and gives what it needs to ask: tokens, Twirp, the verdict of a call.
import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { createServer } from 'node:net';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const root = fileURLToPath(new URL('../../../', import.meta.url));
export const HOST = process.env.SIPROOM_HOST ?? '127.0.0.1';
export const KEY = 'devkey';
export const SECRET = 'secret';
const native = process.env.SIPROOM ?? root + 'artifacts/siproom';
const command = existsSync(native) ? [native] : ['dotnet', root + 'src/Proxy.Server/bin/Debug/net9.0/siproom.dll'];

const running = new Set();
const folders = [];
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** A port that nobody has at this moment. */
export const freePort = () => new Promise((resolve, reject) => {
  const server = createServer().once('error', reject).listen(0, HOST, () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});

/** An empty folder that goes with the process. */
export function scratch() {
  const folder = mkdtempSync(join(tmpdir(), 'siproom-api-'));
  folders.push(folder);
  return folder;
}

/** A node of its own; `policy` maps names such as `rules/a.json` to objects, `at` is a policy folder that is there already. */
export async function startNode({ config = '', policy = {}, at = '', env = {} } = {}) {
  const folder = scratch();
  const dir = at || join(folder, 'policy');
  mkdirSync(dir, { recursive: true });
  for (const [name, object] of Object.entries(policy)) {
    mkdirSync(join(dir, name, '..'), { recursive: true });
    writeFileSync(join(dir, name), typeof object === 'string' ? object : JSON.stringify(object));
  }
  const file = join(folder, 'siproom.yaml');
  writeFileSync(file, `control: off\n${config}\n`);
  const http = `${HOST}:${await freePort()}`;
  const sip = `${HOST}:${await freePort()}`;
  const args = [...command.slice(1), 'serve', '--dev', '--config', file, '--policy', dir, '--sip', sip, '--http', http, '--rtp', '24000-24100'];
  const child = spawn(command[0], args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  running.add(child);
  let log = '';
  child.stderr.on('data', (text) => { log += text; });
  const exited = new Promise((r) => child.once('exit', (code) => { running.delete(child); r(code); }));
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (text) => String(text).includes('ready') && resolve());
    child.once('exit', (code) => reject(new Error(`siproom serve ended with ${code}: ${log}`)));
    setTimeout(() => reject(new Error('siproom serve is not ready after 60 s')), 60000).unref();
  });
  return {
    url: 'http://' + http, http, sip, folder, dir, file, log: () => log,
    stop: async () => { child.kill('SIGTERM'); return exited; },
  };
}

/** Runs the binary to its end. */
export function siproom(args, { env = {}, cwd } = {}) {
  const child = spawn(command[0], [...command.slice(1), ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env }, cwd });
  let out = '', err = '';
  child.stdout.on('data', (t) => { out += t; });
  child.stderr.on('data', (t) => { err += t; });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, out, err })));
}
export const program = command;

const part = (json) => Buffer.from(JSON.stringify(json)).toString('base64url');

/** A token with exactly these claims. */
export function sign(claims, secret = SECRET, header = { alg: 'HS256', typ: 'JWT' }) {
  const body = part(header) + '.' + part(claims);
  return body + '.' + createHmac('sha256', secret).update(body).digest('base64url');
}

/** Claims good for ten minutes. */
export function claims(grants, seconds = 600) {
  const now = Math.floor(Date.now() / 1000);
  return { iss: KEY, nbf: now - 5, exp: now + seconds, ...grants };
}

export const admin = () => sign(claims({ sip: { admin: true, call: true } }));

/** What would become of a call, by the code that decides calls. */
export async function explain(node, call) {
  const response = await fetch(node.url + '/policy/explain', {
    method: 'POST', headers: { authorization: 'Bearer ' + admin(), 'content-type': 'application/json' }, body: JSON.stringify(call),
  });
  return response.json();
}

let failures = 0;
let passes = 0;
export function check(name, ok, detail = '') {
  if (ok) passes++; else failures++;
  const more = ok || detail === '' ? '' : '  ' + (typeof detail === 'string' ? detail : JSON.stringify(detail));
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}${more}`);
}

/** The error that a call of the SDK ends with. */
export async function refused(promise) {
  try { await promise; } catch (e) { return { status: e.status, code: e.code, message: e.message }; }
  return { status: 200, code: 'none', message: '' };
}

export function finish() {
  console.log(`${passes} checks passed, ${failures} failed`);
  process.exit(failures === 0 ? 0 : 1);
}
