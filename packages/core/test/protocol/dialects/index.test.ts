import { describe, expect, it } from 'vitest';
import {
  actionCable,
  appSync,
  type Dialect,
  engineIo,
  graphql,
  json,
  keepAlive,
  mqtt,
  nats,
  phoenix,
  signalR,
  stomp,
  text,
  trpc,
} from '../../../src/protocol/dialects/index.ts';
import { bytes } from './bytes.ts';

const connack = bytes([0x20, 2, 0, 0]);

const ALL: readonly Dialect[] = [
  text(),
  trpc,
  json(),
  graphql,
  engineIo,
  keepAlive(),
  appSync,
  phoenix(),
  phoenix({ serializer: 1 }),
  actionCable,
  signalR,
  stomp,
  mqtt,
  nats,
];

describe.each(ALL)('the dialect $name', (dialect) => {
  it('keeps no more than sixteen pings of a peer that answers none', () => {
    const session = dialect.open('client');
    session.receive(connack);
    const pings = Array.from({ length: 100 }, (_, index) => session.ping(`${index}`));
    const sent = pings.filter((ping) => ping !== undefined).length;
    if (dialect.client.asks) expect(sent).toBe(16);
    else if (!dialect.client.beats) expect(sent).toBe(0);
  });

  it('begins each connection afresh', () => {
    expect(dialect.open('client')).not.toBe(dialect.open('client'));
    expect(dialect.open('client').timing).toEqual(dialect.open('client').timing);
  });
});
