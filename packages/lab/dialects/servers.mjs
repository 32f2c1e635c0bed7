// Real servers of other protocols: `node servers.mjs NAME`. Prints its port when it listens. Each echoes
// a message of the application in the way of its protocol, and sends one every `BUSY` ms if it is asked to.

import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import { BUSY } from './clients.mjs';

const { INTERVAL = '300', TIMEOUT = '400' } = process.env;
/** How often a server sends its heartbeat, and how long it waits for an answer, in ms. */
const TIMING = { pingInterval: Number(INTERVAL), pingTimeout: Number(TIMEOUT) };

const http = createServer();

async function* echo(text) {
  yield { echo: text };
}

async function* ticks() {
  for (;;) {
    yield { ticks: 'tick' };
    await sleep(BUSY);
  }
}

async function graphqlSchema() {
  const { buildSchema } = await import('graphql');
  return buildSchema(`
    type Query { hello: String }
    type Subscription { echo(text: String): String, ticks: String }
  `);
}

const roots = {
  subscription: { echo: ({ text }) => echo(text), ticks },
};

const SERVERS = {
  async graphql() {
    const { useServer } = await import('graphql-ws/use/ws');
    useServer({ schema: await graphqlSchema(), roots }, new WebSocketServer({ server: http }));
  },

  async ka() {
    const { SubscriptionServer } = createRequire(import.meta.url)('subscriptions-transport-ws');
    const { execute, subscribe } = await import('graphql');
    const schema = await graphqlSchema();
    const options = {
      schema,
      rootValue: roots.subscription,
      execute,
      subscribe,
      keepAlive: TIMING.pingInterval,
    };
    SubscriptionServer.create(options, { server: http });
  },

  async trpc() {
    const { initTRPC } = await import('@trpc/server');
    const { applyWSSHandler } = await import('@trpc/server/adapters/ws');
    const trpc = initTRPC.create();
    const router = trpc.router({
      echo: trpc.procedure.input(String).query(({ input }) => input),
      ticks: trpc.procedure.subscription(async function* () {
        for await (const { ticks: tick } of ticks()) yield tick;
      }),
    });
    applyWSSHandler({ wss: new WebSocketServer({ server: http }), router });
  },

  async engineIo() {
    const { Server } = await import('engine.io');
    const server = new Server({ ...TIMING, transports: ['websocket'] });
    server.attach(http);
    server.on('connection', (socket) => {
      let timer;
      socket.on('close', () => clearInterval(timer));
      socket.on('message', (text) => {
        if (text === 'ticks') timer = setInterval(() => socket.send('tick'), BUSY);
        else socket.send(text);
      });
    });
  },

  async socketIo() {
    const { Server } = await import('socket.io');
    const server = new Server(http, { ...TIMING, transports: ['websocket'] });
    server.on('connection', (socket) => {
      let timer;
      socket.on('echo', (text, answer) => answer(text));
      socket.on('ticks', () => {
        timer = setInterval(() => socket.emit('tick', 'tick'), BUSY);
      });
      socket.on('disconnect', () => clearInterval(timer));
    });
  },

  async aedes() {
    const { Aedes } = await import('aedes');
    const { createWebSocketStream } = await import('ws');
    const broker = await Aedes.createBroker();
    const server = new WebSocketServer({ server: http, handleProtocols: () => 'mqtt' });
    server.on('connection', (socket) => {
      const stream = createWebSocketStream(socket);
      stream.on('error', () => {}); // a connection that is cut
      broker.handle(stream);
    });
  },
};

const start = SERVERS[process.argv[2]];
if (start === undefined) throw new Error(`Expected one of ${Object.keys(SERVERS).join(', ')}`);
await start();
http.listen(0, '127.0.0.1');
await once(http, 'listening');
console.log(`listening on ${http.address().port}`);
process.on('disconnect', () => process.exit());
