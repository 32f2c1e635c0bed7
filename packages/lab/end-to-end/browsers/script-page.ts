import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';

const CLIENT = new URL('../../../client/dist/wirebeat-client.min.js', import.meta.url);

/**
 * Serves a page that runs the client as it is built, and then scripts, by their paths. It does not
 * run the `others`.
 */
export async function serveScriptPage(
  own: Readonly<Record<string, string>>,
  others: Readonly<Record<string, string>> = {},
): Promise<Server> {
  const run = new Map([['/client.js', readFileSync(CLIENT, 'utf8')], ...Object.entries(own)]);
  const scripts = new Map([...run, ...Object.entries(others)]);
  const tags = [...run.keys()].map((path) => `<script src="${path}"></script>`);
  const page = `<!doctype html><meta charset="utf-8"><title>wirebeat</title>${tags.join('')}`;
  const server = createServer(({ url = '' }, response) => {
    const script = scripts.get(url.split('?')[0] ?? url);
    response.setHeader('content-type', script === undefined ? 'text/html' : 'text/javascript');
    response.end(script ?? page);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}
