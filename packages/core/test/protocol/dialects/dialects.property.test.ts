import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Dialect,
  mqtt,
  nats,
  signalR,
  stomp,
  type Wire,
} from '../../../src/protocol/dialects/index.ts';
import { ALL } from './all.ts';
import { bytes, concat, readAll, split } from './bytes.ts';

const numRuns = Number(process.env['HEARTBEAT_TEST_RUNS'] ?? 500);
const places = fc.array(fc.nat(), { maxLength: 8 });

/** A piece of a stream: a beat, or something of the application's that looks like one. */
type Piece = { readonly isBeat: boolean; readonly wire: Wire };

const own = (wire: Wire): Piece => ({ isBeat: false, wire });
const beat = (wire: Wire): Piece => ({ isBeat: true, wire });

const payload = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.constantFrom(bytes([0xd0, 0]), bytes('PONG\r\n'), bytes('\n'), bytes([0])),
);

function mqttPublish(body: Uint8Array): Uint8Array {
  const length = body.length + 3;
  const size = length < 128 ? [length] : [(length % 128) + 128, Math.floor(length / 128)];
  return bytes([0x30, ...size, 0, 1], 'a', [...body]);
}

const letters = fc.string({
  unit: fc.constantFrom('a', '\n', '\0', 'é', '€', '😀', '\r'),
  maxLength: 20,
});
const record = fc.oneof(
  fc.json().map((json) => `{"type":1,"arguments":[${json}]}`),
  fc.constantFrom('{"type":6 }', '{"type":60}', '{"type":3}'),
);

/** Streams as a server sends them to a client, after its handshake. */
const STREAMS: readonly [Dialect, Wire, fc.Arbitrary<Piece>][] = [
  [
    mqtt,
    bytes([0x20, 2, 0, 0]),
    fc.oneof(
      fc.constant(beat(bytes([0xd0, 0]))),
      payload.map((body) => own(mqttPublish(body))),
      fc.constant(own(bytes([0x40, 2, 0, 1]))),
    ),
  ],
  [
    nats,
    bytes('INFO {"x":"PING"}\r\n'),
    fc.oneof(
      fc.constantFrom(beat(bytes('PONG\r\n')), beat(bytes('PING\r\n'))),
      payload.map((body) => own(bytes(`MSG a.b 1 ${body.length}\r\n`, [...body], '\r\n'))),
      fc.constantFrom(own(bytes('+OK\r\n')), own(bytes('PINGS\r\n')), own(bytes('PONG\n'))),
    ),
  ],
  [
    stomp,
    'CONNECTED\nheart-beat:1000,1000\n\n\0',
    fc.oneof(
      fc.constant(beat('\n')),
      letters.map((body) => {
        const length = new TextEncoder().encode(body).length;
        return own(`MESSAGE\ncontent-length:${length}\n\n${body}\0`);
      }),
      letters.map((body) => own(`MESSAGE\na:b\n\n${body.replaceAll('\0', '')}\0`)),
    ),
  ],
  [
    signalR,
    '{}\u001e',
    fc.oneof(
      fc.constant(beat('{"type":6}\u001e')),
      record.map((text) => own(`${text}\u001e`)),
    ),
  ],
];

describe.each(STREAMS)('a stream of $name', (dialect, handshake, piece) => {
  it('is read alike however it is cut into messages', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), places, (pieces, places) => {
        const session = dialect.open('client');
        readAll(session, [handshake]);
        const wires = pieces.map(({ wire }) => wire);
        // Records of SignalR share messages, but none is split over two.
        const messages =
          dialect === signalR
            ? split(wires, places).map((records) => records.join(''))
            : split(joined(wires), places);
        const { beats, left } = readAll(session, messages);
        const expected = pieces.filter(({ isBeat }) => !isBeat).map(({ wire }) => wire);
        expect(concat(left)).toBe(concat(expected));
        expect(beats).toHaveLength(pieces.length - expected.length);
      }),
      { numRuns },
    );
  });
});

function joined(wires: readonly Wire[]): Wire {
  const isText = wires.every((wire) => typeof wire === 'string');
  return isText ? wires.join('') : bytes(...(wires as Uint8Array[]).map((wire) => [...wire]));
}

/** The most that a stream holds back of one message: `PONG\r`. */
const HELD = 5;

const anyMessage: fc.Arbitrary<Wire> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.json(),
  fc.uint8Array({ maxLength: 40 }),
  fc.constantFrom(
    '2',
    '3',
    'ping',
    'pong',
    'PING',
    '{}\u001e',
    '\n',
    '0{"pingInterval":1}',
    '[]',
    'null',
  ),
  fc.constantFrom('{"type":"ping"}', '{"type":"pong","payload":null}', '{"type":"ka"}'),
  fc.constantFrom('[null,"1","phoenix","phx_reply",{}]', '{"type":"connection_ack","payload":1}'),
  fc.constantFrom(bytes([0x20, 2, 0, 0]), bytes([0xd0, 0]), bytes([0xd0]), bytes('MSG a 9\r\n')),
);

describe.each(ALL)('the dialect $name, given anything', (dialect) => {
  it('never throws, and takes nothing but beats out of what is received', () => {
    fc.assert(
      fc.property(fc.array(anyMessage, { maxLength: 10 }), fc.boolean(), (messages, isShared) => {
        const session = dialect.open('client', isShared);
        for (const message of messages) {
          session.sent(message);
          session.ping('1');
          const reading = session.receive(message);
          if (reading === undefined) continue;
          expect(reading.rest?.length ?? 0).toBeLessThanOrEqual(message.length + HELD);
        }
      }),
      { numRuns },
    );
  });
});

describe.each(ALL.filter(({ client, inject }) => client.asks && inject === 'order'))(
  'pongs of $name that come in order',
  (dialect) => {
    it('go to whoever asked, however both took turns', () => {
      fc.assert(
        fc.property(fc.array(fc.boolean(), { maxLength: 16 }), (turns) => {
          const session = dialect.open('client', true);
          const writer = dialect.open('client');
          for (const each of [session, writer]) each.receive(GREETINGS[dialect.name] ?? '');
          const owners = turns.map((isOurs, index) => {
            if (isOurs) return session.ping(`${index}`) && `${index}`;
            return session.sent(writer.ping('x') as Wire);
          });
          const pong = PONGS[dialect.name] as Wire;
          const answered = turns.map(() => session.receive(pong)?.beats[0]);
          expect(answered).toEqual(
            turns.map((isOurs, index) => ({ kind: 'pong', id: owners[index], isOurs })),
          );
        }),
        { numRuns },
      );
    });
  },
);

/** What a server says before it answers pings. */
const GREETINGS: Readonly<Record<string, Wire>> = {
  mqtt: bytes([0x20, 2, 0, 0]),
  pusher: '{"event":"pusher:connection_established"}',
  discord: '{"op":10,"d":{"heartbeat_interval":41250}}',
};
const PONGS: Readonly<Record<string, Wire>> = {
  text: 'pong',
  trpc: 'PONG',
  json: '{"type":"pong"}',
  pusher: '{"event":"pusher:pong"}',
  discord: '{"op":11}',
  mqtt: bytes([0xd0, 0]),
  nats: bytes('PONG\r\n'),
};
