import { Delivery, ReconnectingWebSocket } from '@wirebeat/client';
import { expect, it, type TestContext } from 'vitest';
import { lacksUpstream } from '../../programs/upstream.ts';
import { startStage } from './gateway-stage.ts';

const isLacking = lacksUpstream('Python websockets');

/** Who has read a message, as the client says, through a gateway before Python `websockets`. */
async function readBy(context: TestContext, endToEnd: boolean): Promise<string> {
  const { near } = await startStage(context, 'Python websockets', { options: { endToEnd } });
  const delivery = new Delivery();
  const socket = new ReconnectingWebSocket(`ws://127.0.0.1:${near.port}`, [], { delivery });
  context.onTestFinished(() => socket.close());
  socket.send('a message');
  return (await delivery.flushed()).by;
}

it.skipIf(isLacking)(
  'says that the server has read a message whose ping it has answered itself',
  async (context) => {
    expect(await readBy(context, true)).toBe('server');
  },
);

it.skipIf(isLacking)(
  'says that a gateway has, where it answers in place of the server',
  async (context) => {
    expect(await readBy(context, false)).toBe('gateway');
  },
);
