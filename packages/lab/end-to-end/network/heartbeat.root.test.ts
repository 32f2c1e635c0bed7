import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestNetwork } from '../../faults/test-network.ts';
import { allowance, MS } from '../allowance.ts';
import { HostProcess } from './host-process.ts';

interface Told {
  readonly name: string;
  readonly at: number;
  readonly silentFor?: number;
  readonly lateBy?: number;
  readonly bound?: number;
}

const PORT = 7_001;
const INTERVAL = 1_000;
const SERVER_INTERVAL = 1_200; // so that the client's beat comes first
const TIMEOUT = 2_000;
/** Beats and verdicts enough: what could die has died. */
const A_WHILE = 5_000;

let network: TestNetwork;
let server: HostProcess;
let client: HostProcess;

const toldBy = (host: HostProcess) => host.told as readonly Told[];
const count = (host: HostProcess, name: string) =>
  toldBy(host).filter((told) => told.name === name).length;

/** Waits until a host has told something of that name once more than `before`. */
async function more(host: HostProcess, name: string, before: number): Promise<void> {
  await expect.poll(() => count(host, name), { timeout: 30_000 * MS }).toBeGreaterThan(before);
}

/** A beat that came back since now. */
async function beats(): Promise<void> {
  await more(client, 'pong', count(client, 'pong'));
}

beforeEach(async () => {
  network = new TestNetwork();
  const { first, second } = network;
  server = new HostProcess(second, 'watched-server.mjs', PORT, SERVER_INTERVAL, TIMEOUT);
  await more(server, 'listening', 0);
  const url = `ws://${second.address}:${PORT}`;
  client = new HostProcess(first, 'watched-client.mjs', url, INTERVAL, TIMEOUT);
  await beats();
});

afterEach(async () => {
  await client.end();
  await server.end();
  network.remove();
});

const FAULTS: readonly [string, () => void, () => void][] = [
  ['wire that is out', () => network.takeDown(), () => network.bringUp()],
  ['path that loses all', () => network.drop(), () => network.heal()],
  ['path that loses what goes there', () => network.drop('there'), () => network.heal()],
  ['path that loses what comes back', () => network.drop('back'), () => network.heal()],
  ['host that has moved', () => network.first.move(), () => {}],
];

describe('between two hosts', () => {
  it.each(FAULTS)('a %s is found within the bound, and left', async (_, hurt, mend) => {
    const alive = toldBy(client).findLast(({ bound }) => bound !== undefined);
    hurt();
    await more(client, 'dead', 0);
    const dead = toldBy(client).find(({ name }) => name === 'dead') as Told;
    const stalls = toldBy(client).flatMap(({ lateBy = 0 }) => lateBy);
    const bound = (alive?.bound ?? 0) + allowance(stalls, TIMEOUT);
    expect(dead.silentFor).toBeLessThanOrEqual(bound * MS);
    mend();
    await more(client, 'open', 1);
    await beats();
    await more(server, 'end', 0);
    expect(count(client, 'close')).toBe(1);
  });

  it('nobody dies of packets that TCP sends again', async () => {
    network.lose(0.02);
    await sleep(A_WHILE);
    network.heal();
    expect([count(client, 'dead'), count(server, 'dead')]).toEqual([0, 0]);
    await beats();
  });

  it('nobody dies where nothing is wrong', async () => {
    await sleep(A_WHILE);
    expect(toldBy(client).filter(({ name }) => /dead|close/.test(name))).toEqual([]);
    expect(count(server, 'dead')).toBe(0);
  });
});
