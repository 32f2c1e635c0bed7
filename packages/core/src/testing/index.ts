export { FakeSocket, fakeSocketPair } from './fake-socket.ts';
export { seededRandom } from './random.ts';
export { VirtualScheduler } from './virtual-scheduler.ts';
