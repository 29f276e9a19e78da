// The page: asks the node for calls and rooms once a second, and puts the browser into a room.
import { Stay } from './stay.js';

const at = (id) => document.getElementById(id);
const make = (name, text = '', properties = {}) => Object.assign(document.createElement(name), { textContent: text }, properties);

const REFRESH_MS = 1000;
const rows = new Map();
let stay = null;
let isDevelopment = false;

function tell(sentence) {
  at('notice').textContent = sentence;
  at('notice').hidden = sentence === '';
}

// ---- what the node says

async function ask(path) {
  const response = await fetch(path, { cache: 'no-store' });
  if (!response.ok) throw Object.assign(new Error((await response.text()).trim()), { status: response.status });
  return response.json();
}

async function refresh() {
  try {
    const [{ calls }, rooms] = await Promise.all([ask('/calls'), ask('/dev/rooms').catch((error) => (error.status ? null : Promise.reject(error)))]);
    showNode(true, rooms ? 'SIP on ' + rooms.sip : 'running');
    showCalls(calls);
    showRooms(rooms);
  } catch (error) {
    showNode(false, error.status ? error.message : 'the node does not answer');
  }
  setTimeout(refresh, REFRESH_MS);
}

function showNode(isUp, text) {
  at('node').firstElementChild.className = isUp ? 'dot up' : 'dot down';
  at('node').lastElementChild.textContent = text;
}

function showRooms(answer) {
  isDevelopment = answer !== null;
  at('development').hidden = at('purpose').hidden = !isDevelopment;
  at('lobby').hidden = !isDevelopment || stay !== null;
  if (!isDevelopment) return;
  at('hint').replaceChildren('Call ', make('code', `sip:room-${at('room').value || 'lobby'}@${answer.sip}`), ': it rings until somebody in the room has a microphone on.');
  const list = at('rooms');
  const known = JSON.stringify(answer.rooms);
  if (list.dataset.known === known) return;
  list.dataset.known = known;
  list.replaceChildren(...answer.rooms.map(({ name, participants }) => {
    const button = make('button', name, { type: 'button', title: 'Join ' + name, onclick: () => join(name) });
    button.append(make('small', participants === 1 ? '1 in it' : participants + ' in it'));
    const item = make('li');
    item.append(button);
    return item;
  }));
  at('names').replaceChildren(...answer.rooms.map(({ name }) => make('option', '', { value: name })));
}

function showCalls(calls) {
  at('count').textContent = calls.length > 0 ? String(calls.length) : '';
  at('no-calls').hidden = calls.length > 0;
  const live = new Set(calls.map((call) => call.call_id));
  for (const [id, row] of rows) {
    if (!live.has(id)) { row.remove(); rows.delete(id); }
  }
  for (const call of calls) {
    let row = rows.get(call.call_id);
    if (!row) {
      row = callRow(call);
      rows.set(call.call_id, row);
      at('calls').append(row);
    }
    fill(row, call);
  }
}

function callRow(call) {
  const row = make('tr');
  row.dataset.call = call.call_id;
  row.append(...['from', 'to', 'room', 'state', 'time number', 'codec'].map((name) => make('td', '', { className: name })));
  const button = make('button', 'Join', { type: 'button', className: 'small', onclick: () => join(call.room) });
  const cell = make('td');
  cell.append(button);
  row.append(cell);
  return row;
}

function fill(row, call) {
  const [from, to, room, state, time, codec, action] = row.children;
  from.textContent = call.from || 'unknown';
  from.title = call.source + ' over ' + call.transport;
  to.textContent = call.to;
  room.textContent = call.room;
  state.textContent = call.state;
  state.className = 'state ' + call.state;
  time.textContent = clock(call.seconds);
  codec.textContent = codecs(call);
  action.firstElementChild.hidden = !isDevelopment || stay?.room === call.room || call.state === 'ending';
}

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, '0')}`;

function codecs({ sip_codec: sip, room_codec: room }) {
  const outside = sip.split('/')[0];
  const inside = room === 'opus' ? 'Opus' : room.toUpperCase();
  return outside === inside ? outside : [outside, inside].filter(Boolean).join(' ⇄ ');
}

// ---- the browser in a room

async function join(room) {
  if (!globalThis.LivekitClient) {
    tell('livekit-client is not in this build, so the page cannot join rooms. `./tools/build` fetches it from npm and builds it in.');
    return;
  }
  tell('');
  stay?.leave();
  const mine = new Stay(room, { changed: () => showStay(mine), ended: (why) => end(mine, why), trouble: tell, audio: at('audio') });
  stay = mine;
  at('room').value = room;
  showStay(mine);
  try {
    const { token } = await ask('/dev/token?' + new URLSearchParams({ room, name: at('name').value }));
    if (stay === mine) await mine.join(token, at('processing').checked);
  } catch (error) {
    end(mine, 'The room was not joined: ' + error.message);
  }
}

function end(one, why) {
  if (stay !== one) return;
  one.leave();
  stay = null;
  tell(why);
  showStay(null);
}

function showStay(one) {
  if (one !== stay) return;
  at('stay').hidden = one === null;
  at('lobby').hidden = one !== null || !isDevelopment;
  if (one === null) return;
  at('stay-room').textContent = one.room;
  at('stay-state').textContent = one.state;
  at('mute').textContent = one.isMuted ? 'Unmute' : 'Mute';
  at('mute').setAttribute('aria-pressed', String(one.isMuted));
  at('mute').disabled = !one.isReady;
  at('sound').hidden = one.maySound;
  showPeople(one.people());
}

function showPeople(people) {
  const list = at('people');
  const items = new Map([...list.children].map((item) => [item.dataset.identity, item]));
  list.replaceChildren(...people.map((person) => {
    const item = items.get(person.identity) ?? personItem(person.identity);
    const [name, , note] = item.children;
    name.textContent = person.name;
    note.textContent = person.note;
    item.classList.toggle('speaking', person.isSpeaking);
    return item;
  }));
}

function personItem(identity) {
  const item = make('li');
  item.dataset.identity = identity;
  const meter = make('meter', '', { min: 0, max: 1, title: 'level' });
  item.append(make('span', '', { className: 'name' }), meter, make('small'));
  return item;
}

function showLevels() {
  for (const item of at('people').children) {
    item.children[1].value = stay?.level(item.dataset.identity) ?? 0;
  }
  requestAnimationFrame(showLevels);
}

at('join').onsubmit = (event) => { event.preventDefault(); join(at('room').value.trim() || 'lobby'); };
at('mute').onclick = () => stay?.toggleMute();
at('leave').onclick = () => stay && end(stay, '');
at('sound').onclick = () => stay?.allowSound();
at('room').value = decodeURIComponent(location.hash.slice(1)) || 'lobby';
addEventListener('pagehide', () => stay?.leave());
refresh();
showLevels();
