/** One result of `wirebeat doctor`. */
export interface Finding {
  readonly check: Check;
  readonly verdict: Verdict;
  /** What was found: sentences. They may quote the server, so print them only through `safeText`. */
  readonly text: string;
  /** What to do, wherever the cause is. */
  readonly advice?: string | undefined;
  /** What to change in the proxy, if there is one. */
  readonly remedies?: Remedies | undefined;
  /** What was measured, for programs. A name with a unit ends in it, such as `…Ms`. */
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What is checked, in order. */
export type Check =
  | 'dns'
  | 'tcp'
  | 'tls'
  | 'upgrade'
  | 'subprotocol'
  | 'compression'
  | 'protocol-ping'
  | 'buffering'
  | 'application-ping'
  | 'limits';

/** A `warning` leaves the connection usable; a `failure` does not. */
export type Verdict = 'ok' | 'warning' | 'failure';

/** What to change in each kind of proxy. */
export interface Remedies {
  readonly nginx: string;
  readonly haproxy: string;
  readonly loadBalancer: string;
}

/** Receives each finding as soon as it is known. */
export type Say = (finding: Finding) => void;
