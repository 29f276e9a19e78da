// docs/compared-with-livekit-sip.md: the part that is made out of the replay, and the reasons of the differences.
import { readFileSync, writeFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './nodes.mjs';

const path = join(root, 'docs/compared-with-livekit-sip.md');
const begin = '<!-- replay: begin (written by tests/interop/wire/replay.mjs --write) -->';
const end = '<!-- replay: end -->';

/** reasons.tsv: pattern of ids, kind (better | same | choice | gap), why. The first line whose pattern fits counts. */
const reasons = readFileSync(new URL('./reasons.tsv', import.meta.url), 'utf8').split('\n').filter((l) => l && !l.startsWith('#')).map((line, n) => {
  const [pattern, kind, why] = line.split('\t');
  return { test: new RegExp('^(?:' + pattern + ')$'), kind, why, n };
});
export const reasonFor = ({ record }) => reasons.find((r) => r.test.test(record.id));

/** Scenario -> what siproom answered when the page was written; only those that differ. */
export function readPage() {
  const found = new Map();
  if (!existsSync(path)) return found;
  for (const line of readFileSync(path, 'utf8').split(begin).at(-1).split(end)[0].split('\n')) {
    const cells = line.split(' | ');
    if (cells.length < 4 || !line.startsWith('| `')) continue;
    for (const [, id] of cells[0].matchAll(/`([^`]+)`/g)) found.set(id, cells[2]);
  }
  return found;
}

export function writePage(results, skips, files) {
  const lines = [];
  const fileOf = (id) => files[Number(id[0]) - 1];
  lines.push('| recorded file | scenarios | answered alike | otherwise | not replayed |', '|---|---|---|---|---|');
  for (const file of files) {
    const own = results.filter((r) => fileOf(r.record.id) === file);
    const alike = own.filter((r) => !r.reason).length;
    const skip = skips.filter((s) => fileOf(s.record.id) === file).length;
    lines.push(`| ${file} | ${own.length + skip} | ${alike} | ${own.length - alike} | ${skip} |`);
  }
  const kinds = { better: 'Where siproom does better', choice: 'Where both are defensible', gap: 'Known gaps' };
  for (const [kind, title] of Object.entries(kinds)) {
    const own = results.filter((r) => r.reason?.kind === kind);
    if (own.length === 0) continue;
    lines.push('', `### ${title}`, '| scenarios | livekit-sip | siproom | why |', '|---|---|---|---|');
    const rows = new Map();
    for (const r of own) {
      const key = r.reason.n + '|' + r.theirs + '|' + r.ours;
      if (!rows.has(key)) rows.set(key, { ...r, ids: [] });
      rows.get(key).ids.push(r.record.id);
    }
    for (const row of [...rows.values()].sort((a, b) => a.reason.n - b.reason.n)) {
      lines.push(`| ${row.ids.map((id) => '`' + id + '`').join(' ')} | ${row.theirs} | ${row.ours} | ${row.reason.why} |`);
    }
  }
  if (skips.length) {
    lines.push('', '### Not replayed', '| scenarios | why |', '|---|---|');
    const whys = new Map();
    for (const { record, why } of skips) whys.set(why, [...(whys.get(why) ?? []), record.id]);
    for (const [why, ids] of whys) lines.push(`| ${ids.map((id) => '`' + id + '`').join(' ')} | ${why} |`);
  }
  const text = existsSync(path) ? readFileSync(path, 'utf8') : `${begin}\n${end}\n`;
  writeFileSync(path, text.slice(0, text.indexOf(begin) + begin.length) + '\n' + lines.join('\n') + '\n' + text.slice(text.indexOf(end)));
}
