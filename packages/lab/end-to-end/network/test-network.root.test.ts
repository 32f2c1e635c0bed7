import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestNetwork } from '../../faults/test-network.ts';
import { MS } from '../allowance.ts';
import { HostProcess } from './host-process.ts';

const PORT = 7_000;
const A_WHILE = 700 * MS; // longer than the kernel takes to send a lost packet again

let network: TestNetwork;
let server: HostProcess;
let client: HostProcess;

/** Whether answers come within a while. */
async function isAnswered(asker = client): Promise<boolean> {
  await sleep(100 * MS); // what is on its way arrives
  const { length } = asker.told;
  await sleep(A_WHILE);
  return asker.told.length > length;
}

async function dial(): Promise<HostProcess> {
  const asker = new HostProcess(network.first, 'echo-client.mjs', PORT, network.second.address);
  await expect.poll(() => asker.told.length, { timeout: 20_000 * MS }).toBeGreaterThan(1);
  return asker;
}

beforeEach(async () => {
  network = new TestNetwork();
  server = new HostProcess(network.second, 'echo-server.mjs', PORT);
  await expect.poll(() => server.told, { timeout: 20_000 * MS }).toContain('listening');
  client = await dial();
});

afterEach(async () => {
  await client.end();
  await server.end();
  network.remove();
});

describe('a network of two hosts', () => {
  it('carries what they say', async () => {
    expect(await isAnswered()).toBe(true);
  });

  it('carries nothing while the wire is out, and goes on after it', async () => {
    network.takeDown();
    expect(await isAnswered()).toBe(false);
    network.bringUp();
    await expect.poll(() => isAnswered(), { timeout: 20_000 * MS }).toBe(true);
  });

  it.each([
    ['there', 'there'],
    ['back', 'back'],
    ['either way', undefined],
  ] as const)('drops packets that go %s', async (_, direction) => {
    network.drop(direction);
    expect(await isAnswered()).toBe(false);
    expect(client.told.every((told) => /^\d+$|^connected$/.test(String(told)))).toBe(true);
    network.heal();
    await expect.poll(() => isAnswered(), { timeout: 20_000 * MS }).toBe(true);
  });

  it('loses packets by chance: TCP takes longer, and gets through', async () => {
    network.lose(0.3);
    const { length } = client.told;
    await sleep(4 * A_WHILE);
    const lossy = client.told.length - length;
    network.heal();
    await expect.poll(() => isAnswered(), { timeout: 20_000 * MS }).toBe(true);
    const healed = client.told.length;
    await sleep(4 * A_WHILE);
    expect(lossy).toBeGreaterThan(0);
    expect(lossy).toBeLessThan(client.told.length - healed);
  });

  it('leaves an old connection behind when a host has moved, and takes new ones', async () => {
    network.first.move();
    expect(await isAnswered()).toBe(false);
    const later = await dial();
    expect(await isAnswered(later)).toBe(true);
    await later.end();
  });
});
