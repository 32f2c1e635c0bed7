import type { PageContext } from './page.ts';
import type { ByteCounter, ServerSocket } from './server-socket.ts';
import type { Sessions } from './sessions.ts';
import type { TokenBucketOptions } from './token-bucket.ts';
import type { WireContext } from './wire.ts';

/** What the connections of one server share. */
export interface LivenessContext extends WireContext, PageContext {
  readonly whenDead: 'terminate' | 'report';
  /** Absent where there are none. */
  readonly sessions: Sessions | undefined;
  readonly pingLimit: TokenBucketOptions;
  authenticated(socket: ServerSocket): boolean;
}

/** What is known of a connection beside its socket. */
export interface LivenessOrigin {
  /** Tells whose it is, where there are sessions. */
  readonly userOf?: (() => unknown) | undefined;
  /** Of what it comes in by; absent for a socket that was open before. */
  readonly counter?: ByteCounter | undefined;
}
