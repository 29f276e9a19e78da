// What official clients (livekit-server-sdk, livekit-api for Python, lk) said to a stock livekit-server, said to siproom: every answer is equal
// by the rules of tests/data/livekit-golden/api/README.md, or reasons.json says why not. A reason that no pair needs is an error too.
import * as protocol from '@livekit/protocol';
import { readFileSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { root, startNode, sign, check } from './node.mjs';

const folder = root + 'tests/data/livekit-golden/api/sdk/';
const reasons = JSON.parse(readFileSync(new URL('reasons.json', import.meta.url)));
/** Times and secrets that a server makes up. */
const made = new Set(['creation_time', 'creation_time_ms', 'turn_password', 'created_at', 'updated_at']);
const sets = new Set(['items', 'rooms', 'participants', 'agent_dispatches']);

export async function replay() {
  let pairs = 0;
  const met = new Set();
  const other = new Set();
  for (const file of readdirSync(folder).sort()) {
    const client = basename(file).split('-')[0];
    const node = await startNode({ config: 'compat: livekit' });
    const bound = new Map();
    const names = new Map();
    for (const line of readFileSync(folder + file, 'utf8').split('\n').filter(Boolean)) {
      const pair = JSON.parse(line);
      const again = names.get(pair.name) ?? 0;
      names.set(pair.name, again + 1);
      const name = `${client}/${pair.name}${again ? '#' + (again + 1) : ''}`;
      pairs++;
      const headers = new Set();
      const difference = await one(node, pair, bound, headers);
      for (const header of headers) {
        other.add('headers/' + header);
        if (!reasons['headers/' + header]) check(`replay ${name}: header ${header}`, false);
      }
      if (!difference) continue;
      met.add(name);
      if (process.env.VERBOSE) console.log(`     ${name}: ${difference}`);
      if (!reasons[name]) check(`replay ${name}`, false, difference);
    }
    await node.stop();
  }
  const idle = Object.keys(reasons).filter((name) => !met.has(name) && !other.has(name));
  check('every reason is needed', idle.length === 0, idle);
  check(`recorded calls of official clients: ${pairs} pairs, ${pairs - met.size} equal, ${met.size} differ, each with a reason`, pairs === 93, pairs);
}

async function one(node, pair, bound, headers) {
  const { request, response } = pair;
  const response2 = await fetch(node.url + request.path, {
    method: request.method, body: body(request, bound),
    headers: { ...fill(request.headers, bound), authorization: 'Bearer ' + token(request) },
  });
  const bytes = Buffer.from(await response2.arrayBuffer());
  const type = response2.headers.get('content-type');
  for (const [header, value] of Object.entries(response.headers)) {
    if (header !== 'content-type' && response2.headers.get(header) !== value) headers.add(header);
  }
  const isError = response2.status !== 200;
  let got, want;
  try {
    got = response.message && !isError ? decode(response.message, bytes) : JSON.parse(bytes.toString() || 'null');
    want = response.message ? response.body_json ?? {} : response.body;
  } catch (e) {
    return `not readable (${e.message}): ${bytes.toString().slice(0, 200)}`;
  }
  if (response2.status !== response.status) return `status ${response2.status} ${JSON.stringify(got)}, stock ${response.status} ${JSON.stringify(want)}`;
  if (type !== response.headers['content-type']) return `content type ${type}, stock ${response.headers['content-type']}`;
  return same(want, got, bound, '') ? '' : `${JSON.stringify(got)}, stock ${JSON.stringify(bind(want, bound))}`;
}

function body(request, bound) {
  if (request.body !== undefined) return bindText(request.body, bound);
  const exact = Buffer.from(request.body_b64 ?? '', 'base64');
  const json = JSON.stringify(request.body_json ?? {});
  if (!json.includes('{lk') && !json.includes('{python')) return exact;
  return protocol[request.message.slice('livekit.'.length)].fromJson(JSON.parse(bindText(json, bound))).toBinary();
}

const decode = (message, bytes) => protocol[message.slice('livekit.'.length)].fromBinary(bytes).toJson({ useProtoFieldName: true });

/** The claims as recorded, their times relative to now. */
function token(request) {
  const now = Math.floor(Date.now() / 1000) - 5;
  const text = JSON.stringify(request.jwt_claims).replace(/"\{nbf\+(\d+)s\}"/g, (_, s) => String(now + Number(s)));
  return sign(JSON.parse(text), 'secret', request.jwt_header);
}

const fill = (headers) => Object.fromEntries(Object.entries(headers)
  .filter(([name]) => !/^(accept-language|sec-fetch-mode|connection|host)$/i.test(name))
  .map(([name, value]) => [name, value.replace('{uuid4}', '8a3a0a6e-4b1f-4c8e-9d57-2f1f7f0c9f11')]));

const bindText = (text, bound) => text.replace(/\w+_\{\w+\}/g, (mark) => bound.get(mark) ?? mark);
const bind = (json, bound) => JSON.parse(bindText(JSON.stringify(json), bound));

/** Placeholders take what they meet first, and stay. Sets: the most definite ones choose first. */
function same(want, got, bound, key) {
  if (made.has(key)) return typeof got === typeof want;
  if (Array.isArray(want)) {
    if (!Array.isArray(got) || want.length !== got.length) return false;
    if (!sets.has(key)) return want.every((w, i) => same(w, got[i], bound, ''));
    const left = [...got];
    const loose = (w) => (bindText(JSON.stringify(w), bound).match(/_\{/g) ?? []).length;
    return [...want].sort((a, b) => loose(a) - loose(b)).every((w) => {
      const at = left.findIndex((g) => same(w, g, new Map(bound), ''));
      return at >= 0 && same(w, left.splice(at, 1)[0], bound, '');
    });
  }
  if (want !== null && typeof want === 'object') {
    if (got === null || typeof got !== 'object' || Array.isArray(got)) return false;
    const keys = Object.keys(want);
    return keys.length === Object.keys(got).length && keys.every((k) => k in got && same(want[k], got[k], bound, k));
  }
  if (typeof want !== 'string' || typeof got !== 'string') return want === got;
  if (key === 'msg') return sameText(bindText(want, bound), got);
  const mark = /^(\w+_)\{\w+\}$/.exec(want);
  if (!mark) return bindText(want, bound) === got;
  if (!bound.has(want) && got.startsWith(mark[1])) bound.set(want, got);
  return bound.get(want) === got;
}

/** Conflicts name the two objects in either order. */
function sameText(want, got) {
  if (want.startsWith('Conflicting inbound SIP Trunks')) {
    const of = (text) => [...(text.match(/"(<new>|ST_\w+)"/g) ?? []).sort(), text.includes('without AllowedNumbers')].join();
    return got.startsWith('Conflicting inbound SIP Trunks') && of(want) === of(got);
  }
  const at = want.indexOf('already exists in dispatch rule ');
  return at >= 0 ? got.startsWith(want.slice(0, at + 32)) : want === got;
}
