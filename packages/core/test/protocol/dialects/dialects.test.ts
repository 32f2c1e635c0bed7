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

describe('text', () => {
  it('asks `ping` and takes `pong` for the answer', () => {
    const session = text().open('client');
    expect(session.ping('1')).toBe('ping');
    expect(session.receive('pong')).toEqual({
      beats: [{ kind: 'pong', id: '1', isOurs: true }],
      rest: undefined,
    });
  });

  it('answers a ping of the peer', () => {
    const beats = [{ kind: 'ping', answer: 'pong' }];
    expect(text().open('client').receive('ping')).toEqual({ beats, rest: undefined });
  });

  it('leaves every other message to the application', () => {
    const session = text().open('client');
    for (const message of ['pong ', 'Pong', '"pong"', '', bytes('pong')]) {
      expect(session.receive(message)).toBeUndefined();
    }
  });

  it('is the keep-alive of tRPC with other words', () => {
    const session = trpc.open('client');
    expect(session.ping('1')).toBe('PING');
    expect(session.receive('PONG')?.beats).toEqual([{ kind: 'pong', id: '1', isOurs: true }]);
    expect(session.receive('PING')?.beats).toEqual([{ kind: 'ping', answer: 'PONG' }]);
  });
});

describe('json', () => {
  it('writes and reads {"type":"ping"} and {"type":"pong"}', () => {
    const session = json().open('client');
    expect(session.ping('1')).toBe('{"type":"ping"}');
    expect(session.receive('{ "type": "pong" }')?.beats[0]).toMatchObject({
      kind: 'pong',
      id: '1',
    });
  });

  it('puts the id where the protocol has it, under another name in the pong if need be', () => {
    const slack = json({ id: ['id', 'reply_to'] }).open('client');
    expect(slack.ping('7')).toBe('{"type":"ping","id":"7"}');
    expect(slack.receive('{"type":"pong","reply_to":"7"}')?.beats).toEqual([
      { kind: 'pong', id: '7', isOurs: true },
    ]);
  });

  it('answers with the id of the ping', () => {
    const session = json({ id: 'n' }).open('server');
    expect(session.receive('{"type":"ping","n":3}')?.beats).toEqual([
      { kind: 'ping', answer: '{"type":"pong","n":3}' },
    ]);
  });

  it('takes no message with other members for a beat', () => {
    const session = json().open('client');
    for (const message of ['{"type":"pong","of":"chess"}', '["pong"]', '{"type":"PONG"}', '{']) {
      expect(session.receive(message)).toBeUndefined();
    }
  });
});

describe('graphql-transport-ws', () => {
  it('sends its id in the payload, which a server may echo', () => {
    const session = graphql.open('client');
    expect(session.ping('1')).toBe('{"type":"ping","payload":{"wirebeat":"1"}}');
    const pong = '{"type":"pong","payload":{"wirebeat":"1"}}';
    expect(session.receive(pong)?.beats).toEqual([{ kind: 'pong', id: '1', isOurs: true }]);
  });

  it('matches by order the pongs of a server that echoes nothing', () => {
    const session = graphql.open('client');
    session.ping('1');
    expect(session.receive('{"type":"pong"}')?.beats).toEqual([
      { kind: 'pong', id: '1', isOurs: true },
    ]);
  });

  it('echoes the payload of a ping of the server', () => {
    const { beats } = graphql.open('client').receive('{"type":"ping","payload":{"a":1}}') ?? {};
    expect(beats).toEqual([{ kind: 'ping', answer: '{"type":"pong","payload":{"a":1}}' }]);
  });

  it('leaves the messages of operations alone', () => {
    const next = '{"id":"1","type":"next","payload":{"data":{"type":"pong"}}}';
    expect(graphql.open('client').receive(next)).toBeUndefined();
  });
});

describe('Engine.IO', () => {
  it('answers the pings of the server, and never asks from a client', () => {
    const session = engineIo.open('client');
    expect(session.ping('1')).toBeUndefined();
    expect(session.receive('2')).toEqual({
      beats: [{ kind: 'ping', answer: '3' }],
      rest: undefined,
    });
  });

  it('learns from the open packet how long the server may be silent, and passes the packet on', () => {
    const session = engineIo.open('client');
    const open =
      '0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}';
    expect(session.receive(open)).toBeUndefined();
    expect(session.timing).toEqual({ maxSilence: 45_000 });
  });

  it('takes neither a packet of Socket.IO nor a broken open packet for anything', () => {
    const session = engineIo.open('client');
    for (const message of ['42["2"]', '2probe', '0{', '0{"pingInterval":"x"}', bytes('2')]) {
      expect(session.receive(message)).toBeUndefined();
    }
    expect(session.timing).toEqual({});
  });

  it('asks from a server, and matches the answer', () => {
    const session = engineIo.open('server');
    expect(session.ping('1')).toBe('2');
    expect(session.receive('3')?.beats).toEqual([{ kind: 'pong', id: '1', isOurs: true }]);
  });
});

