import type { Millis } from '@wirebeat/core';
import type { ConnectionStatus } from '../status/status.ts';
import type { LoggedEvent } from './event-log.ts';
import { STYLES } from './styles.ts';
import { type StatusWords, wordFor } from './words.ts';

/** What the buttons do. */
export interface StatusActions {
  readonly retry: () => void;
  readonly copy: () => void;
}

/** What is shown besides the status. */
export interface Shown {
  readonly words: StatusWords;
  readonly events: readonly LoggedEvent[];
  /** Whether this page can ask the socket to reconnect. */
  readonly canRetry: boolean;
  readonly hasBanner: boolean;
  /** Seconds until the next attempt; undefined without a wait. */
  readonly seconds: number | undefined;
}

const SVG = 'http://www.w3.org/2000/svg';
/** The size of the chart, in its own units. */
const WIDTH = 100;
const HEIGHT = 30;

let sheet: CSSStyleSheet | undefined; // one for all elements of the page

/** The parts of the element that a page sees. Built once, and then only changed. */
export class StatusView {
  readonly #root: HTMLElement = make('div', 'root');
  readonly #word: HTMLElement = make('span', 'word');
  readonly #latency: HTMLElement = make('span', 'latency');
  readonly #banner: HTMLElement = make('div', 'banner');
  readonly #cause: HTMLElement = make('span', 'cause');
  readonly #countdown: HTMLElement = make('span', 'countdown');
  readonly #retry: HTMLElement = make('button', 'retry');
  readonly #line: Element = document.createElementNS(SVG, 'polyline');
  readonly #chart: Element = document.createElementNS(SVG, 'svg');
  readonly #heading: HTMLElement = make('h2', 'heading');
  readonly #list: HTMLElement = make('ol', 'events');
  readonly #copy: HTMLElement = make('button', 'copy');
  readonly #spoken: HTMLElement = make('span', 'spoken');
  #events: readonly LoggedEvent[] | undefined; // those in the list
  #state = ''; // the last state that was spoken

  constructor(shadow: ShadowRoot, { retry, copy }: StatusActions) {
    sheet ??= styleSheet();
    shadow.adoptedStyleSheets = [sheet];
    this.#retry.addEventListener('click', retry);
    this.#copy.addEventListener('click', copy);
    this.#banner.hidden = true;
    // Only this part speaks: the countdown and each new latency would never end.
    this.#spoken.setAttribute('role', 'status');
    this.#chart.setAttribute('part', 'chart');
    this.#chart.setAttribute('role', 'img');
    this.#chart.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
    this.#chart.setAttribute('preserveAspectRatio', 'none');
    this.#chart.append(this.#line);
    this.#countdown.setAttribute('aria-hidden', 'true');
    this.#banner.append(this.#cause, this.#countdown, this.#retry);
    const summary = make('summary', 'summary');
    summary.append(make('span', 'dot'), this.#word, this.#latency);
    const panel = make('div', 'panel');
    panel.append(this.#chart, this.#heading, this.#list, this.#copy);
    const details = make('details', 'details');
    details.append(summary, panel);
    this.#root.append(details, this.#banner, this.#spoken);
    shadow.append(this.#root);
  }

  /** Shows a status. */
  render(status: ConnectionStatus, shown: Shown): void {
    const { words } = shown;
    const { latency, phase } = status;
    this.#root.dataset['shown'] = status.shown;
    this.#root.dataset['phase'] = phase;
    setText(this.#word, wordFor(status, words));
    setText(this.#latency, phase === 'open' && latency !== undefined ? words.latency(latency) : '');
    this.#renderBanner(status, shown);
    this.#renderPanel(status, shown);
    const state = [wordFor(status, words), !this.#banner.hidden && words.cause(status)];
    const spoken = state.filter(Boolean).join('. ');
    if (this.#state !== '' && this.#state !== spoken) setText(this.#spoken, spoken);
    this.#state = spoken;
  }

  /** Hides everything, or shows it again. */
  hide(isHidden: boolean): void {
    this.#root.hidden = isHidden;
  }

  /** Lets a screen reader say something that is not seen. */
  say(text: string): void {
    setText(this.#spoken, text);
  }

  #renderBanner(status: ConnectionStatus, { words, canRetry, hasBanner, seconds }: Shown): void {
    const { shown, phase } = status;
    const cause = words.cause(status);
    // Without a cause, the app itself has closed the connection.
    this.#banner.hidden = !hasBanner || shown !== 'lost' || (phase === 'closed' && !cause);
    if (this.#banner.hidden) return;
    setText(this.#cause, [wordFor(status, words), cause].filter(Boolean).join('. '));
    const next = seconds === undefined ? words.retrying : words.retryIn(seconds);
    setText(this.#countdown, phase === 'closed' ? '' : next);
    setText(this.#retry, words.retryNow);
    this.#retry.hidden = !canRetry || phase !== 'waiting';
  }

  #renderPanel({ latencies }: ConnectionStatus, { words, events }: Shown): void {
    const [lowest, highest] = [Math.min(...latencies), Math.max(...latencies)];
    this.#chart.toggleAttribute('hidden', latencies.length < 2);
    this.#chart.setAttribute('aria-label', words.chart(latencies.length, lowest, highest));
    this.#line.setAttribute('points', pointsOf(latencies, highest));
    setText(this.#heading, words.events);
    setText(this.#copy, words.copy);
    if (events === this.#events) return;
    this.#events = events;
    this.#list.replaceChildren(...events.map(itemOf));
  }
}

/** Returns the points of a line from the oldest latency to the newest, above a zero line. */
export function pointsOf(latencies: readonly Millis[], highest: Millis): string {
  const step = WIDTH / Math.max(1, latencies.length - 1);
  const scale = HEIGHT / Math.max(1, highest);
  const round = (value: number) => Math.round(value * 10) / 10;
  return latencies
    .map((latency, index) => `${round(index * step)},${round(HEIGHT - latency * scale)}`)
    .join(' ');
}

function itemOf({ at, text }: LoggedEvent): HTMLElement {
  const time = document.createElement('time');
  time.dateTime = at.toISOString();
  time.textContent = at.toLocaleTimeString();
  const item = document.createElement('li');
  item.append(time, text);
  return item;
}

/** Creates an element with a class for our styles and a part, of the same name, for those of a page. */
function make(tag: string, name: string): HTMLElement {
  const element = document.createElement(tag);
  element.className = name;
  element.setAttribute('part', name);
  if (tag === 'button') element.setAttribute('type', 'button');
  return element;
}

/** A sheet and not a `style` element, which a content security policy may forbid. */
function styleSheet(): CSSStyleSheet {
  const made = new CSSStyleSheet();
  made.replaceSync(STYLES);
  return made;
}

/** Changes a text only if it differs, so that a screen reader has nothing to say. */
function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
