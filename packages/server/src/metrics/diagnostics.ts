import { builtin } from '../builtin.ts';
import type { ConnectionEvents } from '../connection/events.ts';

/** The name of each channel: `wirebeat:server:dead`, and so on for every event of a connection. */
const CHANNELS: Readonly<Record<keyof ConnectionEvents | 'error', string>> = {
  ping: 'wirebeat:server:ping',
  pong: 'wirebeat:server:pong',
  alive: 'wirebeat:server:alive',
  suspect: 'wirebeat:server:suspect',
  unanswered: 'wirebeat:server:unanswered',
  dead: 'wirebeat:server:dead',
  stall: 'wirebeat:server:stall',
  unresponsive: 'wirebeat:server:unresponsive',
  responsive: 'wirebeat:server:responsive',
  session: 'wirebeat:server:session',
  replaced: 'wirebeat:server:replaced',
  end: 'wirebeat:server:end',
  error: 'wirebeat:server:error',
};

type Name = keyof typeof CHANNELS;

/** A channel of `node:diagnostics_channel`. */
interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: object): void;
}

/** Each was looked up once, because every ping and pong asks for one. */
const channels: Map<Name, Channel | undefined> = new Map();

/** Returns `undefined` if the runtime has no channels. */
function channelOf(name: Name): Channel | undefined {
  if (!channels.has(name)) {
    channels.set(name, builtin('node:diagnostics_channel')?.channel(CHANNELS[name]));
  }
  return channels.get(name);
}

/** Returns whether the channel of this event has a subscriber. */
export function isWatched(name: Name): boolean {
  return channelOf(name)?.hasSubscribers === true;
}

/** Publishes an event to the subscribers of its channel. */
export function publish(name: Name, message: object): void {
  if (isWatched(name)) channelOf(name)?.publish(message);
}
