// Just enough of SIP to replay recorded messages: text is Latin-1, one character per byte.
export const CRLF = '\r\n';

const compact = { v: 'via', f: 'from', t: 'to', i: 'call-id', m: 'contact', c: 'content-type', l: 'content-length', e: 'content-encoding' };

/** Start line, headers in order (names in long form, lower case), body. Lenient: the messages are often wrong on purpose. */
export function parse(text) {
  const end = text.indexOf('\r\n\r\n');
  const head = end < 0 ? text : text.slice(0, end);
  const lines = head.replace(/\r\n[ \t]+/g, ' ').split(CRLF);
  const headers = lines.slice(1).map((line) => {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    return { name: compact[name] ?? name, value: line.slice(colon + 1).trim() };
  });
  const all = (name) => headers.filter((h) => h.name === name).map((h) => h.value);
  const status = /^SIP\/\d+\.\d+ +(\d{3})\b/.exec(lines[0]);
  const via = all('via')[0] ?? '';
  return {
    line: lines[0], headers, all, get: (name) => all(name)[0] ?? '', body: end < 0 ? '' : text.slice(end + 4),
    status: status ? Number(status[1]) : 0, method: status ? '' : lines[0].split(' ')[0],
    branch: /;\s*branch\s*=\s*([^;,\s]+)/i.exec(via)?.[1] ?? '', transport: /^SIP\s*\/\s*2\.0\s*\/\s*(\w+)/i.exec(via)?.[1]?.toUpperCase() ?? '',
    cseq: /^(\S*)\s*(\S*)/.exec(all('cseq').at(-1) ?? '').slice(1),
    toTag: /;\s*tag\s*=\s*([^;,\s>]+)/i.exec(all('to').at(-1) ?? '')?.[1] ?? '',
  };
}

/** What the answer's SDP says: each m-line without its port (0 is told), the direction, the SRTP suite. */
export function describeSdp(body) {
  if (!/^v=/.test(body)) return '';
  const sections = body.split(/\r?\n(?=m=)/).slice(1);
  const session = /^a=(sendrecv|sendonly|recvonly|inactive)/m.exec(body.split(/\r?\nm=/)[0])?.[1];
  return sections.map((section) => {
    const [, kind, port, rest] = /^m=(\S+) (\S+) ([^\r\n]*)/.exec(section) ?? [];
    if (port === '0') return `${kind} 0 ${rest.split(' ')[0]}`;
    const direction = /^a=(sendrecv|sendonly|recvonly|inactive)/m.exec(section)?.[1] ?? session ?? 'sendrecv';
    const suite = /^a=crypto:\S+ (\S+)/m.exec(section)?.[1];
    return [kind === 'audio' ? '' : kind, rest, direction === 'sendrecv' ? '' : direction, suite ? suite.replace('_HMAC_SHA1', '').replace('_CM', '') : ''].filter(Boolean).join(' ');
  }).join(' + ');
}

/** Puts the length of the body into Content-Length, keeping the error that the recorded message had. */
export function fixLength(text, recorded) {
  const old = /^(content-length|l)[ \t]*:[ \t]*(-?\d+)[ \t]*$/im;
  const match = old.exec(recorded.split('\r\n\r\n')[0]);
  const end = text.indexOf('\r\n\r\n');
  if (!match || end < 0) return text;
  const error = Number(match[2]) - (recorded.length - recorded.indexOf('\r\n\r\n') - 4);
  const length = text.length - end - 4;
  return text.slice(0, end).replace(old, (_, name) => `${name}: ${length + error}`) + text.slice(end);
}

/** Cuts complete messages off the front of a stream; returns what is left. */
export function takeMessages(stream, emit) {
  for (;;) {
    stream = stream.replace(/^(\r\n)+/, '');
    const end = stream.indexOf('\r\n\r\n');
    if (end < 0) return stream;
    const length = Number(/^(?:content-length|l)[ \t]*:[ \t]*(\d+)/im.exec(stream.slice(0, end))?.[1] ?? 0);
    if (stream.length < end + 4 + length) return stream;
    emit(stream.slice(0, end + 4 + length));
    stream = stream.slice(end + 4 + length);
  }
}
