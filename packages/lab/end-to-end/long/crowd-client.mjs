// A Node client of many sockets, to be stopped and continued by the test that starts it. Its argument is
// what `gather` is given, as JSON. Tells its parent a JSON line of each fact; asks all peers at a line from it.
import { attachHeartbeat, ReconnectingWebSocket } from '@wirebeat/client';
import { WebSocket } from 'ws';
import { gather } from './crowd.js';

const plan = JSON.parse(process.argv[2]);
const tell = (fact) => process.stdout.write(`${JSON.stringify(fact)}\n`);
const ask = gather({ ...plan, attachHeartbeat, ReconnectingWebSocket, WebSocket, tell });
process.stdin.on('data', ask);
