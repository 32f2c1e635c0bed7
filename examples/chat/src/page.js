import { defineStatusElement } from '@wirebeat/client/status-element';
import { Chat } from './chat.js';

defineStatusElement();

const find = (id) => document.getElementById(id);
const tabs = new BroadcastChannel('wirebeat-chat'); // the other tabs of this browser
const ticks = new Map(); // of messages, by their ids
const lists = new Map(); // of rooms
let chat;
let room;

function signIn(user) {
  chat = new Chat(user, { message: show, tick, signedOut: leave });
  find('status').socket = chat.socket;
  find('user').textContent = user;
  find('notice').textContent = '';
  document.body.dataset.state = 'in';
  for (const { value } of find('rooms').elements) {
    lists.set(value, document.createElement('ol'));
    chat.join(value);
  }
  enter('general');
  find('text').focus();
}

function leave() {
  chat?.close();
  chat = undefined;
  find('status').socket = undefined;
  ticks.clear();
  lists.clear();
  find('log').replaceChildren();
  document.body.dataset.state = 'out';
  find('notice').textContent = 'You have been signed out.';
}

function enter(name) {
  room = name;
  find('log').replaceChildren(lists.get(name));
  find('log').scrollTop = find('log').scrollHeight;
}

/** Shows a message at the end of its room, where it was stored. */
function show({ room: its, id, n, from, text }) {
  const list = lists.get(its);
  const item = list.querySelector(`[data-id="${CSS.escape(id)}"]`) ?? itemFor(id, from, text);
  item.dataset.n = n;
  const waiting = list.querySelector('li:not([data-n])');
  list.insertBefore(item, waiting);
  scroll();
}

function itemFor(id, from, text) {
  const item = document.createElement('li');
  item.dataset.id = id;
  const name = document.createElement('b');
  name.textContent = from;
  const mark = document.createElement('small');
  mark.textContent = ticks.get(id) ?? '';
  item.append(name, ` ${text} `, mark);
  return item;
}

/** Shows how far a message of this tab has come; never less far than before. */
function tick(id, mark) {
  const before = ticks.get(id);
  if (before === undefined ? mark !== '…' : mark.length < before.length) return;
  ticks.set(id, mark);
  const shown = document.querySelector(`[data-id="${CSS.escape(id)}"] small`);
  if (shown) shown.textContent = mark;
}

function scroll() {
  find('log').scrollTop = find('log').scrollHeight;
}

find('sign-in').addEventListener('submit', async (event) => {
  event.preventDefault();
  const user = find('name').value.trim();
  await fetch(`/sign-in?user=${encodeURIComponent(user)}`, { method: 'POST' });
  signIn(user);
});
find('sign-out').addEventListener('click', () => {
  const user = find('user').textContent;
  void fetch(`/sign-out?user=${encodeURIComponent(user)}`, { method: 'POST' });
  tabs.postMessage({ signedOut: user });
  leave();
});
tabs.addEventListener('message', ({ data }) => {
  if (chat && data.signedOut === find('user').textContent) leave();
});
find('rooms').addEventListener('change', ({ target }) => enter(target.value));
find('say').addEventListener('submit', (event) => {
  event.preventDefault();
  say(find('text').value.trim());
  find('text').value = '';
});

function say(text) {
  if (text === '') return;
  const id = chat.say(room, text);
  lists.get(room).append(itemFor(id, find('user').textContent, text));
  scroll();
}

Object.assign(globalThis, { say }); // for the console
