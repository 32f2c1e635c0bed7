// Records a race of the demo in Chromium, and draws it as an animation: docs/diagrams/race.svg. Takes a minute.
//
//   npm run race                  records and draws
//   npm run race -- --seconds 30  records a shorter time
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startChromium, startDemo } from '../programs/demo-in-chromium.mjs';
import { drawRace } from './draw.mjs';

const ROOT = new URL('../../../', import.meta.url);
const PICTURE = new URL('docs/diagrams/race.svg', ROOT);
const LANES = ['plain', 'socket-io', 'wirebeat'];
const BEFORE = 4_000; // ms that all lanes work
const LOOK = 50; // ms between two looks at the page

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '54' } } });
const span = Number(values.seconds) * 1_000;

const demo = await startDemo();
const browser = await startChromium();
try {
  const page = await browser.newPage();
  await page.goto(demo.url);
  await page.waitForFunction(allAnswer, { timeout: 30_000 }, LANES);
  const recording = await record(page);
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: ROOT });
  writeFileSync(
    PICTURE,
    drawRace(recording, {
      browser: (await browser.version()).replace('Headless', '').replace('/', ' ').split('.')[0],
      date: new Date().toISOString().slice(0, 10),
      commit: String(commit).trim(),
    }),
  );
  console.log(recording.lanes.map(({ title, verdict }) => `${title}: ${verdict}`).join('\n'));
} finally {
  await browser.close();
  demo.end();
}

/** Whether each lane has had an answer. Runs in the page. */
function allAnswer(lanes) {
  return lanes.every((id) => {
    return /[1-9]\d* answered/.test(document.querySelector(`#${id} .counts`).textContent);
  });
}

/** Cuts the link, and notes what each lane shows until the time is over. Times are in ms. */
async function record(page) {
  const lanes = new Map(
    LANES.map((id) => [id, { title: '', states: [], messages: [], verdict: '' }]),
  );
  const startedAt = performance.now();
  let cutAt;
  for (;;) {
    const at = performance.now() - startedAt;
    if (at > BEFORE + span) break;
    if (cutAt === undefined && at > BEFORE) {
      cutAt = at;
      await page.click('#cut');
    }
    const seen = await page.evaluate(look, LANES);
    for (const { id, title, state, messages, verdict } of seen) {
      const lane = lanes.get(id);
      Object.assign(lane, { title, verdict });
      note(lane.states, at, state);
      messages.forEach((what, index) => {
        lane.messages[index] ??= [];
        note(lane.messages[index], at, what);
      });
    }
    await sleep(LOOK);
  }
  return { cutAt, span: BEFORE + span, lanes: [...lanes.values()] };
}

/** Returns what the page shows of each lane. Runs in the page. */
function look(ids) {
  const lines = [...document.querySelectorAll('#verdict span')].map((line) => line.textContent);
  return ids.map((id) => {
    const lane = document.getElementById(id);
    const title = lane.querySelector('h2').textContent;
    const line = lines.find((each) => each.startsWith(`${title}: `)) ?? '';
    return {
      id,
      title,
      state: lane.querySelector('.state').textContent,
      messages: [...lane.querySelectorAll('.track .message')].map(({ className }) => className),
      verdict: line.slice(title.length + 2),
    };
  });
}

/** Adds a change to a list of them. */
function note(changes, at, what) {
  if (changes.at(-1)?.what !== what) changes.push({ at, what });
}
