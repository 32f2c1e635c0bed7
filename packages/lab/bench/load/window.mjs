// What a server does with its clients in a window of time, once they beat in their usual way.
import { startProcess } from './process.mjs';

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * Starts a server and its clients, lets five intervals pass, so that its code is compiled, and looks at `windows` windows of
 * `intervals` intervals each. Returns for each what the server and the clients say: the processor's time
 * and the beats are those of the window.
 */
export async function look({ server: serverOptions, clients, intervals, windows = 1 }) {
  const { interval } = serverOptions;
  const server = await startProcess('beating-server.mjs', serverOptions);
  try {
    const peers = await startProcess('clients.mjs', { port: server.answer, ...clients });
    try {
      await peers.ask('say');
      await wait(5 * interval);
      const seen = [];
      let before = { ...(await server.ask('look')), ...(await peers.ask('look')) };
      for (let window = 0; window < windows; window += 1) {
        await wait(intervals * interval);
        const after = { ...(await server.ask('look')), ...(await peers.ask('look')) };
        const lasted = after.at - before.at;
        seen.push({
          ...after,
          cpu: after.cpu - before.cpu,
          beats: after.beats - before.beats,
          lasted,
        });
        before = after;
      }
      return seen;
    } finally {
      await peers.end();
    }
  } finally {
    await server.end();
  }
}
