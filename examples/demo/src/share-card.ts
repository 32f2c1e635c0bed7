import { seconds } from './figures.ts';
import type { LaneResult } from './race-lane.ts';
import { verdictOf } from './race-verdict.ts';

// The size that sites show without cropping.
const WIDTH = 1_200;
const HEIGHT = 630;
const MARGIN = 72;
const ROW = 130;
const FONT = 'system-ui, sans-serif';
const COLOURS = {
  paper: '#15171b',
  ink: '#eceef2',
  quiet: '#b8bdc7',
  good: '#4fd6ae',
  bad: '#ff8a80',
};

/** What a picture shows. */
export interface Race {
  /** What happened, such as `The link was cut silently`. */
  readonly past: string;
  /** How long ago, in ms. */
  readonly elapsed: number;
  readonly lanes: readonly LaneResult[];
}

/** Draws the result of a race, with a bar for the time until each lane was back. Resolves to a PNG. */
export function drawCard(race: Race): Promise<Blob> {
  const canvas = document.createElement('canvas');
  canvas.width = WIDTH;
  canvas.height = HEIGHT;
  const context = canvas.getContext('2d');
  if (context === null) throw new Error('This browser cannot draw pictures.');
  context.fillStyle = COLOURS.paper;
  context.fillRect(0, 0, WIDTH, HEIGHT);
  write(context, `${race.past}. Who noticed?`, {
    y: 110,
    size: 44,
    colour: COLOURS.ink,
    bold: true,
  });
  race.lanes.forEach((lane, index) => {
    drawLane(context, lane, race.elapsed, 190 + index * ROW);
  });
  const when = new Date().toISOString().slice(0, 10);
  const foot = `wirebeat · every library at its defaults · ${when}, after ${seconds(race.elapsed)}`;
  write(context, foot, { y: HEIGHT - 42, size: 22, colour: COLOURS.quiet });
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob === null ? reject(new Error('No picture.')) : resolve(blob)));
  });
}

function drawLane(
  context: CanvasRenderingContext2D,
  lane: LaneResult,
  elapsed: number,
  y: number,
): void {
  const isBack = lane.backAfter !== undefined;
  const share = Math.min(1, (lane.backAfter ?? elapsed) / Math.max(1, elapsed));
  write(context, verdictOf(lane, elapsed), { y: y + 30, size: 30, colour: COLOURS.ink });
  context.fillStyle = isBack ? COLOURS.good : COLOURS.bad;
  context.fillRect(MARGIN, y + 52, Math.max(6, share * (WIDTH - 2 * MARGIN)), 26);
}

interface Style {
  readonly y: number;
  readonly size: number;
  readonly colour: string;
  readonly bold?: boolean;
}

function write(context: CanvasRenderingContext2D, text: string, style: Style): void {
  context.fillStyle = style.colour;
  context.font = `${style.bold ? 'bold ' : ''}${style.size}px ${FONT}`;
  context.fillText(text, MARGIN, style.y, WIDTH - 2 * MARGIN);
}
