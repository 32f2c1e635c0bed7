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

/** Tells who listens by `node:diagnostics_channel`, in whatever module. Nobody: nothing is done. */
export function publish(name: keyof LivenessEvents, message: object): void {
  const topic = CHANNELS[name];
  if (hasSubscribers(topic)) channel(topic).publish(message);
}
