export { FakeSocket, fakeSocketPair } from './fake-socket.ts';
export { FreezableScheduler } from './freezable-scheduler.ts';
export { Link, type LinkEnd, type Path, type PathOptions } from './link.ts';
export { seededRandom } from './random.ts';
export { VirtualScheduler } from './virtual-scheduler.ts';
export { WallClock } from './wall-clock.ts';
