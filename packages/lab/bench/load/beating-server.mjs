// A server process whose CPU time is measured while its connections send heartbeats.
import { Socket } from 'node:net';
import { listenEngineIo, listenNet, listenWs, WATCHES } from './servers.mjs';

const { subject, interval, notes, ...more } = JSON.parse(process.argv[2]);
const LISTEN = { 'engine.io': listenEngineIo, net: listenNet };
const listen = LISTEN[subject] ?? ((options) => listenWs(WATCHES[subject], options));

// With `notes`, how long the pings of one turn block the event loop; with 'pings', when each is sent as well.
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

/** Whether bytes begin with a protocol Ping, RFC 6455 §5.5.2, or are the routine ping of a page. */
function isPing(bytes) {
  return bytes[0] === 0x89 || (bytes[0] === 0x81 && bytes[1] === 3 && bytes[2] === 5);
}

function noteEachPing() {
  const { write } = Socket.prototype;
  Socket.prototype.write = function (...args) {
    if (isPing(args[0])) {
      if (notes === 'pings') pings.push(performance.now());
      if (began === undefined) {
        began = processorTime();
        setImmediate(endTurn);
      }
    }
    return write.apply(this, args);
  };
}

if (notes !== undefined) noteEachPing();
process.on('message', () => {
  process.send({ cpu: processorTime(), at: performance.now(), pings, longest });
  pings = [];
  longest = 0;
});
process.on('disconnect', () => process.exit());
process.send((await listen({ interval, ...more })).port);
