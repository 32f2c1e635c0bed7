// The race: the browser's own WebSocket, socket.io and wirebeat, each at its defaults, send the same
// messages over links that have the same fault at the same moment.
import { FAULTS, type Fault } from './race-faults.ts';
import { Lane } from './race-lane.ts';
import { plainSocket, socketIoSocket, wirebeatSocket } from './race-sockets.ts';
import { verdictOf } from './race-verdict.ts';
import { drawCard } from './share-card.ts';

const MESSAGE_INTERVAL = 1_000;

const page = crypto.randomUUID();
const url = `ws://${location.host}/race?page=${page}`;
const lanes = [
  new Lane(element('plain'), plainSocket(url)),
  new Lane(element('wirebeat'), wirebeatSocket(url)),
];
let fault: Fault | undefined;
let faultAt = 0;

void addSocketIo();
setInterval(() => {
  for (const lane of lanes) lane.beat();
  if (fault !== undefined) showVerdict(fault);
}, MESSAGE_INTERVAL);

for (const [id, each] of Object.entries(FAULTS)) {
  element(id).addEventListener('click', () => void cause(each));
}
element('again').addEventListener('click', () => location.reload());
element('picture').addEventListener('click', () => void savePicture());

/** The command line serves this page too, and is installed without socket.io. */
async function addSocketIo(): Promise<void> {
  const { hasSocketIo } = await (await fetch('/lanes')).json();
  if (hasSocketIo) lanes.splice(1, 0, new Lane(element('socket-io'), socketIoSocket(page)));
  element('socket-io').hidden = !hasSocketIo;
  element('no-socket-io').hidden = hasSocketIo;
}

async function cause(chosen: Fault): Promise<void> {
  if (fault !== undefined) return;
  fault = chosen;
  for (const id of Object.keys(FAULTS)) element(id).setAttribute('aria-disabled', 'true');
  element('verdict').textContent = `${chosen.past}.`;
  faultAt = performance.now();
  for (const lane of lanes) lane.hurt();
  try {
    await chosen.cause(page);
    element('faults').hidden = true;
    element('after').hidden = false;
    element('again').focus();
  } catch (error) {
    element('verdict').textContent = error instanceof Error ? error.message : String(error);
    fault = undefined;
  }
}

let spoken = '';

function showVerdict({ past }: Fault): void {
  const elapsed = performance.now() - faultAt;
  const results = lanes.map((lane) => lane.result);
  const lines = results.map((result) => verdictOf(result, elapsed)).reverse(); // ours first
  element('verdict').replaceChildren(`${past}.`, ...lines.map(lineOf));
  // Announces which lanes are back, but not every tick of the clock.
  const back = results.filter(({ backAfter }) => backAfter !== undefined);
  const news = back.map((result) => verdictOf(result, elapsed)).join('. ');
  if (news === spoken) return;
  spoken = news;
  element('news').textContent = news;
}

function lineOf(text: string): HTMLElement {
  const line = document.createElement('span');
  line.textContent = text;
  return line;
}

async function savePicture(): Promise<void> {
  if (fault === undefined) return;
  const race = {
    past: fault.past,
    elapsed: performance.now() - faultAt,
    lanes: lanes.map((lane) => lane.result).reverse(),
  };
  const link = document.createElement('a');
  link.href = URL.createObjectURL(await drawCard(race));
  link.download = 'wirebeat-race.png';
  link.click();
  URL.revokeObjectURL(link.href);
}

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`unreachable: race.html has #${id}`);
  return found;
}
