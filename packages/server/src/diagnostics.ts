import { channel, hasSubscribers } from 'node:diagnostics_channel';
import type { LivenessEvents } from './liveness-events.ts';

/** What each channel is called: `wirebeat:server:dead`, and so on for every event of a connection. */
const CHANNELS: Readonly<Record<keyof LivenessEvents, string>> = {
  ping: 'wirebeat:server:ping',
  pong: 'wirebeat:server:pong',
  alive: 'wirebeat:server:alive',
  suspect: 'wirebeat:server:suspect',
  unanswered: 'wirebeat:server:unanswered',
  dead: 'wirebeat:server:dead',
  stall: 'wirebeat:server:stall',
  unresponsive: 'wirebeat:server:unresponsive',
  responsive: 'wirebeat:server:responsive',
  replaced: 'wirebeat:server:replaced',
  end: 'wirebeat:server:end',
};

/** Whether anybody listens by `node:diagnostics_channel`, in whatever module. */
export function isWatched(name: keyof LivenessEvents): boolean {
  return hasSubscribers(CHANNELS[name]);
}

/** Tells those who do. */
export function publish(name: keyof LivenessEvents, message: object): void {
  if (isWatched(name)) channel(CHANNELS[name]).publish(message);
}
