/**
 * The known subprotocols that have no place for our pings: many of their servers close the
 * connection at the first unknown message. IANA registers most of the names. A client of Action
 * Cable also offers `actioncable-unsupported`.
 */
const FOREIGN =
  /^((graphql|aws)-.*ws|mqtt(v3\.1)?|v1[012]\.stomp|wamp\.2\..+|actioncable-.+|.+\.(azure\.v1|k8s\.io|jupyter\.org)|ocpp\d.+|amqp|sip|xmpp)$/;

/** Whether this is the name of a protocol that has no place for our pings. */
export function isForeign(protocol: string): boolean {
  return FOREIGN.test(protocol);
}
