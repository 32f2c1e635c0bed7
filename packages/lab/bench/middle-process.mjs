// Runs a gateway, or a pipe that does not parse what it carries, in a separate process, so that its CPU
// time and memory can be measured. Reports its usage on request.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { createGateway } from '@wirebeat/server/gateway';

const [kind, upstream] = process.argv.slice(2);
const SAMPLE = 20; // ms between two memory samples

async function startGateway() {
  const gateway = createGateway({ upstream: `ws://127.0.0.1:${upstream}` });
  return (await gateway.listen({ port: 0, host: '127.0.0.1' })).port;
}

async function startPipe() {
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: Number(upstream), host: '127.0.0.1', noDelay: true });
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => {});
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server.address().port;
}

let peak = 0;
setInterval(() => {
  peak = Math.max(peak, process.memoryUsage.rss());
}, SAMPLE).unref();

process.on('message', () => {
  const { user, system } = process.cpuUsage();
  const { rss, heapUsed } = process.memoryUsage();
  process.send({ microseconds: user + system, peak: Math.max(peak, rss), rss, heapUsed });
  peak = 0;
});
process.on('disconnect', () => process.exit());
process.send({ port: await (kind === 'gateway' ? startGateway() : startPipe()) });
