import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireProgram } from './find-program.ts';
import { freePort } from './free-port.ts';
import { Program } from './program.ts';

/** Options of an {@link IdleProxy}. */
interface IdleProxyOptions {
  /** The port that it forwards WebSockets to. */
  readonly to: number;
  /** Silence in whole seconds after which it cuts a connection: nginx accepts no shorter unit. */
  readonly idleSeconds: number;
  /** Whether nginx lacks the settings that WebSockets need. HAProxy needs none. */
  readonly dropsUpgrade?: boolean;
}

/** How one proxy program is configured and started. */
interface Product {
  readonly variable: string;
  readonly configure: (port: number, options: IdleProxyOptions) => string;
  readonly args: (folder: string, file: string) => readonly string[];
}

const UPGRADE =
  'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";';

/** A single process that only writes to its own folder, so it needs no privileges. */
const NGINX: Product = {
  variable: 'NGINX_PATH',
  configure: (port, { to, idleSeconds, dropsUpgrade }) => `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://127.0.0.1:${to};
      ${dropsUpgrade ? '' : UPGRADE}
      proxy_set_header Host $host;
      proxy_read_timeout ${idleSeconds}s;
    }
  }
}
`,
  args: (folder, file) => ['-p', folder, '-c', file, '-e', 'stderr'],
};

const HAPROXY: Product = {
  variable: 'HAPROXY_PATH',
  configure: (port, { to, idleSeconds }) => `
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel ${idleSeconds}s
frontend pages
  bind 127.0.0.1:${port}
  default_backend sockets
backend sockets
  server only 127.0.0.1:${to}
`,
  args: (_, file) => ['-db', '-f', file],
};

export const IDLE_PROXIES = { nginx: NGINX, HAProxy: HAPROXY } as const;

export type IdleProxyName = keyof typeof IDLE_PROXIES;

/** A real reverse proxy on loopback that cuts idle connections. */
export class IdleProxy {
  readonly #program: Program;
  readonly #folder: string;
  readonly port: number;

  static async start(name: IdleProxyName, options: IdleProxyOptions): Promise<IdleProxy> {
    const { variable, configure, args } = IDLE_PROXIES[name];
    const path = requireProgram(variable);
    const port = await freePort();
    const folder = mkdtempSync(join(tmpdir(), 'wirebeat-proxy-'));
    const file = join(folder, 'proxy.conf');
    writeFileSync(file, configure(port, options));
    const proxy = new IdleProxy(new Program(path, args(folder, file)), folder, port);
    try {
      await proxy.#program.listens(port);
      return proxy;
    } catch (error) {
      await proxy.close();
      throw error;
    }
  }

  private constructor(program: Program, folder: string, port: number) {
    this.#program = program;
    this.#folder = folder;
    this.port = port;
  }

  async close(): Promise<void> {
    await this.#program.end();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
