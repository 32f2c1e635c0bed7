import type { Millis } from '@wirebeat/core';

/** The steps to an open WebSocket, in order. */
export const STAGES = ['dns', 'tcp', 'tls', 'upgrade'] as const;

export type Stage = (typeof STAGES)[number];

/** The names of the steps in texts. */
export const STAGE_NAMES: Readonly<Record<Stage, string>> = {
  dns: 'DNS',
  tcp: 'TCP',
  tls: 'TLS',
  upgrade: 'upgrade',
};

/** How long each step took. A step that was not needed, such as TLS for `ws:`, is absent. */
export type StageTimes = { readonly [Name in Stage]?: Millis };
