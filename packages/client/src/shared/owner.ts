import { InvalidOptionError } from '@wirebeat/core';
import { type Held, hold, locksHere, whenFree } from './locks.ts';
import type { FromTab, PortLike, ToTab } from './port-messages.ts';
import { type OpenShared, portServer } from './serve-tabs.ts';

/** The parts of a `SharedWorker` that are used. */
export interface SharedWorkerLike {
  readonly port: PortLike;
  // biome-ignore lint/suspicious/noExplicitAny: each runtime has its own type of listener
  addEventListener(type: string, listener: (event: any) => void): void;
}

/** What happens at the other end of the port. */
interface OwnerListener {
  message(message: ToTab): void;
  /** The owner is no more: its process has crashed, or the browser has ended it. */
  gone(): void;
}

/** The owner of the socket, as a tab that has joined sees it. */
export interface Owner {
  readonly port: PortLike;
  /** Lets the owner forget this tab. */
  readonly leave: () => void;
}

/** A port, and the name of the lock of its owner. */
interface Ready {
  readonly port: PortLike;
  readonly lock: string | undefined;
}

/**
 * Joins the owner of the socket: the worker or, if this page cannot use one, this page itself.
 * Without locks, a worker would never learn that a page has crashed.
 *
 * @throws {InvalidOptionError} if `openWorker` returns anything but a `SharedWorker`.
 */
export function joinOwner(
  openWorker: () => SharedWorkerLike,
  open: OpenShared,
  listener: OwnerListener,
): Promise<Owner> {
  const hasWorkers = typeof Reflect.get(globalThis, 'SharedWorker') === 'function';
  const worker = locksHere() && hasWorkers ? startWorker(openWorker) : undefined;
  return join(worker, open, listener);
}

async function join(
  started: SharedWorkerLike | undefined,
  open: OpenShared,
  listener: OwnerListener,
): Promise<Owner> {
  const locks = locksHere();
  const worker = started && (await readyWorker(started));
  const held: Held | undefined = worker && locks && (await hold(locks));
  const { port, lock } = worker ?? ownPort(open);
  const stopWaiting = whenFree(lock, () => listener.gone());
  port.addEventListener('message', ({ data }: { data: ToTab }) => {
    if (data[0] !== 'ready') listener.message(data);
  });
  port.postMessage(['join', held?.name] satisfies FromTab);
  const leave = () => {
    stopWaiting();
    port.postMessage(['leave'] satisfies FromTab);
    held?.release();
  };
  return { port, leave };
}

/** Returns undefined if it fails: a content security policy can forbid workers. */
function startWorker(openWorker: () => SharedWorkerLike): SharedWorkerLike | undefined {
  let worker: SharedWorkerLike;
  try {
    worker = openWorker();
  } catch {
    return undefined;
  }
  if (typeof Object(worker).port?.start === 'function') return worker;
  throw new InvalidOptionError('openWorker', 'a function that returns a SharedWorker', openWorker);
}

/** Resolves once the worker says that it is ready; to undefined if it fails. */
function readyWorker(worker: SharedWorkerLike): Promise<Ready | undefined> {
  return new Promise((resolve) => {
    const { port } = worker;
    worker.addEventListener('error', () => resolve(undefined));
    port.addEventListener('message', ({ data: [kind, lock] }: { data: ToTab }) => {
      if (kind === 'ready') resolve({ port, lock: lock as string });
    });
    port.start();
  });
}

function ownPort(open: OpenShared): Ready {
  const { port1, port2 } = new MessageChannel();
  port1.start();
  portServer(open)(port2);
  return { port: port1, lock: undefined };
}
