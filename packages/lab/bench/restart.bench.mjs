// How do 2 000 clients reconnect after a restart, if the server is drained over 5 s or killed? Two
// servers, the clients and the proxy between them are separate processes. Clients that dial after the
// start of the restart reach the second server.
import { TcpProxy } from '@wirebeat/lab/faults/tcp-proxy';
import { drawHistogram, histogram } from '@wirebeat/lab/fleet/histogram';
import { Lateness } from '@wirebeat/lab/fleet/lateness';
import { Program } from '@wirebeat/lab/fleet/program';
import { BUCKET, firstDelays, mostInBucket, restart } from '@wirebeat/lab/fleet/restart';
import { report } from './report.mjs';

const CLIENTS = Number(process.env.BENCH_CLIENTS ?? 2_000);
const WITHIN = 5_000;
const MIN_DELAY = 500; // of the backoff: the first wait is a random time below it
const LIMIT = 60_000;

async function listen() {
  const server = new Program('@wirebeat/lab/fleet/server', { kind: 'wirebeat' });
  await server.until(() => server.of('listening').length > 0, LIMIT);
  return { server, port: server.of('listening')[0].detail.port };
}

async function run(within) {
  const [{ server: old, port }, { server: next, port: nextPort }] = [
    await listen(),
    await listen(),
  ];
  const way = await TcpProxy.listen({ to: port });
  const clients = new Program('@wirebeat/lab/fleet/clients', {
    ...{ kind: 'reconnecting', name: 'client', count: CLIENTS, port: way.port, within: 4_000 },
  });
  await clients.until(() => clients.clientsWith('opened').size === CLIENTS, LIMIT);
  const lateness = new Lateness();
  const lead = () => {
    way.to = nextPort;
  };
  const stage = { old, next, clients, count: CLIENTS, lateness, lead };
  const result = await restart(stage, within, LIMIT);
  const shares = histogram(firstDelays(clients), 0, BUCKET);
  lateness.end();
  await Promise.all([old.end(), next.end(), clients.end()]);
  await way.close();
  return { ...result, shares };
}

const rows = [];
for (const [name, within, over] of [
  ['drained over 5 s', WITHIN, WITHIN],
  ['killed', undefined, MIN_DELAY],
]) {
  const { counts, shares, lateBy, isWhole } = await run(within);
  show(`attempts of ${CLIENTS} clients where the server is ${name}`, counts);
  show('the waits that they had drawn', shares);
  const mean = (CLIENTS * BUCKET) / over;
  const row = (what, counted, late) => ({
    what: `${name}: ${what}`,
    measured: isWhole ? Math.max(...counted) / mean : Number.NaN,
    unit: 'times the mean',
    budget: mostInBucket(CLIENTS, over, late) / mean,
    note: late > 0 ? `a process was late by ${Math.round(late)} ms` : '',
  });
  rows.push(row(`most attempts in ${BUCKET} ms`, counts, lateBy));
  if (within === undefined) rows.push(row(`most waits in ${BUCKET} ms`, shares, 0));
}
report(`How do ${CLIENTS} clients come back?`, rows);

function show(what, counts) {
  console.log(`\n  ${what}, in ${BUCKET} ms each\n\n${drawHistogram(counts, BUCKET)}`);
}
