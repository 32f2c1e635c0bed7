import { channel, hasSubscribers } from 'node:diagnostics_channel';
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

/** Returns whether the channel of this event has a subscriber. */
export function isWatched(name: keyof typeof CHANNELS): boolean {
  return hasSubscribers(CHANNELS[name]);
}

/** Publishes an event to the subscribers of its channel. */
export function publish(name: keyof typeof CHANNELS, message: object): void {
  if (isWatched(name)) channel(CHANNELS[name]).publish(message);
}
