import uPlot from 'uplot';
import { clockTime } from './figures.ts';
import type { Status } from './status.ts';

/** Seconds that are shown. */
const SPAN = 60;
const HEIGHT = 240;
/** What the scale may show, in ms, and what it shows at least. */
const DECADES = [0.001, 0.01, 0.1, 1, 10, 100, 1_000, 10_000, 100_000];
const SCALE = { min: 0.1, max: 1_000 };

interface Point {
  readonly at: number;
  readonly application: number | null | undefined;
  readonly transport: number | null | undefined;
}

/**
 * Both latencies over the last minute, on a logarithmic scale: a link on this machine and one that
 * is delayed are a thousandfold apart. Behind them, tinted, the time in which all was not well.
 *
 * To uPlot `undefined` is no point of this line, and `null` a gap in it.
 */
export class LatencyChart {
  readonly #points: Point[] = [];
  readonly #spells: { readonly at: number; readonly status: Status }[] = [];
  readonly #plot: uPlot;

  constructor(place: HTMLElement) {
    const size = () => ({ width: place.clientWidth, height: HEIGHT });
    this.#plot = new uPlot({ ...this.#options(), ...size() }, [[], [], []], place);
    new ResizeObserver(() => this.#plot.setSize(size())).observe(place);
  }

  add(tier: 'application' | 'transport', latency: number): void {
    const none = { application: undefined, transport: undefined };
    this.#points.push({ ...none, at: now(), [tier]: latency });
    this.draw();
  }

  /** From here on the connection is of this status. */
  mark(status: Status): void {
    this.#spells.push({ at: now(), status });
    if (status === 'dead') this.#points.push({ at: now(), application: null, transport: null });
    this.draw();
  }

  /** Draws what there is, up to now. */
  draw(): void {
    const start = now() - SPAN - 5; // a line that leaves the chart does not end at its edge
    while ((this.#points[0]?.at ?? start) < start) this.#points.shift();
    while ((this.#spells[1]?.at ?? start) < start) this.#spells.shift();
    this.#plot.setData([
      this.#points.map(({ at }) => at),
      this.#points.map(({ application }) => application),
      this.#points.map(({ transport }) => transport),
    ]);
  }

  #options(): Omit<uPlot.Options, 'width' | 'height'> {
    const axis = { stroke: () => colour('muted'), font: '12px system-ui, sans-serif' };
    const grid = { stroke: () => colour('line'), width: 1 };
    const line = { width: 2, points: { size: 4 } };
    return {
      cursor: { show: false },
      padding: [8, 30, 0, 0], // the last time stands half beyond the end
      legend: { show: false },
      scales: {
        x: { range: () => [now() - SPAN, now()] },
        y: { distr: 3, range: (_, min, max) => rangeOf(min, max) },
      },
      axes: [
        { ...axis, grid, ticks: grid, size: 36, space: 72, values: (_, at) => at.map(clock) },
        {
          ...axis,
          grid,
          ticks: { show: false },
          size: 52,
          splits: (_, __, min, max) => DECADES.filter((ms) => ms >= min && ms <= max),
          filter: (_, splits) => splits,
          values: (_, splits) => splits.map(String),
        },
      ],
      series: [
        {},
        { ...line, stroke: () => colour('application') },
        { ...line, stroke: () => colour('transport'), dash: [5, 4] },
      ],
      hooks: { drawClear: [(plot) => this.#tint(plot)] },
    };
  }

  #tint(plot: uPlot): void {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.globalAlpha = 0.2;
    for (const [i, { at, status }] of this.#spells.entries()) {
      if (status === 'alive') continue;
      const end = this.#spells[i + 1]?.at ?? now();
      const from = plot.valToPos(Math.max(at, now() - SPAN), 'x', true);
      const to = plot.valToPos(Math.max(end, now() - SPAN), 'x', true);
      ctx.fillStyle = colour(status);
      ctx.fillRect(from, bbox.top, to - from, bbox.height);
    }
    ctx.restore();
  }
}

/** Whole decades, so that the scale does not move with every point. */
function rangeOf(min: number | null, max: number | null): uPlot.Range.MinMax {
  const low = DECADES.findLast((ms) => ms <= Math.min(min ?? SCALE.min, SCALE.min));
  const high = DECADES.find((ms) => ms >= Math.max(max ?? SCALE.max, SCALE.max));
  return [low ?? SCALE.min, high ?? SCALE.max];
}

/** uPlot reckons in seconds since the epoch; this clock does not jump. */
function now(): number {
  return (performance.timeOrigin + performance.now()) / 1_000;
}

function clock(at: number): string {
  return clockTime(new Date(at * 1_000));
}

/** As the style sheet has it, in light or dark. */
function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`);
}
