import { once } from 'node:events';
import { attachHeartbeat } from '@wirebeat/client';
import { describe, expect, it } from 'vitest';
import { atEnd } from '../server-side.ts';
import { heard, onlyConnection, openPage, stage } from './gateway-stage.ts';

describe('a beat from end to end', () => {
  it('asks the upstream by a protocol Ping with the id, and answers the page by its Pong', async () => {
    const play = await stage();
    const { page, received, arrived } = await openPage(play);
    page.send('\u0005wb.a1;v=1');
    expect(await received.find(([, data]) => data === '\u0006wb.a1')).toBeDefined();
    expect(arrived.entries).toContainEqual(['ping', 'wb.a1']);
    expect(arrived.entries.filter(([name]) => name === 'text')).toEqual([]);
    page.send('\u0005wb');
    expect(await received.find(([, data]) => data === '\u0006wb')).toBeDefined();
    expect(arrived.entries).toContainEqual(['ping', 'wb']);
  });

  it('is not answered while the upstream does not answer', async () => {
    const play = await stage({}, { autoPong: false });
    const { page, far, received, arrived } = await openPage(play);
    page.send('\u0005wb.a1');
    page.send('after it');
    await arrived.find(([, data]) => data === 'after it');
    far.send('something else');
    await received.find(([, data]) => data === 'something else');
    expect(received.entries.filter(([, data]) => data.startsWith('\u0006'))).toEqual([]);
    far.pong('wb.a1');
    expect(await received.find(([, data]) => data === '\u0006wb.a1')).toBeDefined();
  });

  it('gives a real client a latency that has both hops in it', async () => {
    const play = await stage();
    const { page } = await openPage(play);
    const heartbeat = attachHeartbeat(page);
    atEnd(() => heartbeat.detach());
    expect(await heartbeat.ping()).toBeGreaterThan(0);
    await heard(play.told, 'beat');
    const connection = onlyConnection(play);
    expect(connection.speaks).toBe(true);
    expect(connection.upstreamLatency).toBeGreaterThan(0);
    page.close(1000, 'enough');
    const [code, text] = await once(page, 'close');
    expect([code, String(text)]).toEqual([1000, 'enough']);
    expect(await heard(play.told, 'end')).toMatchObject({
      reason: 'closed',
      code: 1000,
      by: 'page',
    });
    expect(play.gateway.connections.size).toBe(0);
  });
});
