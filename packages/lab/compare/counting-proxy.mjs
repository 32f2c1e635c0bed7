import { once } from 'node:events';
import { connect, createServer } from 'node:net';

const QUIET = 1_000; // an exchange ends after this silence, in ms

/** A TCP proxy that counts bytes and segments from `begin` on. */
export class CountingProxy {
  bytes = 0;
  segments = 0;
  #server;
  #isCounting = false;
  #sockets = new Set();

  static async listen(to) {
    const proxy = new CountingProxy(to);
    await once(proxy.#server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  constructor(to) {
    this.#server = createServer((near) => {
      const far = connect(to, '127.0.0.1');
      const exchange = { last: Number.NEGATIVE_INFINITY };
      this.#carry(near, far, exchange);
      this.#carry(far, near, exchange);
    });
  }

  get port() {
    return this.#server.address().port;
  }

  begin() {
    this.#isCounting = true;
  }

  end() {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }

  #carry(from, into, exchange) {
    this.#sockets.add(from.setNoDelay(true).on('error', () => into.destroy()));
    from.on('close', () => into.destroy());
    from.on('data', (data) => {
      into.write(data);
      if (!this.#isCounting) return;
      const now = performance.now();
      this.segments += now - exchange.last > QUIET ? 2 : 1; // the first segment of an exchange also counts the last acknowledgement
      exchange.last = now;
      this.bytes += data.length;
    });
  }
}
