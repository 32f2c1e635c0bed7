// A server with heartbeats and a page in Chromium, for the consumers beside this one.
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, resolve } from 'node:path';
import { attachHeartbeat } from '@wirebeat/server';
import puppeteer from 'puppeteer-core';
import { WebSocketServer } from 'ws';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript' };

async function listen(server) {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server.address().port;
}

export async function freePort() {
  const server = createServer();
  const port = await listen(server);
  server.close();
  return port;
}

/** Answers pings at `url`, and gives the files of the folder. */
export async function startServer(folder = '.') {
  const http = createServer(({ url }, response) => {
    const path = join(
      resolve(folder),
      url === '/' ? 'index.html' : new URL(url, 'http://x').pathname,
    );
    response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream');
    const file = createReadStream(path);
    file.once('error', () => response.writeHead(404).end());
    file.pipe(response);
  });
  const sockets = new WebSocketServer({ server: http });
  const heartbeat = attachHeartbeat(sockets);
  const url = `ws://127.0.0.1:${await listen(http)}/`;
  return { url, sockets, heartbeat };
}

/** Opens a page, which must neither warn nor fail. */
export async function openPage(url) {
  const browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM_PATH,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'],
  });
  const page = await browser.newPage();
  const failed = new Promise((_, reject) => {
    page.on('pageerror', reject);
    page.on('console', (message) => {
      const text = message.text();
      const isBad = ['error', 'warn'].includes(message.type()) && !text.includes('favicon');
      if (isBad && !message.location().url?.endsWith('favicon.ico')) reject(new Error(text));
    });
  });
  failed.catch(() => {});
  await page.goto(url);
  const title = (wanted) => {
    const found = page.waitForFunction(
      (text) => document.title === text,
      { timeout: 50_000 },
      wanted,
    );
    return Promise.race([found, failed]);
  };
  return { title, close: () => browser.close() };
}
