import type { CloseReason, CloseRecord } from '../reconnect/close-record.ts';

const SENTENCES: Readonly<Record<CloseReason, string>> = {
  'ping-timeout': 'The server stopped answering.',
  'one-way': 'The server stopped answering.',
  'max-silence': 'The server stopped answering.',
  unanswered: 'The server stopped answering.',
  replaced: 'The server stopped answering.',
  'connect-timeout': 'The server did not answer in time.',
  'ready-timeout': 'The server did not answer in time.',
  'not-ready': 'The app could not prepare the connection.',
  'no-address': 'The app could not prepare the connection.',
  'peer-close': 'The server closed the connection.',
  fatal: 'The server refused the connection.',
  abnormal: 'The connection was interrupted.',
  rotation: 'The connection is being renewed.',
  reconnect: 'The connection is being renewed.',
  parked: 'The connection is paused while the page is hidden.',
  user: 'The connection was closed.',
};

/** RFC 6455 §7.4.1, and the registry of close codes for 1012 and 1013. */
const BY_CODE: Readonly<Record<number, string>> = {
  1001: 'The server is going away.',
  1012: 'The server is restarting.',
  1013: 'The server is busy.',
};

/** Returns one sentence for people, without a term of WebSockets, on how a connection ended. */
export function causeWords({ reason, code, wasOpen }: CloseRecord): string {
  if (reason === 'abnormal' && !wasOpen) return 'The server could not be reached.';
  return (reason === 'peer-close' && BY_CODE[code]) || SENTENCES[reason];
}
