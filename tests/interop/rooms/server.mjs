// Starts `siproom rooms` for a script, or uses the one named by SIPROOM_ROOMS_URL.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { existsSync } from 'node:fs';
import { AccessToken } from 'livekit-server-sdk';

const root = fileURLToPath(new URL('../../../', import.meta.url));

export async function startServer(http = '127.0.0.1:17880', ice = 17882) {
  if (process.env.SIPROOM_ROOMS_URL) return { url: process.env.SIPROOM_ROOMS_URL, stop: async () => {} };
  const native = process.env.SIPROOM ?? root + 'artifacts/siproom';
  const jit = root + 'src/Proxy.Server/bin/Debug/net9.0/siproom.dll';
  const [command, args] = existsSync(native) ? [native, []] : ['dotnet', [jit]];
  const child = spawn(command, [...args, 'rooms', '--http', http, '--dev-ice-port', String(ice)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = new Promise((r) => child.once('exit', r));
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (text) => String(text).includes('ready') && resolve());
    child.once('exit', (code) => reject(new Error('siproom rooms ended with ' + code)));
    setTimeout(() => reject(new Error('siproom rooms is not ready after 15 s')), 15000).unref();
  });
  return { url: 'ws://' + http, pid: child.pid, stop: async () => { child.kill('SIGTERM'); await exited; } };
}

export async function token(room, identity, extra = {}) {
  const at = new AccessToken('devkey', 'secret', { identity, name: 'n-' + identity, ...extra.claims });
  at.addGrant({ roomJoin: true, room, canPublish: true, canSubscribe: true, canPublishData: true, canUpdateOwnMetadata: true, ...extra.grants });
  if (extra.roomConfig) at.roomConfig = extra.roomConfig;
  return at.toJwt();
}

let failures = 0;
export function check(name, ok, detail = '') {
  if (!ok) failures++;
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name}${detail === '' ? '' : '  ' + (typeof detail === 'string' ? detail : JSON.stringify(detail))}`);
}
export function finish() {
  console.log(failures === 0 ? 'all passed' : failures + ' failed');
  process.exit(failures === 0 ? 0 : 1);
}
