// A server process whose CPU time is measured while its connections send heartbeats.
import { WebSocket } from 'ws';
import { listenEngineIo, listenNet, listenWs, WATCHES } from './servers.mjs';

const { subject, interval, notes = false } = JSON.parse(process.argv[2]);
const LISTEN = { 'engine.io': listenEngineIo, net: listenNet };
const listen = LISTEN[subject] ?? ((options) => listenWs(WATCHES[subject], options));

// When pings were sent, and how long those of one turn blocked the event loop.
let pings = [];
let longest = 0;
let began;

/** Returns the CPU time in µs. */
function processorTime() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

function endTurn() {
  longest = Math.max(longest, processorTime() - began);
  began = undefined;
}

function noteEachPing() {
  const { ping } = WebSocket.prototype;
  WebSocket.prototype.ping = function (...args) {
    pings.push(performance.now());
    if (began === undefined) {
      began = processorTime();
      setImmediate(endTurn);
    }
    return ping.apply(this, args);
  };
}

if (notes) noteEachPing();
process.on('message', () => {
  process.send({ cpu: processorTime(), at: performance.now(), pings, longest });
  pings = [];
  longest = 0;
});
process.on('disconnect', () => process.exit());
process.send((await listen({ interval })).port);