describe('ka', () => {
  it('hears the server, whose silence counts from the first `ka` on', () => {
    const session = keepAlive().open('client');
    expect(session.receive('{"type":"connection_ack"}')).toBeUndefined();
    expect(session.timing).toEqual({});
    expect(session.receive('{"type":"ka"}')).toEqual({
      beats: [{ kind: 'beat' }],
      rest: undefined,
    });
    expect(session.timing).toEqual({ maxSilence: 30_000 });
    expect(session.ping('1')).toBeUndefined();
  });

  it('waits no longer than the acknowledgement of AppSync says', () => {
    const session = appSync.open('client');
    session.receive('{"type":"connection_ack","payload":{"connectionTimeoutMs":300000}}');
    expect(session.timing).toEqual({ maxSilence: 75_000 });
    session.receive('{"type":"connection_ack","connectionTimeoutMs":50000}');
    expect(session.timing).toEqual({ maxSilence: 50_000 });
  });
});

describe('Phoenix', () => {
  it('sends a heartbeat in arrays, and finds its reply by the ref', () => {
    const session = phoenix().open('client');
    expect(session.ping('wb1')).toBe('[null,"wb1","phoenix","heartbeat",{}]');
    const reply = '[null,"wb1","phoenix","phx_reply",{"status":"ok","response":{}}]';
    expect(session.receive(reply)?.beats).toEqual([{ kind: 'pong', id: 'wb1', isOurs: true }]);
  });

  it('speaks the objects of the older serializer on request', () => {
    const session = phoenix({ serializer: 1 }).open('client');
    expect(session.ping('wb1')).toBe(
      '{"topic":"phoenix","event":"heartbeat","payload":{},"ref":"wb1"}',
    );
    const reply =
      '{"ref":"wb1","payload":{"status":"ok","response":{}},"topic":"phoenix","event":"phx_reply"}';
    expect(session.receive(reply)?.beats).toEqual([{ kind: 'pong', id: 'wb1', isOurs: true }]);
  });

  it('leaves replies of other topics alone', () => {
    const reply = '["4","5","room:lobby","phx_reply",{"status":"ok","response":{}}]';
    expect(phoenix().open('client').receive(reply)).toBeUndefined();
  });

  it('leaves the reply to a heartbeat of its own client to it', () => {
    const session = phoenix().open('client', true);
    expect(session.sent('[null,"7","phoenix","heartbeat",{}]')).toBe('7');
    session.ping('wb1');
    const reply = '[null,"7","phoenix","phx_reply",{"status":"ok","response":{}}]';
    expect(session.receive(reply)).toEqual({
      beats: [{ kind: 'pong', id: '7', isOurs: false }],
      rest: reply,
    });
  });
});

describe('Action Cable', () => {
  it('hears the pings of the server, with its clock, once it was welcomed', () => {
    const session = actionCable.open('client');
    expect(session.timing).toEqual({});
    session.receive('{"type":"welcome"}');
    expect(session.timing).toEqual({ maxSilence: 6_000 });
    expect(session.receive('{"type":"ping","message":1795000000}')?.beats).toEqual([
      { kind: 'beat', clock: 1_795_000_000_000 },
    ]);
  });
});

describe('SignalR', () => {
  it('beats once the handshake is over, and never before', () => {
    const session = signalR.open('client');
    session.sent('{"protocol":"json","version":1}\u001e');
    expect(session.ping('1')).toBeUndefined();
    expect(session.receive('{}\u001e')).toBeUndefined();
    expect(session.ping('1')).toBe('{"type":6}\u001e');
    expect(session.timing).toEqual({ pingInterval: 15_000, maxSilence: 30_000 });
  });

  it('takes a beat out from between the records of one message', () => {
    const session = signalR.open('client');
    const record = '{"type":1,"target":"x","arguments":[]}\u001e';
    expect(session.receive(`{}\u001e{"type":6}\u001e${record}`)).toEqual({
      beats: [{ kind: 'beat' }],
      rest: `{}\u001e${record}`,
    });
  });

  it('does not beat in the middle of a record of the application', () => {
    const session = signalR.open('client');
    session.receive('{}\u001e');
    session.sent('{"type":1,');
    expect(session.ping('1')).toBeUndefined();
    session.sent('"target":"x"}\u001e');
    expect(session.ping('1')).toBeDefined();
  });
});

