// `npm run demo` ends here: starts the WebSocket server and the front before it, and says where.
import type { AddressInfo } from 'node:net';
import { createFront } from './front.ts';
import { PageLinks } from './page-links.ts';
import { Servers } from './servers.ts';

// Whoever reaches it may freeze it. ALLOWED_ORIGINS: of pages beside its own, with blanks between.
const { PORT = '8787', HOST = '127.0.0.1', ALLOWED_ORIGINS = '' } = process.env;

function fail(sentence: string): never {
  console.error(sentence);
  process.exit(1);
}

// The worker and all connections end with the process.
process.on('SIGINT', () => process.exit(0));
process.on('SIGTERM', () => process.exit(0));

if (!/^\d{1,5}$/.test(PORT) || Number(PORT) > 65_535) {
  fail(`PORT must be a number from 0 to 65535, not "${PORT}".`);
}

const servers = await Servers.start((error) => {
  fail(`The WebSocket server of the demo failed: ${error}`);
});

const front = createFront({
  links: new PageLinks(() => servers.port),
  servers,
  allowedOrigins: new Set(ALLOWED_ORIGINS.split(' ')),
});
front.on('error', ({ code, message }: NodeJS.ErrnoException) => {
  if (code !== 'EADDRINUSE') fail(message);
  fail(`Port ${PORT} is taken. Set PORT to another one, or to 0 for any that is free.`);
});
front.listen(Number(PORT), HOST, () => {
  const { port } = front.address() as AddressInfo;
  console.log(`wirebeat demo: http://${HOST}:${port} (Ctrl-C ends it)`);
});
