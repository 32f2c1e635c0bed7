import { CloseCode, ReadyState } from '@wirebeat/core';
import type { ReconnectingWebSocket } from '../reconnect/reconnecting-websocket.ts';
import { hold, locksHere } from './locks.ts';
import type { FromTab, PortLike, SocketState, ToTab } from './port-messages.ts';
import { type SharedParts, Tabs } from './tabs.ts';

/**
 * Opens the socket that tabs share. Called when a tab needs one: for the first tab, and again after
 * the socket has closed for good.
 */
export type OpenShared = () => ReconnectingWebSocket | SharedParts;

/**
 * Opens one socket for all tabs that connect to this `SharedWorker`. Call it at once when the script
 * of the worker runs: the first tab is waiting already. The socket is closed when the last tab has
 * gone.
 */
export function serveTabs(open: OpenShared): void {
  const locks = locksHere();
  const held = locks && hold(locks);
  const serve = portServer(open);
  const scope = globalThis as unknown as PortLike;
  scope.addEventListener('connect', ({ ports: [port] }: { ports: readonly [PortLike] }) => {
    void Promise.resolve(held).then((lock) => serve(port, lock?.name));
  });
}

/**
 * Returns a function that gives the tab at the other end of a port its part of the socket. `lock` is
 * one that this context holds.
 */
export function portServer(open: OpenShared): (port: PortLike, lock?: string) => void {
  let tabs: Tabs | undefined;
  return (port, ownLock) => {
    const join = ({ data: [kind, lock] }: { data: FromTab }) => {
      if (kind !== 'join') return;
      try {
        if (!tabs?.isOpen) tabs = new Tabs(partsOf(open()));
        tabs.join(port, lock);
      } catch (error) {
        refuse(port, error);
      }
    };
    port.addEventListener('message', join);
    port.start();
    port.postMessage(['ready', ownLock] satisfies ToTab);
  };
}

function partsOf(opened: ReturnType<OpenShared>): SharedParts {
  return 'socket' in opened ? opened : { socket: opened };
}

/** Tells a tab that there is no socket, as an attempt that failed for good. */
function refuse(port: PortLike, error: unknown): void {
  const state: SocketState = {
    ...{ url: '', protocol: '', extensions: '', bufferedAmount: 0, status: 'idle' },
    ...{ readyState: ReadyState.Closed, latency: undefined },
    ...{ detectionBound: undefined, lastReceived: undefined },
  };
  const end = { code: CloseCode.Abnormal, text: '', wasClean: false, wasOpen: false } as const;
  const send = (message: ToTab) => port.postMessage(message);
  send(['event', state, 'error', new Error(String(error))]);
  send(['event', state, 'close', { ...end, reason: 'no-address' }]);
}
