// Draws a recorded race as an SVG that plays by itself, several times as fast as the race was.
const WIDTH = 880;
const MARGIN = 24;
const LANE = 92;
const TOP = 64;
const SPEED = 4;
const HOLD = 4_000; // ms that the end stays
const RADIUS = 4.5;

const STYLE = `
text { font: 15px system-ui, -apple-system, "Segoe UI", sans-serif; fill: var(--ink); }
svg { --paper: #fff; --ink: #1e2227; --quiet: #4c525b; --line: #d0d4da; --good: #0b6b52; --bad: #b3261e; --late: #9a6700; --wait: #a6adb8; }
@media (prefers-color-scheme: dark) {
  svg { --paper: #15171b; --ink: #eceef2; --quiet: #b8bdc7; --line: #363a43; --good: #4fd6ae; --bad: #ff8a80; --late: #e3b341; --wait: #6c7480; }
}
.paper { fill: var(--paper); } .rule { stroke: var(--line); } .small { font-size: 13px; fill: var(--quiet); }
.title { font-weight: 600; } .cut { stroke: var(--bad); stroke-dasharray: 4 4; } .bad { fill: var(--bad); } .good { fill: var(--good); }
.now { stroke: var(--quiet); display: none; }`;

/** Returns the text of the picture. `made` says when and with what it was recorded. */
export function drawRace({ cutAt, span, lanes }, made) {
  const rules = [];
  const duration = span / SPEED + HOLD;
  const percent = (at) => ((100 * at) / SPEED / duration).toFixed(2);
  const x = (at) => MARGIN + ((WIDTH - 2 * MARGIN) * at) / span;
  const shapes = lanes.map((lane, index) => drawLane(lane, index));
  const height = TOP + lanes.length * LANE + 44;
  const label = lanes.map(({ title, verdict }) => `${title}: ${verdict}.`).join(' ');
  const foot = `One message a second, each library at its defaults, ${SPEED} times as fast. ${made.browser}, ${made.date}, ${made.commit}.`;
  animate('now', [
    ['0', 'transform: translateX(0)'],
    [percent(span), `transform: translateX(${WIDTH - 2 * MARGIN}px)`],
    ['100', `transform: translateX(${WIDTH - 2 * MARGIN}px)`],
  ]);
  animate('cut', [
    ['0', 'opacity: 0'],
    [percent(cutAt), 'opacity: 1'],
  ]);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="race-title">
<title id="race-title">${escaped(`The link is cut silently. ${label}`)}</title>
<style>${STYLE}
${rules.join('\n')}
@media (prefers-reduced-motion: no-preference) {
  .anim { animation: ${duration}ms step-end infinite; } .now { display: inline; animation: now ${duration}ms linear infinite; }
}
</style>
<rect class="paper" width="${WIDTH}" height="${height}" rx="8"/>
<text class="title" x="${MARGIN}" y="30">The link is cut silently. Who notices?</text>
<text class="small bad anim" style="animation-name: cut" x="${x(cutAt)}" y="54" text-anchor="middle">cut</text>
${shapes.join('\n')}
<line class="now" x1="${MARGIN}" x2="${MARGIN}" y1="60" y2="${height - 40}"/>
<text class="small" x="${MARGIN}" y="${height - 16}">${escaped(foot)}</text>
</svg>
`;

  function drawLane({ title, states, messages, verdict }, index) {
    const top = TOP + index * LANE;
    const isBack = verdict.startsWith('back');
    const dots = messages.map((changes, number) =>
      drawDot(changes, `m${index}_${number}`, top + 56),
    );
    const words = states.map(({ at, what }, number) => {
      const end = states[number + 1]?.at;
      return drawState(what, `s${index}_${number}`, at, end, top + 24);
    });
    const back = Number(/^back after ([\d.]+) s/.exec(verdict)?.[1]) * 1_000;
    animate(`v${index}`, [
      ['0', 'opacity: 0'],
      [percent(isBack ? cutAt + back : span), 'opacity: 1'],
    ]);
    return `<line class="rule" x1="${MARGIN}" x2="${WIDTH - MARGIN}" y1="${top + 72}" y2="${top + 72}"/>
<text class="title" x="${MARGIN}" y="${top + 24}">${escaped(title)}</text>
${words.join('')}
<text class="anim ${isBack ? 'good' : 'bad'}" style="animation-name: v${index}" x="${WIDTH - MARGIN}" y="${top + 24}" text-anchor="end">${escaped(verdict)}</text>
<line class="cut anim" style="animation-name: cut" x1="${x(cutAt)}" x2="${x(cutAt)}" y1="${top + 38}" y2="${top + 72}"/>
${dots.join('')}`;
  }

  function drawState(what, name, at, end, y) {
    animate(name, [
      ['0', `opacity: ${at === 0 ? 1 : 0}`],
      [percent(at), 'opacity: 1'],
      ...(end === undefined ? [] : [[percent(end), 'opacity: 0']]),
    ]);
    const still = end === undefined ? 1 : 0; // without motion, only the last one is shown
    return `<text class="small anim" style="animation-name: ${name}" opacity="${still}" x="300" y="${y}">readyState ${escaped(what)}</text>`;
  }

  function drawDot(changes, name, y) {
    const [first, ...later] = changes;
    animate(name, [
      ['0', 'opacity: 0'],
      [percent(first.at), `opacity: 1; fill: ${colourOf(first.what)}`],
      ...later.map(({ at, what }) => [percent(at), `opacity: 1; fill: ${colourOf(what)}`]),
    ]);
    const last = colourOf(changes.at(-1).what);
    return `<circle class="anim" style="animation-name: ${name}; fill: ${last}" cx="${x(first.at).toFixed(1)}" cy="${y}" r="${RADIUS}"/>`;
  }

  function animate(name, frames) {
    const steps = frames.map(([at, what]) => `${at}% { ${what}; }`);
    rules.push(`@keyframes ${name} { ${steps.join(' ')} }`);
  }
}

function colourOf(className) {
  if (className.includes('answered')) return 'var(--good)';
  if (className.includes('late')) return 'var(--late)';
  return className.includes('lost') ? 'var(--bad)' : 'var(--wait)';
}

function escaped(text) {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
