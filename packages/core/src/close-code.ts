/**
 * Close codes that wirebeat sends or reads, after RFC 6455 §7.4 and IANA's registry.
 *
 * A page may send only 1000 and 3000 to 4999; a failure is never 1000.
 */
export const CloseCode = {
  /** RFC 6455 §7.4.1: the purpose of the connection is fulfilled. */
  Normal: 1000,
  /** RFC 6455 §7.4.1: the server goes down, or the page was left. */
  GoingAway: 1001,
  /** RFC 6455 §7.4.1, never on the wire: the Close frame carried no code. */
  NoStatus: 1005,
  /** RFC 6455 §7.4.1, never on the wire: the connection ended without a Close frame. */
  Abnormal: 1006,
  /** RFC 6455 §7.4.1: the peer broke a rule of ours, such as a flood of pings. */
  PolicyViolation: 1008,
  /** IANA: Timeout. The heartbeat was not answered; either side may send it. */
  Timeout: 3008,
} as const;

export type CloseCode = (typeof CloseCode)[keyof typeof CloseCode];
