// Says in one line what a ladder of messages amounts to, the same way for the incumbent's recording and for our answers.
import { parse, describeSdp } from './message.mjs';

/** Requests by what identifies their transaction; a retransmission has the same key. */
export function keyOf(leg, message) {
  return `${leg}|${message.branch || message.get('call-id')}|${message.line.split(' ')[0]}|${message.cseq[0]}`;
}

const telling = { 405: 'allow', 420: 'unsupported', 415: 'accept', 422: 'min-se', 488: 'warning', 503: 'retry-after', 500: 'retry-after' };

function describe(message) {
  const header = telling[message.status];
  const has = header && message.get(header) ? ` ${header[0].toUpperCase()}${header.slice(1)}` : '';
  const sdp = message.status < 300 ? describeSdp(message.body) : '';
  return message.status + has + (sdp ? ` (${sdp})` : '');
}

/**
 * @param ladder [{leg, dir, raw, ms}] with dir '>' for what the caller sends.
 * @returns {requests: Map(key -> {leg, method, answers: [text], order}), theirs: [method]}
 */
export function readLadder(ladder) {
  const requests = new Map();
  const theirs = [];
  const seen = new Set();
  for (const entry of ladder) {
    const message = entry.message ?? parse(entry.raw);
    if (entry.dir === '>') {
      if (message.status || message.method === 'ACK' || !/ SIP\/\d/.test(message.line)) continue;
      const key = keyOf(entry.leg, message);
      if (!requests.has(key)) requests.set(key, { leg: entry.leg, method: message.method, branch: message.branch, callId: message.get('call-id'), cseq: message.cseq, answers: [] });
    } else if (message.status || /^SIP\/7/.test(message.line)) {
      const request = findRequest(requests, entry.leg, message);
      const text = message.status ? describe(message) : message.line.split(' ').slice(0, 2).join(' ');
      if (request && message.status !== 100 && !request.answers.includes(text)) request.answers.push(text);
    } else if (message.method && / SIP\//.test(message.line)) {
      const id = message.method + message.cseq[0] + message.get('call-id');
      if (!seen.has(id)) theirs.push(message.method);
      seen.add(id);
    }
  }
  return { requests, theirs };
}

function findRequest(requests, leg, response) {
  const method = response.cseq[1];
  const all = [...requests.values()].reverse();
  return all.find((r) => r.branch && r.branch === response.branch && r.method === method)
    ?? all.find((r) => r.branch && r.branch === response.branch && method !== 'CANCEL' && r.method !== 'CANCEL')
    // An answer whose Via came back garbled, or to a request without a branch.
    ?? all.find((r) => r.callId && r.callId === response.get('call-id') && r.cseq[0] === response.cseq[0] && r.method === method)
    ?? all.find((r) => r.leg === leg && (!r.branch || !response.branch));
}

/** One line: each request with its answers, then what the other side sent by itself. Only requests in `sent` count. */
export function summarise({ requests, theirs }, sent) {
  const parts = [];
  let leg = '';
  for (const [key, request] of requests) {
    if (sent && !sent.has(key)) continue;
    const name = request.leg && request.leg !== leg ? request.leg + ': ' : '';
    leg = request.leg || leg;
    const finals = request.answers.filter((a) => !/^18\d$/.test(a));
    const rang = request.answers.some((a) => a === '180');
    // Ringing before an answer is no difference worth telling; ringing before a refusal, or for ever, is.
    const shown = [...(rang && !finals.some((a) => a.startsWith('2')) ? ['180'] : []), ...finals];
    parts.push(`${name}${request.method} → ${shown.length ? shown.join(', ') : 'nothing'}`);
  }
  for (const method of theirs) parts.push('← ' + method);
  return squeeze(parts).join('; ');
}

function squeeze(parts) {
  const out = [];
  for (const part of parts) {
    const last = out.at(-1);
    if (last && last.part === part) last.count++;
    else out.push({ part, count: 1 });
  }
  return out.map(({ part, count }) => (count > 1 ? `${count}× ${part}` : part));
}
