/**
 * How the sockets of one runtime are used. One object serves all sockets of a server. A method that is
 * missing is one that the runtime does not have.
 */
export interface RuntimePort<Socket> {
  send(socket: Socket, text: string): unknown;
  close(socket: Socket, code: number, reason: string): unknown;
  /** Missing: the socket is closed with 3008 instead, and what it still brings is ignored. */
  terminate?(socket: Socket): unknown;
  /**
   * Sends a protocol Ping. Missing: clients that send application pings are sent application pings in
   * its place, and other clients are not judged.
   */
  ping?(socket: Socket, payload: string): unknown;
  /** Stops reading. */
  pause?(socket: Socket): unknown;
  /** Whether the application has stopped reading, so that silence proves nothing. */
  isPaused?(socket: Socket): boolean;
  /** The bytes that the socket has not sent yet. Missing: 0. */
  bufferedBytes?(socket: Socket): number;
  /** Missing: a socket is open until it is reported as closed. */
  isOpen?(socket: Socket): boolean;
}
