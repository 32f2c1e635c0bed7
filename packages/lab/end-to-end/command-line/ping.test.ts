// `wirebeat ping` against servers of others, as they are.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Aedes } from 'aedes';
import { buildSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { describe, expect, it } from 'vitest';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { wirebeat } from '../../../cli/test/command-line.ts';
import { lacksUpstream, Upstream } from '../../programs/upstream.ts';

const TIMES = ['-c', '3', '-i', '0.05'];

describe.skipIf(lacksUpstream('Python websockets'))(
  'wirebeat ping against Python websockets',
  () => {
    it('is answered with --protocol, and says plainly that it is not without', async () => {
      const upstream = await Upstream.start('Python websockets');
      const url = `ws://127.0.0.1:${upstream.port}/`;
      try {
        const asked = await wirebeat(['ping', url, '--protocol', '--json', ...TIMES]);
        const lines = asked.stdout.trim().split('\n');
        expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
          sent: 3,
          received: 3,
          unanswered: 0,
        });
        expect(asked.code).toBe(0);
        const application = await wirebeat(['ping', url, '-c', '1', '-W', '1']);
        expect(application.stderr).toMatch(/answers no application ping/);
        expect(application.code).toBe(1);
      } finally {
        await upstream.end();
      }
    });
  },
);

describe('wirebeat ping against graphql-ws', () => {
  it('is answered with --dialect graphql', async () => {
    const server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      handleProtocols: () => 'graphql-transport-ws',
    });
    useServer({ schema: buildSchema('type Query { it: Int }') }, server);
    await once(server, 'listening');
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    try {
      const { code, stdout } = await wirebeat(['ping', url, '--dialect', 'graphql', ...TIMES]);
      expect(stdout).toContain('3 sent, 3 received (0 late), 0 unanswered');
      expect(code).toBe(0);
    } finally {
      for (const client of server.clients) client.terminate();
      server.close();
    }
  });
});

describe('wirebeat ping against the MQTT broker aedes', () => {
  it('is answered with --dialect mqtt', async () => {
    const broker = await Aedes.createBroker();
    const server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      handleProtocols: () => 'mqtt',
    });
    server.on('connection', (socket) => broker.handle(createWebSocketStream(socket)));
    await once(server, 'listening');
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    try {
      const { code, stdout } = await wirebeat(['ping', url, '--dialect', 'mqtt', ...TIMES]);
      expect(stdout).toContain('3 sent, 3 received (0 late), 0 unanswered');
      expect(code).toBe(0);
    } finally {
      for (const client of server.clients) client.terminate();
      server.close();
      broker.close();
    }
  });
});
