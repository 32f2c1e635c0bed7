import { FAULTS, type Fault } from './plan.ts';

/** The state at an instant, in ms from the beginning. */
export interface Moment {
  readonly at: number;
  /** Connections of the server, and open clients. */
  readonly connections: number;
  readonly open: number;
  /** Deaths since the previous moment, as reported by each side. */
  readonly serverDeaths: number;
  readonly clientDeaths: number;
}

const WIDTH = 960;
const LEFT = 90;
const RIGHT = 20;
const TOP = 30;
const MIDDLE = 260;
const BOTTOM = 400;
const ROW = 13;
const HEIGHT = BOTTOM + 40 + FAULTS.length * ROW;
const STYLE = `text{font:11px sans-serif;fill:#333}.server{stroke:#1f6feb}.client{stroke:#2da44e}
.server,.client{fill:none;stroke-width:1.5}.server-death{fill:#cf222e}.client-death{fill:#bf8700}
.axis{stroke:#999}.fault{stroke:#57606a}`;

/** Draws the soak: connections at the top, deaths below, and each fault at the bottom. */
export function drawTimeline(
  title: string,
  moments: readonly Moment[],
  faults: readonly Fault[],
): string {
  const end = Math.max(1, ...moments.map(({ at }) => at), ...faults.map(({ at }) => at));
  const x = (at: number) => round(LEFT + (at / end) * (WIDTH - LEFT - RIGHT));
  const parts = [
    `<text x="${LEFT}" y="18">${escaped(title)}</text>`,
    ...drawConnections(moments, x),
    ...drawDeaths(moments, x),
    ...drawFaults(faults, x),
    ...drawTimes(end, x),
  ];
  const frame = `xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}"`;
  return `<svg ${frame} role="img"><style>${STYLE}</style>\n${parts.join('\n')}\n</svg>\n`;
}

type Across = (at: number) => number;

function drawConnections(moments: readonly Moment[], x: Across): string[] {
  const most = Math.max(1, ...moments.flatMap(({ connections, open }) => [connections, open]));
  const y = (count: number) => round(MIDDLE - (count / most) * (MIDDLE - TOP));
  const line = (name: string, of: (moment: Moment) => number) => {
    const points = moments.map((moment) => `${x(moment.at)},${y(of(moment))}`).join(' ');
    return `<polyline class="${name}" points="${points}"/>`;
  };
  return [
    `<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${MIDDLE}" y2="${MIDDLE}"/>`,
    `<text x="4" y="${TOP + 8}">${most}</text>`,
    `<text x="${WIDTH - 330}" y="18">blue: connections of the server, green: open clients</text>`,
    line('server', ({ connections }) => connections),
    line('client', ({ open }) => open),
  ];
}

function drawDeaths(moments: readonly Moment[], x: Across): string[] {
  const most = Math.max(
    1,
    ...moments.map(({ serverDeaths, clientDeaths }) => serverDeaths + clientDeaths),
  );
  const height = (count: number) => round((count / most) * (BOTTOM - MIDDLE - 20));
  const bar = (name: string, at: number, from: number, count: number) => {
    const place = `x="${x(at)}" y="${round(BOTTOM - height(from + count))}"`;
    return `<rect class="${name}" ${place} width="2" height="${height(count)}"/>`;
  };
  const bars = moments.flatMap(({ at, serverDeaths, clientDeaths }) => [
    ...(serverDeaths > 0 ? [bar('server-death', at, 0, serverDeaths)] : []),
    ...(clientDeaths > 0 ? [bar('client-death', at, serverDeaths, clientDeaths)] : []),
  ]);
  return [
    `<line class="axis" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${BOTTOM}" y2="${BOTTOM}"/>`,
    `<text x="4" y="${MIDDLE + 28}">${most}</text>`,
    `<text x="4" y="${BOTTOM - 4}">deaths</text>`,
    `<text x="${LEFT}" y="${BOTTOM + 14}">red: told by the server, ochre: by a client</text>`,
    ...bars,
  ];
}

/** Draws a row for each kind of fault, with its duration. */
function drawFaults(faults: readonly Fault[], x: Across): string[] {
  const y = (kind: Fault['kind']) => BOTTOM + 26 + FAULTS.indexOf(kind) * ROW;
  const names = FAULTS.map((kind) => `<text x="4" y="${y(kind) + 4}">${kind}</text>`);
  const marks = faults.map(({ at, kind, lasts }) => {
    const to = Math.min(x(at + lasts) + 1, WIDTH - RIGHT);
    return `<line class="fault" x1="${x(at)}" x2="${to}" y1="${y(kind)}" y2="${y(kind)}" stroke-width="4"/>`;
  });
  return [...names, ...marks];
}

function drawTimes(end: number, x: Across): string[] {
  const TIMES = 6;
  return Array.from({ length: TIMES + 1 }, (_, place) => {
    const at = (end * place) / TIMES;
    return `<text x="${x(at) - 8}" y="${HEIGHT - 6}">${Math.round(at / 1_000)} s</text>`;
  });
}

const round = (value: number) => Math.round(value * 10) / 10;
const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
