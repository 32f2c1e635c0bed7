import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { TcpProxy } from '@wirebeat/lab/faults/tcp-proxy';
import { Client, pause, until } from './client.mjs';

const START_LIMIT = 30_000; // ms

/** A server of the suite in a process of its own, and the means to ask it and to cut its connections. */
export class Stage {
  /** How many times as long everything takes. */
  unit;
  port;
  /** The port of the second server of a program, if it has one. */
  plainPort;
  errors = '';
  #child;
  #proxies = [];
  #clients = [];

  /** `port`: of a program that does not print it. */
  static async start({ command, args }, unit, port) {
    const child = spawn(command, [...args, String(unit)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_OPTIONS: '', PORT: '0' },
    });
    const stage = new Stage(child, unit);
    stage.port = port;
    try {
      if (port === undefined) await stage.#listens();
      else await until('it listens', START_LIMIT * unit, () => stage.isReachable());
    } catch (error) {
      await stage.end();
      throw error;
    }
    return stage;
  }

  constructor(child, unit) {
    this.#child = child;
    this.unit = unit;
    child.stderr.on('data', (data) => {
      if (!String(data).startsWith('Listening on ')) this.errors += data; // Deno says so there
    });
  }

  get url() {
    return `ws://127.0.0.1:${this.port}/`;
  }

  get plainUrl() {
    return `ws://127.0.0.1:${this.plainPort}/`;
  }

  async ask(path) {
    const response = await fetch(`http://127.0.0.1:${this.port}${path}`);
    return response.text();
  }

  async state() {
    return JSON.parse(await this.ask('/state'));
  }

  /** Resolves to the exit code, once the program has ended by itself. */
  async exit() {
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
    return this.#child.exitCode;
  }

  /** A network of its own to the server, which can be cut. */
  async network() {
    const proxy = await TcpProxy.listen({ to: this.port });
    this.#proxies.push(proxy);
    return { proxy, url: `ws://127.0.0.1:${proxy.port}/` };
  }

  isReachable() {
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1');
      socket.once('error', () => resolve(false));
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
    });
  }

  async open(url, options) {
    const client = await Client.open(url, options);
    this.#clients.push(client);
    return client;
  }

  signal(name) {
    this.#child.kill(name);
  }

  /** Closes what a case has left, and waits until the server has no connection. */
  async tidy(waits) {
    for (const client of this.#clients.splice(0)) client.end();
    for (const proxy of this.#proxies.splice(0)) await proxy.close();
    for (let look = 0; waits && look < 200; look += 1) {
      if ((await this.state()).connections.length === 0) return;
      await pause(25);
    }
  }

  async end() {
    for (const client of this.#clients.splice(0)) client.end();
    for (const proxy of this.#proxies.splice(0)) await proxy.close();
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, 'exit');
      this.#child.kill('SIGKILL');
      await ended;
    }
  }

  #listens() {
    return new Promise((resolve, reject) => {
      let printed = '';
      const fail = (why) => reject(new Error(`${why}: ${this.errors || printed}`));
      const timer = setTimeout(() => fail('does not listen'), START_LIMIT * this.unit);
      this.#child.once('error', (error) => fail(error.message));
      this.#child.once('exit', (code) => fail(`ended with ${code}`));
      this.#child.stdout.on('data', (data) => {
        printed += data;
        if (!printed.endsWith('\n')) return;
        [this.port, this.plainPort] = printed.match(/\d+(?=\s)/g).map(Number);
        clearTimeout(timer);
        resolve();
      });
    });
  }
}
