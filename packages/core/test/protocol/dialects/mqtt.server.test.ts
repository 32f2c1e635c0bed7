// What happens only outside of pages: the bundle for pages leaves it out.
import { describe, expect, it } from 'vitest';
import { mqtt } from '../../../src/protocol/dialects/mqtt.ts';
import { bytes } from './bytes.ts';

describe('MQTT', () => {
  it('reads the PINGREQ of its client at a broker, and answers it', () => {
    const session = mqtt.open('server');
    session.sent(bytes([0x20, 2, 0, 0]));
    expect(session.receive(bytes([0xc0, 0]))).toEqual({
      beats: [{ kind: 'ping', answer: bytes([0xd0, 0]) }],
      rest: undefined,
    });
  });

  it('leaves an answer that comes to a broker, and a ping that the broker sends', () => {
    const session = mqtt.open('server');
    expect(session.receive(bytes([0xd0, 0]))).toBeUndefined();
    expect(session.sent(bytes([0xc0, 0]))).toBeUndefined();
  });
});
