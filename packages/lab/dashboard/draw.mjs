// Draws a Grafana dashboard as SVG: its panels at their places, each with the series that Prometheus returned.
const WIDTH = 960; // of 24 columns, as Grafana has
const ROW = 34; // height of a row of the grid
const GAP = 8;
const INSET = { left: 52, right: 14, top: 38, bottom: 70 };
const COLOURS = [
  ...['#0b6b52', '#b3261e', '#2f5fb3', '#a86400', '#6b4ea0', '#4c525b', '#00838f', '#ad1457'],
  ...['#7a9a01', '#8d6e63', '#1e2a78', '#e0a000'],
];
const LETTER = 6.1; // width of a letter in the legend
const TICKS = 4;

/** Draws panels, each with `series`: `{ name, points: [seconds, value][] }`. `span` is the time in seconds. */
export function drawDashboard(title, panels, span) {
  const height = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h)) * ROW;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-labelledby="t"><title id="t">${escaped(title)}</title>
<style>
  .bg { fill: #fbfbf8; stroke: #d9d9d2 } .grid { stroke: #d9d9d2 } .line { fill: none; stroke-width: 1.8 }
  text { font: 11.5px system-ui, sans-serif; fill: #4c525b } .b { font-weight: 600; font-size: 14px; fill: #22262c }
  @media (prefers-color-scheme: dark) {
    .bg { fill: #191b20; stroke: #34373f } .grid { stroke: #34373f } text { fill: #b8bdc7 } .b { fill: #eceef2 }
    .line { filter: brightness(1.7) }
  }
</style>
${panels.map((panel) => drawPanel(panel, span)).join('\n')}
</svg>
`;
}

function drawPanel({ title, gridPos, fieldConfig, series }, span) {
  const column = WIDTH / 24;
  const [x, y] = [gridPos.x * column + GAP / 2, gridPos.y * ROW + GAP / 2];
  const [width, height] = [gridPos.w * column - GAP, gridPos.h * ROW - GAP];
  const plot = {
    width: width - INSET.left - INSET.right,
    height: height - INSET.top - INSET.bottom,
  };
  const top = roundUp(
    Math.max(0, ...series.flatMap(({ points }) => points.map(([, value]) => value))),
  );
  const lines = series.map(({ points }, index) => {
    const path = points
      .map(([at, value]) => [(at / span) * plot.width, plot.height * (1 - value / top)])
      .map(
        ([across, down], step) =>
          `${step === 0 ? 'M' : 'L'}${across.toFixed(1)} ${down.toFixed(1)}`,
      );
    return `<path class="line" stroke="${COLOURS[index % COLOURS.length]}" d="${path.join('')}"/>`;
  });
  return `<g transform="translate(${x} ${y})"><rect class="bg" width="${width}" height="${height}" rx="6"/>
<text class="b" x="12" y="22">${escaped(title)}</text>
<g transform="translate(${INSET.left} ${INSET.top})">${axes(plot, top, fieldConfig.defaults.unit, span)}${lines.join('')}</g>
${legend(series, INSET.left, height - 38, plot.width)}</g>`;
}

function axes({ width, height }, top, unit, span) {
  const parts = [];
  for (let tick = 0; tick <= TICKS; tick += 1) {
    const y = height * (1 - tick / TICKS);
    const label = withUnit((top * tick) / TICKS, unit);
    parts.push(
      `<path class="grid" d="M0 ${y}H${width}"/><text x="-6" y="${y + 4}" text-anchor="end">${label}</text>`,
    );
  }
  for (let minute = 0; minute * 60 <= span; minute += 1) {
    const x = ((minute * 60) / span) * width;
    parts.push(
      `<text x="${x.toFixed(1)}" y="${height + 15}" text-anchor="middle">${minute} min</text>`,
    );
  }
  return parts.join('');
}

/** Names the series in as many rows as they need. */
function legend(series, left, y, width) {
  let [across, row] = [0, 0];
  return series
    .map(({ name }, index) => {
      const length = name.length * LETTER + 24;
      if (across > 0 && across + length > width) [across, row] = [0, row + 1];
      const place = `translate(${(left + across).toFixed(1)} ${y + row * 14})`;
      across += length;
      const colour = COLOURS[index % COLOURS.length];
      return `<g transform="${place}"><path class="line" stroke="${colour}" d="M0 -4H10"/><text x="14">${escaped(name)}</text></g>`;
    })
    .join('');
}

function withUnit(value, unit) {
  if (unit !== 's') return String(Number(value.toPrecision(3)));
  return value < 1
    ? `${Number((value * 1_000).toPrecision(3))} ms`
    : `${Number(value.toPrecision(3))} s`;
}

/** Rounds up to 1, 2 or 4 times a power of ten, so that quarters are short numbers. */
function roundUp(value) {
  if (value <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 8, 10].map((step) => step * power).find((step) => step >= value);
}

function escaped(text) {
  return text.replace(/[<>&"]/g, (each) => `&#${each.charCodeAt(0)};`);
}