describe('STOMP', () => {
  it('agrees with the server on how often both beat', () => {
    const session = stomp.open('client');
    session.sent('CONNECT\naccept-version:1.2\nheart-beat:1000,500\n\n\0');
    expect(session.ping('1')).toBeUndefined();
    session.receive('CONNECTED\nversion:1.2\nheart-beat:2000,3000\n\n\0');
    expect(session.timing).toEqual({ pingInterval: 3_000, maxSilence: 4_000 });
    expect(session.ping('1')).toBe('\n');
  });

  it('promises nothing where one end does not want it', () => {
    const session = stomp.open('client');
    session.sent('CONNECT\nheart-beat:0,0\n\n\0');
    session.receive('CONNECTED\nheart-beat:2000,3000\n\n\0');
    expect(session.timing).toEqual({});
  });

  it('finds the line feed behind a frame in the same message', () => {
    const session = stomp.open('client');
    const frame = 'CONNECTED\nheart-beat:0,0\n\n\0';
    expect(session.receive(`${frame}\n`)).toEqual({ beats: [{ kind: 'beat' }], rest: frame });
  });

  it('skips a body by its length, whatever is in it', () => {
    const session = stomp.open('client');
    const frame = 'MESSAGE\ncontent-length:6\n\n\0\n\n\0é\0';
    expect(session.receive(frame)).toBeUndefined();
    expect(session.receive('\n')?.beats).toHaveLength(1);
  });
});

describe('MQTT', () => {
  it('asks once the broker has accepted the client, as often as the client promised', () => {
    const session = mqtt.open('client', true);
    session.sent(bytes([0x10, 12, 0, 4], 'MQTT', [4, 2, 0, 60, 0, 0]));
    expect(session.ping('1')).toBeUndefined();
    expect(session.receive(connack)).toBeUndefined();
    expect(session.timing).toEqual({ pingInterval: 60_000 });
    expect(session.ping('1')).toEqual(bytes([0xc0, 0]));
    expect(session.receive(bytes([0xd0, 0]))).toEqual({
      beats: [{ kind: 'pong', id: '1', isOurs: true }],
      rest: undefined,
    });
  });

  it('obeys the keep-alive of an MQTT 5 broker, behind other properties', () => {
    const session = mqtt.open('client', true);
    session.sent(bytes([0x10, 13, 0, 4], 'MQTT', [5, 2, 0, 60, 0, 0, 0]));
    const properties = bytes([0x12, 0, 2], [0x13, 0x13], [0x21, 0, 10], [0x13, 0, 30]);
    session.receive(bytes([0x20, 3 + properties.length, 0, 0, properties.length], [...properties]));
    expect(session.timing).toEqual({ pingInterval: 30_000 });
  });

  it('does not begin when the broker refuses', () => {
    const session = mqtt.open('client');
    session.receive(bytes([0x20, 2, 0, 5]));
    expect(session.ready).toBe(false);
  });

  it('does not ask in the middle of a packet of the client', () => {
    const session = mqtt.open('client', true);
    session.receive(connack);
    session.sent(bytes([0x30, 7, 0, 1], 'a'));
    expect(session.ping('1')).toBeUndefined();
    session.sent(bytes('1234'));
    expect(session.ping('1')).toBeDefined();
  });

  it('gives each answer to whoever asked, in order', () => {
    const session = mqtt.open('client', true);
    session.receive(connack);
    const theirs = session.sent(bytes([0xc0, 0]));
    session.ping('1');
    const both = session.receive(bytes([0xd0, 0, 0xd0, 0]));
    expect(both).toEqual({
      beats: [
        { kind: 'pong', id: theirs, isOurs: false },
        { kind: 'pong', id: '1', isOurs: true },
      ],
      rest: bytes([0xd0, 0]),
    });
  });
});

describe('NATS', () => {
  it('asks and answers at any time', () => {
    const session = nats.open('client');
    expect(session.ping('1')).toEqual(bytes('PING\r\n'));
    expect(session.receive(bytes('PONG\r\nPING\r\n'))).toEqual({
      beats: [
        { kind: 'pong', id: '1', isOurs: true },
        { kind: 'ping', answer: bytes('PONG\r\n') },
      ],
      rest: undefined,
    });
  });

  it('does not look into payloads', () => {
    const session = nats.open('client');
    expect(session.receive(bytes('MSG a 1 12\r\nPING\r\nPONG\r\n\r\n'))).toBeUndefined();
    expect(session.receive(bytes('PING\r\n'))?.beats).toHaveLength(1);
  });
});

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
