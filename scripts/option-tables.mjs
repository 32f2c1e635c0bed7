// Compares the tables of options in docs/reference with the schemas in the code: names, ranges,
// defaults and off-values. What a schema does not know, such as the default of a function, is prose.
import { root } from './run.mjs';

const built = (path) => import(`${root}packages/${path}.js`);
const { BACKOFF_SCHEMA } = await built('core/build/backoff');
const { HEARTBEAT_SCHEMA } = await built('core/build/options');
const { ATTACH_SCHEMA } = await built('client/build/options');
const { RECONNECT_SCHEMA } = await built('client/build/reconnect/options');
const { SERVER_SCHEMA } = await built('server/build/options');
const { ADVERTISEMENT_SCHEMA } = await built('server/build/timing/advertisement');
const { GATEWAY_SCHEMA } = await built('server/build/gateway/options');
const { HEADER_SCHEMA } = await built('server/build/gateway/http/headers');

const { random: _, ...backoff } = BACKOFF_SCHEMA;
const { maxSilence: _1, probeAfter: _2, suspectAfter: _3, ...shared } = HEARTBEAT_SCHEMA;
/** The schemas, by the first cell of their tables. */
const TABLES = {
  AttachOptions: { ...HEARTBEAT_SCHEMA, ...ATTACH_SCHEMA },
  ReconnectOptions: RECONNECT_SCHEMA,
  backoff,
  ServerOptions: { ...shared, ...SERVER_SCHEMA },
  Advertisement: ADVERTISEMENT_SCHEMA,
  GatewayOptions: { ...GATEWAY_SCHEMA, ...HEADER_SCHEMA },
};

/** Returns what is wrong with the tables of a page. */
export function optionComplaints(prose) {
  return Object.entries(TABLES).flatMap(([name, schema]) => {
    const [heads, , ...rows] = tableOf(prose, name);
    if (heads === undefined) return [`has no table of \`${name}\``];
    const named = new Map(rows.map((cells) => [cells[0].replaceAll('`', ''), cells]));
    const known = Object.entries(schema).flatMap(([option, rule]) => {
      const cells = named.get(option);
      if (cells === undefined) return [`does not list \`${option}\` of \`${name}\``];
      return wrongCells(rule, (head) => cells[heads.indexOf(head)]).map(
        ([head, wanted]) => `\`${option}\` of \`${name}\`: ${head} must be ${wanted}`,
      );
    });
    const unknown = [...named.keys()].filter((row) => !row.includes(' ') && !(row in schema));
    return [...known, ...unknown.map((row) => `lists \`${row}\`, which \`${name}\` has not`)];
  });
}

function tableOf(prose, name) {
  const lines = prose
    .slice(prose.search(new RegExp(`^\\| \`${name}\` +\\| range`, 'm')))
    .split('\n');
  const end = lines.findIndex((line) => !line.startsWith('|'));
  const cellsOf = (line) => line.split('|').slice(1, -1);
  return lines.slice(0, end).map((line) => cellsOf(line).map((cell) => cell.trim()));
}

function wrongCells(rule, cell) {
  const wanted = { range: rangeOf(rule), default: defaultOf(rule), off: offOf(rule) };
  return Object.entries(wanted).filter(([head, text]) => {
    if (text === undefined || cell(head) === undefined) return false;
    return head === 'range' ? !cell(head).startsWith(text) : cell(head) !== text;
  });
}

function rangeOf({ type, min = 0, max, of = [] }) {
  const within = `in [${inDigits(min)}, ${inDigits(max)}]`;
  if (type === 'duration' || type === 'boolean') return type;
  if (type === 'number') return `number ${within}`;
  if (type === 'count')
    return max === undefined ? `whole number ≥ ${min}` : `whole number ${within}`;
  if (type === 'choice') return of.filter(Boolean).map(inCode).join(', ');
  return undefined; // what it accepts is more than a type
}

function defaultOf({ default: value }) {
  if (value === undefined) return undefined;
  return typeof value === 'number' ? inDigits(value) : inCode(value);
}

function offOf({ type, off, of = [] }) {
  if (off || of.includes(false)) return '`false`';
  return ['duration', 'count', 'choice', 'object'].includes(type) ? '' : undefined;
}

const inCode = (value) => (typeof value === 'string' ? `\`'${value}'\`` : `\`${value}\``);
const inDigits = (number) => `${number}`.replace(/\B(?=(\d{3})+$)/g, ' ');
