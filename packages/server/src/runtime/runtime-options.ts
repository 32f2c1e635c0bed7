import { InvalidOptionError } from '@wirebeat/core';
import type { ServerSocket } from '../connection/server-socket.ts';
import type { ServerOptions, SessionOptions } from '../options.ts';
import type { RuntimeSocket } from './runtime-socket.ts';

/**
 * The options of a heartbeat on another runtime: those of `attachHeartbeat`, without `dialect`. `Socket` is
 * the socket of the runtime.
 */
export interface RuntimeOptions<Socket = never, Request = unknown>
  extends Omit<ServerOptions<Socket>, 'dialect' | 'session'> {
  /** Like `session` of `attachHeartbeat`. `request` is what the adapter knows of the handshake. */
  readonly session?:
    | { readonly user: (socket: Socket, request: Request | undefined) => unknown }
    | false;
}

/** A request on its way through the server, which must not take it for one of Node. */
export interface BoxedRequest {
  readonly request: unknown;
}

/**
 * Returns the options for the server behind a runtime, whose sockets are {@link RuntimeSocket}s: the
 * functions of the application are called with the sockets of the runtime.
 *
 * @throws {InvalidOptionError} for an option that needs a server of `ws`, or protocol Pings where the
 * runtime has none.
 */
export function serverOptionsOf<Raw extends object, Request>(
  options: RuntimeOptions<Raw, Request>,
  hasPings: boolean,
): ServerOptions<RuntimeSocket<Raw>> {
  if (typeof options !== 'object' || options === null) return options; // the schema says what is wrong
  const { dialect } = options as ServerOptions<ServerSocket>;
  if (dialect !== undefined) {
    throw new InvalidOptionError('dialect', 'absent, because it needs a server of `ws`', dialect);
  }
  if (options.answer === 'bridge' && !hasPings) {
    const expected = '`local`, because this runtime cannot send protocol Pings';
    throw new InvalidOptionError('answer', expected, options.answer);
  }
  const { authenticated, session, ...rest } = options;
  return {
    ...rest,
    ...(session !== undefined && { session: sessionOf(session) }),
    ...(authenticated !== undefined && {
      authenticated: isFunction(authenticated)
        ? (socket: RuntimeSocket<Raw>) => authenticated(socket.raw)
        : authenticated,
    }),
  } as ServerOptions<RuntimeSocket<Raw>>;
}

function sessionOf<Raw extends object, Request>(
  session: NonNullable<RuntimeOptions<Raw, Request>['session']>,
): SessionOptions<RuntimeSocket<Raw>> | false {
  const user = session === false ? undefined : session.user;
  if (!isFunction(user)) return session as never; // the schema says what is wrong with it
  const ask = (socket: RuntimeSocket<Raw>, boxed: unknown) =>
    (user as (socket: Raw, request: Request | undefined) => unknown)(
      socket.raw,
      (boxed as BoxedRequest | undefined)?.request as Request | undefined,
    );
  return { ...(session as object), user: ask };
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}
