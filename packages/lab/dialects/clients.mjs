// The official clients of other protocols, each over a WebSocket class that is passed to it. They
// reconnect by themselves.
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';

const require = createRequire(import.meta.url);
/** Time between two messages of a server that sends all the time, in ms. */
export const BUSY = 200;
const RETRY = 50; // ms before a client connects again
/** The protocols of RabbitMQ need a topic of their own for each client. */
let topics = 0;

/**
 * Waits for answers to messages that carry a number. `send` sends it, and is called again if the
 * connection was lost.
 */
function echoBy(send) {
  const waiting = new Map();
  let count = 0;
  return {
    async echo(text) {
      const id = String(++count);
      const answer = new Promise((resolve) => waiting.set(id, resolve));
      for (;;) {
        await send(`${id}:${text}`);
        const found = await Promise.race([answer, sleep(500)]);
        if (found !== undefined) return found;
      }
    },
    received(message) {
      const at = message.indexOf(':');
      waiting.get(message.slice(0, at))?.(message.slice(at + 1));
    },
  };
}

export const CLIENTS = {
  async graphql(url, WebSocket) {
    const { createClient } = await import('graphql-ws');
    const client = createClient({
      url,
      webSocketImpl: WebSocket,
      lazy: false,
      retryAttempts: Number.POSITIVE_INFINITY,
      retryWait: () => sleep(RETRY),
      shouldRetry: () => true,
      onNonLazyError: () => {},
    });
    const query = 'subscription ($text: String) { echo(text: $text) }';
    return {
      async echo(text) {
        for await (const { data } of client.iterate({ query, variables: { text } })) {
          return data.echo;
        }
      },
      ticks: (onTick) => {
        client.subscribe(
          { query: 'subscription { ticks }' },
          { next: onTick, error() {}, complete() {} },
        );
      },
      end: () => client.dispose(),
    };
  },

  async ka(url, WebSocket) {
    const { SubscriptionClient } = require('subscriptions-transport-ws');
    const client = new SubscriptionClient(url, { reconnect: true, minTimeout: 30_000 }, WebSocket);
    const query = 'subscription ($text: String) { echo(text: $text) }';
    return {
      async echo(text) {
        // Between two connections, a request would open one, and the client would open another beside it.
        while (client.client === null) await sleep(RETRY);
        return new Promise((resolve, reject) => {
          client.request({ query, variables: { text } }).subscribe({
            next: ({ data, errors }) => (data ? resolve(data.echo) : reject(errors)),
          });
        });
      },
      ticks: (onTick) => {
        client.request({ query: 'subscription { ticks }' }).subscribe({ next: onTick });
      },
      end: () => client.close(),
    };
  },

  async trpc(url, WebSocket) {
    const { createTRPCClient, createWSClient, wsLink } = await import('@trpc/client');
    const client = createWSClient({ url, WebSocket, retryDelayMs: () => RETRY });
    const trpc = createTRPCClient({ links: [wsLink({ client })] });
    return {
      echo: (text) => trpc.echo.query(text),
      ticks: (onTick) => void trpc.ticks.subscribe(undefined, { onData: onTick }),
      end: () => client.close(),
    };
  },

  // Its client does not reconnect: that is left to Socket.IO.
  async engineIo(url, WebSocket) {
    const { NodeWebSocket, Socket } = await import('engine.io-client');
    class Transport extends NodeWebSocket {
      createSocket(uri, protocols) {
        return new WebSocket(uri, protocols);
      }
    }
    let socket;
    let onTick;
    const { echo, received } = echoBy((message) => socket.send(message));
    const open = () => {
      socket = new Socket(url, { transports: [Transport] });
      if (onTick) socket.send('ticks');
      socket.on('message', (message) => (message === 'tick' ? onTick() : received(message)));
      socket.on('close', () => setTimeout(() => isEnded || open(), RETRY));
      socket.on('error', () => {});
    };
    let isEnded = false;
    open();
    return {
      echo,
      ticks(listener) {
        onTick = listener;
        socket.send('ticks');
      },
      end() {
        isEnded = true;
        socket.close();
      },
    };
  },

  async socketIo(url, WebSocket) {
    const { NodeWebSocket } = await import('engine.io-client');
    const { io } = await import('socket.io-client');
    class Transport extends NodeWebSocket {
      createSocket(uri, protocols) {
        return new WebSocket(uri, protocols);
      }
    }
    const delays = { reconnectionDelay: RETRY, reconnectionDelayMax: RETRY };
    const socket = io(url, { transports: [Transport], forceNew: true, ...delays });
    return {
      async echo(text) {
        for (;;) {
          const answer = await socket
            .timeout(500)
            .emitWithAck('echo', text)
            .catch(() => {});
          if (answer !== undefined) return answer;
        }
      },
      ticks(onTick) {
        socket.on('tick', onTick);
        socket.emit('ticks');
      },
      end: () => socket.close(),
    };
  },

  async mqtt(url, WebSocket, { keepAlive = 60 } = {}) {
    const { default: mqtt } = await import('mqtt');
    const client = mqtt.connect(url, {
      createWebsocket: (address, protocols) => new WebSocket(address, protocols),
      reconnectPeriod: RETRY,
      keepalive: keepAlive,
      log() {},
    });
    client.on('error', () => {});
    const topic = `echo/${process.pid}/${++topics}`;
    const { echo, received } = echoBy((message) => client.publish(topic, message));
    let onTick;
    client.on('message', (name, payload) => (name === topic ? received(`${payload}`) : onTick?.()));
    client.subscribe(topic);
    return {
      echo,
      ticks(listener) {
        onTick = listener;
        client.subscribe('ticks');
      },
      publish: () => client.publish('ticks', 'tick'),
      end: () => client.end(true),
    };
  },

  async stomp(url, WebSocket, { isPatient = false, heartBeat = [0, 500] } = {}) {
    const { Client } = await import('@stomp/stompjs');
    const topic = `/topic/echo.${process.pid}.${++topics}`;
    const client = new Client({
      webSocketFactory: () => new WebSocket(url, ['v12.stomp']),
      heartbeatOutgoing: heartBeat[0], // none: a client that is stopped would be closed by the server
      heartbeatIncoming: heartBeat[1],
      reconnectDelay: RETRY,
      ...(isPatient && { heartbeatToleranceMultiplier: 1_000 }),
      connectHeaders: { login: 'guest', passcode: 'guest' },
    });
    let onTick;
    const { echo, received } = echoBy((body) => {
      if (client.connected) client.publish({ destination: topic, body });
    });
    client.onConnect = () => {
      client.subscribe(topic, ({ body }) => received(body));
      if (onTick) client.subscribe('/topic/ticks', onTick);
    };
    client.activate();
    return {
      echo,
      ticks(listener) {
        onTick = listener;
        if (client.connected) client.subscribe('/topic/ticks', onTick);
      },
      publish() {
        if (client.connected) client.publish({ destination: '/topic/ticks', body: 'tick' });
      },
      end: () => client.deactivate({ force: true }),
    };
  },

  async nats(url, WebSocket) {
    const { connect, StringCodec } = require('nats.ws');
    const codec = StringCodec();
    const connection = await connect({
      servers: url,
      wsFactory: async (address) => ({ socket: new WebSocket(address), encrypted: false }),
      reconnectTimeWait: RETRY,
      maxReconnectAttempts: -1,
    });
    const topic = `echo.${process.pid}.${++topics}`;
    const { echo, received } = echoBy((message) =>
      connection.publish(topic, codec.encode(message)),
    );
    connection.subscribe(topic, { callback: (_, { data }) => received(codec.decode(data)) });
    return {
      echo,
      ticks: (onTick) => void connection.subscribe('ticks', { callback: onTick }),
      publish: () => connection.publish('ticks', codec.encode('tick')),
      end: () => connection.close(),
    };
  },

  async cable(url, WebSocket, { isPatient = false } = {}) {
    globalThis.addEventListener ??= () => {}; // it listens to the visibility of a page
    globalThis.removeEventListener ??= () => {};
    const { adapters, ConnectionMonitor, createConsumer } = require('@rails/actioncable');
    adapters.WebSocket = WebSocket;
    const consumer = createConsumer(url);
    class PatientMonitor extends ConnectionMonitor {
      static staleThreshold = 1_000; // s
    }
    if (isPatient) consumer.connection.monitor.constructor = PatientMonitor; // of this client alone
    let onTick;
    const { echo, received } = echoBy((text) => channel.perform('echo', { text }));
    const channel = consumer.subscriptions.create('EchoChannel', { received });
    return {
      echo,
      ticks(listener) {
        onTick = listener;
        const params = { channel: 'EchoChannel', ticks: true };
        consumer.subscriptions.create(params, { received: onTick });
      },
      end: () => consumer.disconnect(),
    };
  },
};
