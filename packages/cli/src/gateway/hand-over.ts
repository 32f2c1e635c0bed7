import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Server as NetServer, Socket } from 'node:net';
import { exitWhenWritten } from '../terminal.ts';
import type { Log } from './log.ts';
import type { GatewayService, Handed } from './service.ts';

/** Set for a process that receives its servers from the one before it. */
const VARIABLE = 'WIREBEAT_HAND_OVER';
/** Time in ms within which the new process must serve. It holds the connections that it accepts before that. */
const READY_WITHIN = 60_000;
/** A message with a server. `isLast`: no further server follows. */
interface Message {
  readonly name: keyof Handed;
  readonly isLast: boolean;
}

/**
 * Starts the program anew and hands it the servers that listen, so that no connection is refused
 * meanwhile. Then ends this process when its last connection has ended. If the new process does not
 * start within a minute, this one goes on as before.
 */
export async function handOver(service: GatewayService, log: Log): Promise<void> {
  let child: ChildProcess | undefined;
  try {
    child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      detached: true,
      env: { ...process.env, [VARIABLE]: '1' },
    });
    await pass(service.servers, child);
  } catch (error) {
    if (child !== undefined) end(child);
    log({ event: 'hand-over-failed', error: (error as Error).message });
    return;
  }
  child.disconnect();
  child.unref();
  log({ event: 'handed-over', pid: child.pid, open: service.open });
  await service.retire();
  log({ event: 'closed' });
  exitWhenWritten(0);
}

/** Ends a process that does not serve, and lets it drain the connections that it has accepted. */
function end(child: ChildProcess): void {
  child.kill();
  const timer = setTimeout(() => child.kill('SIGKILL'), READY_WITHIN).unref();
  child.once('exit', () => clearTimeout(timer));
}

/** Resolves once the new process serves. Rejects if it could not be started, has ended, or takes too long. */
async function pass(servers: Handed, child: ChildProcess): Promise<void> {
  child.on('error', () => {}); // `once` rejects with it; a late one changes nothing
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`it exited with ${code ?? signal}`);
  });
  const begun = Promise.all([once(child, 'message'), sendServers(child, servers)]);
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`it did not serve within ${READY_WITHIN / 1_000} s`);
    setTimeout(() => reject(error), READY_WITHIN).unref();
  });
  const [[message]] = await Promise.race([begun, ended, late]);
  if (message !== 'ready') throw new Error(String(message));
}

async function sendServers(child: ChildProcess, { main, status }: Handed): Promise<void> {
  const servers = Object.entries({ main, status }).filter(([, server]) => server !== undefined);
  for (const [index, [name, server]] of servers.entries()) {
    const message = { name, isLast: index === servers.length - 1 };
    await new Promise<void>((resolve, reject) =>
      child.send(message, server, (error) => (error === null ? resolve() : reject(error))),
    );
  }
}

/** Receives the servers of the process before this one, if there was one. */
export async function receiveServers(): Promise<Handed> {
  if (process.env[VARIABLE] === undefined || process.send === undefined) return {};
  delete process.env[VARIABLE]; // the next process gets its own
  const handed: { -readonly [Name in keyof Handed]: NetServer } = {};
  await new Promise<void>((resolve) => {
    process.on('message', ({ name, isLast }: Message, received: unknown) => {
      const server = received as NetServer;
      holdConnections(server);
      handed[name] = server;
      if (isLast) resolve();
    });
  });
  process.removeAllListeners('message');
  return handed;
}

/**
 * Holds the connections that arrive before somebody handles them: a received server accepts at once.
 */
function holdConnections(server: NetServer): void {
  const early: Socket[] = [];
  Object.assign(server, { pauseOnConnect: true }); // nothing is read before
  const hold = (socket: Socket) => early.push(socket);
  server.on('connection', hold);
  server.once('newListener', (event) => {
    if (event !== 'connection') return;
    server.off('connection', hold);
    setImmediate(() => {
      for (const socket of early) server.emit('connection', socket);
    });
  });
}

/** Tells the process before this one that it can stop listening. */
export function reportReady(): void {
  process.send?.('ready', () => process.disconnect?.());
}
