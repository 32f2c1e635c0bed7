// Runs in a page: proves there what `w3c-rules.ts` asks, one rule at a time, as it is told to.
import type { ReconnectingWebSocket } from '@wirebeat/client';
import { RULES, type Rule, type Subject } from '../../../client/test/w3c-rules.ts';

/** The client as it is built, loaded before this. */
declare const wirebeat: { ReconnectingWebSocket: typeof ReconnectingWebSocket };

const LAST_WAIT = 300; // ms, for one that never opens
const sockets: WebSocket[] = [];

const SUBJECTS: Readonly<Record<string, (...args: never[]) => WebSocket>> = {
  native: (...args) => Reflect.construct(WebSocket, args),
  /** One that gives up at the first end is to be told from a WebSocket by nothing. */
  ours: (url, protocols) => new wirebeat.ReconnectingWebSocket(url, protocols, { maxAttempts: 0 }),
};
const CLASSES: Readonly<Record<string, unknown>> = {
  native: WebSocket,
  ours: wirebeat.ReconnectingWebSocket,
};

function subjectOf(name: string, address: string): Subject {
  return {
    Class: CLASSES[name] as typeof WebSocket,
    create(...args) {
      const socket = (SUBJECTS[name] as (...args: unknown[]) => WebSocket)(...args);
      sockets.push(socket);
      return socket;
    },
    address: () => address,
  };
}

/** Proves a rule for a subject. Resolves to what speaks against it; to null if it is kept. */
async function prove(name: string, address: string, part: string, title: string) {
  const proofs: (() => unknown)[] = [];
  const rule: Rule = (told, proof) => void (told === title && proofs.push(proof));
  RULES[part]?.(rule, subjectOf(name, address));
  if (proofs.length !== 1) return `${proofs.length} rules are called so`;
  try {
    await proofs[0]?.();
    return null;
  } catch (error) {
    return `${error}\n${(error as Error)?.stack}`; // WebKit's stack has no message
  } finally {
    await Promise.all(sockets.splice(0).map(end));
  }
}

/** One that is closed before it is open is a failure to Chromium and Firefox: many slow all others down. */
async function end(socket: WebSocket): Promise<void> {
  if (socket.readyState === socket.CONNECTING) {
    await new Promise((resolve) => {
      for (const name of ['open', 'close']) socket.addEventListener(name, resolve);
      setTimeout(resolve, LAST_WAIT);
    });
  }
  socket.close();
}

Object.assign(globalThis, { prove });
