// Runs the examples of docs/: a fenced block whose info string has a second word is one. In the order of the page, in one folder:
//   ```json policy PATH   a policy file               ```json file NAME, ```csv file NAME   a file
//   ```yaml config NAME   a configuration; `siproom check` must find no error
//   ```sh run [STATUS]    must end with that status   ```js run   a module beside livekit-server-sdk
//   ```… sketch           not run: it needs what only its reader has (sound files, a certificate)
//   ```… shows            each line must stand in what the example before it printed
// $LIVEKIT_URL is a node that serves the page's policy folder. A cookbook's sections have a folder each.
import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root, program, scratch, startNode, freePort, check, finish } from './node.mjs';

const pages = [...readdirSync(root + 'docs/accepting-calls').sort().map((name) => 'docs/accepting-calls/' + name),
  'docs/policy-cookbook.md', 'docs/migrating-from-livekit-sip.md'];
const modules = fileURLToPath(new URL('node_modules/.docs/', import.meta.url));
const bin = scratch();
writeFileSync(join(bin, 'siproom'), `#!/bin/sh\nexec ${program.map((word) => `'${word}'`).join(' ')} "$@"\n`);
chmodSync(join(bin, 'siproom'), 0o755);
mkdirSync(modules, { recursive: true });

const hookPort = await freePort();

const only = process.env.ONLY;
let examples = 0;
for (const page of pages.filter((name) => !only || name.includes(only))) {
  const isBook = page.endsWith('cookbook.md');
  const text = readFileSync(root + page, 'utf8');
  for (const section of isBook ? text.split(/^(?=## )/m) : [text]) {
    const blocks = [...section.matchAll(/^```(\w+)(?: +(\w+))?(?: +(\S+))?\n([\s\S]*?)^```$/gm)].map(([, language, what, name, body]) => ({ language, what, name, body }));
    const kept = blocks.filter((b) => b.what && b.what !== 'sketch');
    const title = isBook ? `${page}: ${/^## (.*)/.exec(section)?.[1] ?? 'its head'}` : page;
    const idle = blocks.filter((b) => !b.what && ['json', 'yaml', 'js'].includes(b.language));
    check(`${title}: every object, configuration and program is run`, idle.length === 0, idle.map((b) => b.body.slice(0, 80)));
    if (kept.length > 0) await runAll(title, kept);
  }
}
check(`${examples} examples of the documentation were run`, only || examples >= 40, String(examples));
rmSync(modules, { recursive: true, force: true });
finish();

async function runAll(title, blocks) {
  const folder = scratch();
  const policy = join(folder, 'policy');
  mkdirSync(policy);
  let node = null;
  let shown = '';
  try {
    for (const [at, block] of blocks.entries()) {
      const { language, what, name, body } = block;
      const where = `${title} #${at + 1} ${language} ${what} ${name ?? ''}`.trimEnd();
      examples += what === 'shows' ? 0 : 1;
      if (what === 'policy' || what === 'file') {
        const path = join(what === 'policy' ? policy : folder, name);
        mkdirSync(dirname(path), { recursive: true });
        writeFileSync(path, body);
        const last = !blocks.slice(at + 1).some((b) => b.what === 'policy');
        if (what === 'policy' && last) {
          const { code, out } = await run(folder, ['siproom', 'check', '--policy', 'policy'], '');
          check(`${where}: siproom check finds no error`, code === 0, out);
        }
      } else if (what === 'config') {
        writeFileSync(join(folder, name), whole(body));
        const { code, out } = await run(folder, ['siproom', 'check', '--config', name], '');
        check(`${where}: siproom check finds no error`, code === 0, out);
      } else if (what === 'run') {
        if (!node && body.includes('LIVEKIT_URL')) {
          node = await startNode({ at: policy });
        }
        const file = join(modules, `example-${at}.mjs`);
        if (language === 'js') writeFileSync(file, body);
        const { code, out } = await run(folder, language === 'js' ? ['node', file] : ['sh', '-eu', '-c', body], node?.url ?? '');
        shown = out;
        check(`${where}: ends with ${name ?? 0}`, code === Number(name ?? 0), out);
      } else if (what === 'shows') {
        const missing = body.split('\n').map((line) => line.trim()).filter((line) => line && !shown.includes(line));
        check(`${where}: is what the example prints`, missing.length === 0, `missing ${JSON.stringify(missing)} in ${shown}`);
      } else {
        check(`${where}: is known`, false, `'${what}' is none of policy, file, config, run, shows`);
      }
    }
  } catch (e) {
    check(`${title} runs to its end`, false, e.stack);
  } finally {
    await node?.stop();
  }
}

/** A fragment of a configuration, with what every configuration needs. */
function whole(body) {
  const needed = { api_key: 'devkey', api_secret: 'secret', ws_url: 'ws://127.0.0.1:7880', policy: '{ folder: policy }' };
  const keys = new Set(body.split('\n').map((line) => /^(\w+):/.exec(line)?.[1]));
  return Object.entries(needed).filter(([key]) => !keys.has(key) && !(key === 'policy' && keys.has('redis'))).map(([key, value]) => `${key}: ${value}\n`).join('') + body;
}

function run(cwd, [command, ...args], url) {
  const env = { ...process.env, PATH: bin + ':' + process.env.PATH, LIVEKIT_URL: url, LIVEKIT_API_KEY: 'devkey', LIVEKIT_API_SECRET: 'secret',
    HOOK_PORT: String(hookPort), HOOK_SECRET: 'secret of the hook', TWILIO_AUTH_TOKEN: 'token', TWILIO_ACCOUNT_SID: 'AC1', REDIS_PASSWORD: 'password' };
  return new Promise((resolve) => execFile(command, args, { cwd, env, timeout: 60000 }, (error, out, err) => resolve({ code: error ? error.code ?? -1 : 0, out: out + err })));
}
