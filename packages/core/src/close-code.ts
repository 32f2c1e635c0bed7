/**
 * The close codes that wirebeat sends or reads, from RFC 6455 §7.4 and the registry of IANA.
 *
 * A page may send only 1000 and 3000 to 4999. A failure never uses 1000.
 */
export const CloseCode = {
  /** RFC 6455 §7.4.1: the purpose of the connection is fulfilled. */
  Normal: 1000,
  /** RFC 6455 §7.4.1: the server is shutting down, or the user left the page. */
  GoingAway: 1001,
  /** RFC 6455 §7.4.1, never on the wire: the Close frame carried no code. */
  NoStatus: 1005,
  /** RFC 6455 §7.4.1, never on the wire: the connection ended without a Close frame. */
  Abnormal: 1006,
  /** RFC 6455 §7.4.1: the peer violated a policy, for example with a flood of pings. */
  PolicyViolation: 1008,
  /** IANA: Timeout. The peer did not answer the heartbeat. Either side may send it. */
  Timeout: 3008,
} as const;

export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];
