export type { SharedWorkerLike } from './owner.ts';
export type { PortLike } from './port-messages.ts';
export { type OpenShared, serveTabs } from './serve-tabs.ts';
export { SharedSocket } from './shared-socket.ts';
export type { SharedParts } from './tabs.ts';
