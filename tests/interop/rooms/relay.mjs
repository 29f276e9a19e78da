// Stands between two programs on TCP and does what bad networks do: cuts, falls silent without closing (half-open), delays, drips.
import { createServer, connect } from 'node:net';

export async function relay(to, listenHost) {
  const [host, port] = to.split(':');
  const pairs = new Set();
  const weather = { isCut: false, isHeld: false, delayMs: 0, dripBytes: 0 };
  let opened = 0;

  /** One direction: chunks wait for their time, or for ever. */
  function carry(pair, from, into) {
    const queue = [];
    let isBusy = false;
    const pump = () => {
      if (isBusy || queue.length === 0 || pair.isHeld || weather.isHeld || into.destroyed) return;
      isBusy = true;
      let chunk = queue.shift();
      if (weather.dripBytes > 0 && chunk.length > weather.dripBytes) { queue.unshift(chunk.subarray(weather.dripBytes)); chunk = chunk.subarray(0, weather.dripBytes); }
      setTimeout(() => { isBusy = false; if (!into.destroyed) into.write(chunk); pump(); }, weather.dripBytes > 0 ? 100 : weather.delayMs);
    };
    from.on('data', (chunk) => { queue.push(chunk); pump(); });
    from.on('close', () => { if (!pair.isHeld && !weather.isHeld) into.destroy(); });
    from.on('error', () => {});
    pair.pumps.push(pump);
  }

  const server = createServer((near) => {
    if (weather.isCut) { near.on('error', () => {}); near.resetAndDestroy(); return; }
    opened++;
    const far = connect(Number(port), host);
    const pair = { near, far, isHeld: false, pumps: [] };
    near.setNoDelay(true); far.setNoDelay(true);
    carry(pair, near, far); carry(pair, far, near);
    pairs.add(pair);
    near.on('close', () => pairs.delete(pair));
  });
  await new Promise((resolve) => server.listen(0, listenHost, resolve));
  const drop = () => { for (const { near, far, isHeld } of pairs) if (!isHeld) { near.destroy(); far.destroy(); } };
  return {
    address: `${listenHost}:${server.address().port}`,
    /** Connections made so far. */
    get opened() { return opened; },
    /** Every connection that still works breaks, and new ones are refused for so long. */
    cut(ms) { weather.isCut = true; drop(); setTimeout(() => { weather.isCut = false; }, ms); },
    /** The connections there are fall silent for ever, both ways; new ones work. Resolves to the milliseconds until the near side gave all of them up. */
    holdOld() {
      const start = Date.now();
      return Promise.all([...pairs].map((pair) => { pair.isHeld = true; return new Promise((resolve) => pair.near.on('close', resolve)); })).then(() => Date.now() - start);
    },
    /** All connections, new ones too, fall silent until `flow`. */
    hold() { weather.isHeld = true; },
    /** Each piece comes so much later, or in so many bytes each 100 ms. */
    slow(delayMs, dripBytes = 0) { weather.delayMs = delayMs; weather.dripBytes = dripBytes; },
    flow() { Object.assign(weather, { isHeld: false, delayMs: 0, dripBytes: 0 }); for (const pair of pairs) pair.pumps.forEach((pump) => pump()); },
    close() { for (const { near, far } of pairs) { near.destroy(); far.destroy(); } server.close(); },
  };
}
