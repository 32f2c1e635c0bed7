/**
 * Subprotocols that are known to have no place for our pings: many of their servers close the
 * connection at the first message that they cannot read. IANA registers most of the names. A client
 * of Action Cable offers `actioncable-unsupported` too.
 */
const FOREIGN =
  /^(graphql-(transport-)?ws|aws-appsync-event-ws|mqtt(v3\.1)?|v1[012]\.stomp|wamp\.2\..+|actioncable-.+|.+\.webpubsub\.azure\.v1|.+\.k8s\.io|v1\.kernel\.websocket\.jupyter\.org|ocpp\d.+|amqp|sip|xmpp)$/;

/** Whether this is the name of a protocol that does not know our pings. */
export function isForeign(protocol: string): boolean {
  return FOREIGN.test(protocol);
}
