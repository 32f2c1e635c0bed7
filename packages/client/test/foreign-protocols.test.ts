import { describe, expect, it } from 'vitest';
import { isForeign } from '../src/foreign-protocols.ts';

describe('isForeign', () => {
  it.each([
    'graphql-transport-ws',
    'graphql-ws',
    'aws-appsync-event-ws',
    'mqtt',
    'mqttv3.1',
    'v10.stomp',
    'v11.stomp',
    'v12.stomp',
    'actioncable-v1-json',
    'actioncable-unsupported',
    'json.webpubsub.azure.v1',
    'protobuf.webpubsub.azure.v1',
    'json.reliable.webpubsub.azure.v1',
    'wamp.2.json',
    'wamp.2.msgpack.batched',
    'v5.channel.k8s.io',
    'v1.kernel.websocket.jupyter.org',
    'ocpp1.6',
    'ocpp2.0.1',
    'xmpp',
    'sip',
    'amqp',
  ])('knows %s', (protocol) => {
    expect(isForeign(protocol)).toBe(true);
  });

  it.each(['', 'chat', 'json', 'v13.stomp', 'my-mqtt', 'mqtt-over-chat', 'graphql', 'sips', 'v1'])(
    'does not know "%s", so that a server of it is asked',
    (protocol) => {
      expect(isForeign(protocol)).toBe(false);
    },
  );
});
