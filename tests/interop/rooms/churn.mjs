// Joins and leaves over and over: the server's descriptors come back, rooms close. Needs a server that this script starts.
import { readdirSync, readFileSync } from 'node:fs';
import { Room, dispose } from '@livekit/rtc-node';
import { RoomServiceClient } from 'livekit-server-sdk';
import { startServer, token, check, finish } from './server.mjs';

const rounds = Number(process.env.ROUNDS ?? 40);
const server = await startServer();
const api = new RoomServiceClient(server.url.replace('ws', 'http'), 'devkey', 'secret');
const pid = server.pid;
const fds = () => readdirSync(`/proc/${pid}/fd`).length;
const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
const before = { fds: fds(), rssKb: rss() };
const times = [];
for (let i = 0; i < rounds; i++) {
  const room = new Room();
  const start = Date.now();
  await room.connect(server.url, await token('churn-' + (i % 5), 'p' + i), { autoSubscribe: true, dynacast: false });
  times.push(Date.now() - start);
  await room.disconnect();
}
await new Promise((r) => setTimeout(r, 1000));
const after = { fds: fds(), rssKb: rss() };
times.sort((a, b) => a - b);
check('descriptors come back', after.fds <= before.fds + 2, { before, after, joinP50: times[rounds >> 1], joinMax: times.at(-1) });
await new Promise((r) => setTimeout(r, 22000));
check('rooms are closed', (await api.listRooms()).length === 0);
await dispose();
await server.stop();
finish();
