import type { IncomingHttpHeaders } from 'node:http';
import { hintFor } from './dial-hints.ts';
import type { Stage, StageTimes } from './stages.ts';

/** The details of a {@link DialError}. */
export interface DialFailure {
  /** The step that failed. */
  readonly stage: Stage;
  /** Code of the system or of OpenSSL, such as `ECONNREFUSED`; `HTTP_404` for a status. */
  readonly code: string;
  /** What happened. */
  readonly message: string;
  /** HTTP status, if the server answered without an upgrade. */
  readonly status?: number;
  /** How far the attempt got. */
  readonly progress?: DialProgress;
}

/** How far an attempt to connect got before it failed. */
export interface DialProgress {
  /** `address:port` of the peer; empty if none accepted the connection. */
  readonly address: string;
  /** The steps that succeeded. */
  readonly times: StageTimes;
  /** The headers of the answer to the handshake, if one came. */
  readonly headers: IncomingHttpHeaders;
}

/** No connection was opened. The message is a sentence; `hint` says what to try. */
export class DialError extends Error {
  readonly stage: Stage;
  readonly code: string;
  readonly status: number | undefined;
  readonly hint: string | undefined;
  readonly progress: DialProgress;

  constructor(failure: DialFailure) {
    super(failure.message);
    this.name = 'DialError';
    this.stage = failure.stage;
    this.code = failure.code;
    this.status = failure.status;
    this.hint = hintFor(failure);
    this.progress = failure.progress ?? { address: '', times: {}, headers: {} };
  }
}
