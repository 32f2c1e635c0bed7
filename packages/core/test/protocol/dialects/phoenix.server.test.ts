// What happens only outside of pages: the bundle for pages leaves it out.
import { describe, expect, it } from 'vitest';
import { phoenix } from '../../../src/protocol/dialects/phoenix.ts';

describe('Phoenix', () => {
  it('answers a heartbeat at a server by a reply with its ref', () => {
    const answer = '[null,"7","phoenix","phx_reply",{"status":"ok","response":{}}]';
    expect(phoenix().open('server').receive('[null,"7","phoenix","heartbeat",{}]')?.beats).toEqual([
      { kind: 'ping', id: '7', answer },
    ]);
  });
});
