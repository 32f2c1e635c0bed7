// A server process whose memory is measured before and after a heartbeat is attached to its idle
// connections.
import { WebSocketServer } from 'ws';
import { used } from '../measure.mjs';
import { listenEngineIo, listenWs, WATCHES } from './servers.mjs';

const { subject, interval } = JSON.parse(process.argv[2]);
const watched = new WebSocketServer({ noServer: true });
const watch = WATCHES[subject];
const WARM = 256;
const arrivals = [];

function arriving(sockets) {
  sockets.on('connection', (socket, request) => arrivals.push([socket, request]));
}

/** Attaches the heartbeat to connections that already have the listeners of the application. */
function watchFrom(start, end) {
  for (const [socket, request] of arrivals.slice(start, end)) {
    watched.emit('connection', socket, request);
    socket.ping(); // by the application, so that all have seen as many frames
  }
}

const questions = {
  look: () => used(),
  // The first of them, so that code is compiled and shared tables are there before it is looked.
  warm: () => {
    watch(watched, { interval });
    for (const [socket] of arrivals) watched.clients.add(socket);
    watchFrom(0, WARM);
    return true;
  },
  watch: () => watchFrom(WARM) ?? true,
};

process.on('message', (question) => process.send(questions[question]()));
process.on('disconnect', () => process.exit());
const address = subject === 'engine.io' ? listenEngineIo({ interval }) : listenWs(arriving);
process.send((await address).port);
