// What every server of the conformance suite answers over HTTP, on whichever runtime it runs: what its
// heartbeat knows, and orders to block, send, drain or detach. Only needs web APIs and prom-client.
import { exportMetrics } from '@wirebeat/server/prometheus';
import { Registry } from 'prom-client';

const NAMES = ['dead', 'stall', 'unresponsive', 'replaced', 'session', 'end'];

/** Options of a server, `unit` times as long on a slow machine. */
export function optionsOf(unit) {
  return { pingInterval: 1_000 * unit, pingTimeout: 1_000 * unit };
}

export class Control {
  /** The messages that the application received. */
  messages = [];
  events = [];
  sockets = new Set();
  #heartbeat;
  #registry = new Registry();
  #sending;

  constructor(heartbeat) {
    this.#heartbeat = heartbeat;
    exportMetrics(heartbeat, { registry: this.#registry });
    for (const name of NAMES) heartbeat.on(name, (event) => this.#note(name, event));
  }

  /** The application receives a message, and sends it back. */
  received(socket, text) {
    this.messages.push(text);
    socket.send(text);
  }

  /** Answers a request: `{ status, body }`. */
  async answer(url) {
    const { pathname, searchParams } = new URL(url, 'http://localhost');
    const number = (name) => Number(searchParams.get(name));
    switch (pathname) {
      case '/state':
        return JSON.stringify(this.#state());
      case '/metrics':
        return this.#registry.metrics();
      case '/block': {
        const end = Date.now() + number('for');
        while (Date.now() < end);
        return 'blocked';
      }
      case '/send':
        this.#sending = setInterval(() => {
          for (const socket of this.sockets) socket.send('tick');
        }, number('every'));
        return 'sending';
      case '/quiet':
        clearInterval(this.#sending);
        return 'quiet';
      case '/drain':
        await this.#heartbeat.drain({ within: number('within'), retryAfter: number('retryAfter') });
        return 'drained';
      case '/detach':
        clearInterval(this.#sending);
        this.#heartbeat.detach();
        return JSON.stringify(this.#leftovers());
      default:
        return 'unknown';
    }
  }

  #state() {
    const connections = [...this.#heartbeat.connections.values()].map((connection) => ({
      status: connection.status,
      transportLatency: connection.transportLatency,
      applicationLatency: connection.applicationLatency,
      detectionBound: connection.detectionBound,
    }));
    return { connections, events: this.events, messages: this.messages };
  }

  /** What `detach` has left on the sockets: their own members, and prototypes that are not the class's. */
  #leftovers() {
    return [...this.sockets].flatMap((socket) => {
      const own = ['send', 'emit'].filter((name) => Object.hasOwn(socket, name));
      const prototype = Object.getPrototypeOf(socket);
      return Object.hasOwn(prototype, 'constructor') || this.sockets.size === 0
        ? own
        : [...own, 'prototype'];
    });
  }

  #note(name, { reason, silentFor, lateBy, tier, code }) {
    this.events.push({ name, reason, silentFor, lateBy, tier, code, at: Date.now() });
  }
}
