// The page: one connection, what it tells, and four ways to hurt it.
import { ReconnectingWebSocket } from '@wirebeat/client';
import { block, cut, delay, type FaultSite, freeze } from './faults.ts';
import { clockTime, milliseconds, seconds } from './figures.ts';
import { Happenings } from './happenings.ts';
import { LatencyChart } from './latency-chart.ts';
import { type Status, sentenceOf, statusAfter } from './status.ts';

/** What is kept of the happenings of the socket: its events, without the messages. */
const EVENTS = [
  ...['open', 'close', 'retry', 'giveup'],
  ...['ping', 'pong', 'alive', 'suspect', 'dead', 'stall'],
];
const LOG_LENGTH = 100;
/** How often what moves by itself moves on, in ms. */
const REFRESH = matchMedia('(prefers-reduced-motion: reduce)').matches ? 2_000 : 500;

const page = crypto.randomUUID();
const happenings = new Happenings();
const chart = new LatencyChart(element('chart'));
const buttons = [...document.querySelectorAll('button')];
let status: Status = 'connecting';
let connections = 0;
let heardAt: number | undefined;
let bound = Number.NaN;

const socket = new ReconnectingWebSocket(`ws://${location.host}/socket?page=${page}`, [], {
  pingInterval: 2_000,
  pingTimeout: 2_000,
  makeBeforeBreak: false, // what is shown is the verdict, which a second connection would forestall
});
for (const name of EVENTS) {
  socket.addEventListener(name, (event) => happen(name, detailOf(event)));
}
socket.addEventListener('message', ({ data }) => hear(JSON.parse(String(data))));
setInterval(refresh, REFRESH);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => chart.draw());
showStatus('connecting');

const site: FaultSite = { page, happenings, detectionBound };
offer('cut', () => cut(site));
offer('freeze', () => freeze(site));
offer('block', () => block(site));
offer('delay', async (button) => {
  const isOn = button.getAttribute('aria-pressed') !== 'true';
  const result = await delay(site, isOn);
  button.setAttribute('aria-pressed', String(isOn));
  return result;
});

/** For tests, and for whoever looks from the console. */
Object.assign(globalThis, { demo: { socket, page, detectionBound, events: happenings.all } });

// What happens.

function happen(name: string, detail?: object): void {
  const happening = happenings.add(name, detail);
  const sentence = sentenceOf(happening, status);
  const next = statusAfter(status, happening);
  if (next !== status) showStatus(next);
  if (name === 'open') showConnection();
  if (name === 'pong') showLatency('application', Number(happening['latency']));
  if (sentence !== undefined) log(sentence);
}

/** A message of the server: a latency that it has measured, or a warning. */
function hear({ transport, freeze }: { transport?: number; freeze?: number }): void {
  if (transport !== undefined) showLatency('transport', transport);
  if (freeze !== undefined)
    happen('warning', { sentence: `Server frozen for ${seconds(freeze)}.` });
}

/** That of the last connection while there is none. */
function detectionBound(): number {
  bound = socket.detectionBound ?? bound;
  return bound;
}

function detailOf(event: Event): object | undefined {
  if (event instanceof CustomEvent) return event.detail;
  if (event.type !== 'close') return undefined;
  const { code, reason, wasClean } = event as CloseEvent;
  return { code, reason, wasClean };
}

// Faults.

/** Lets a button do a fault, one at a time. Buttons keep the focus while they are off. */
function offer(fault: string, run: (button: HTMLElement) => Promise<string>): void {
  const button = element(fault);
  const title = fault.charAt(0).toUpperCase() + fault.slice(1);
  button.addEventListener('click', async () => {
    if (button.getAttribute('aria-disabled') === 'true') return;
    enable(false);
    button.classList.add('running');
    happen('fault', { fault });
    element(`${fault}-result`).textContent = 'Under way …';
    const result = `${title}: ${await run(button).catch((error: Error) => `${error.message}.`)}`;
    happen('result', { fault, sentence: result });
    element(`${fault}-result`).textContent = result;
    button.classList.remove('running');
    enable(true);
  });
}

function enable(isOn: boolean): void {
  for (const button of buttons) button.setAttribute('aria-disabled', String(!isOn));
}

// What is shown.

function showStatus(next: Status): void {
  status = next;
  document.documentElement.dataset['status'] = status;
  document.title = `${status} – wirebeat demo`;
  element('status').textContent = status;
  chart.mark(status);
  if (status !== 'alive') element('latency').textContent = '–';
}

function refresh(): void {
  chart.draw();
  if (heardAt === undefined) return;
  element('bound').textContent = seconds(detectionBound()); // longer after a death, until a pong
  element('heard').textContent = `${((performance.now() - heardAt) / 1_000).toFixed(1)} s ago`;
}

function showConnection(): void {
  connections += 1;
  heardAt = performance.now();
  element('connections').textContent = String(connections);
}

function showLatency(tier: 'application' | 'transport', latency: number): void {
  heardAt = performance.now();
  chart.add(tier, latency);
  element(tier).textContent = milliseconds(latency);
  if (tier === 'application') element('latency').textContent = milliseconds(latency);
}

/** The newest on top. */
function log(sentence: string): void {
  const time = document.createElement('time');
  time.textContent = clockTime(new Date());
  const line = document.createElement('li');
  line.append(time, ` ${sentence}`);
  const list = element('log');
  list.prepend(line);
  while (list.childElementCount > LOG_LENGTH) list.lastElementChild?.remove();
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`unreachable: index.html has #${id}`);
  return found;
}
