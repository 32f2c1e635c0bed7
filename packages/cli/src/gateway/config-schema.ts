/** A key of a config file. */
interface ConfigKey {
  /** What its value must be, as in an error. */
  readonly expected: string;
  readonly description: string;
  /** The JSON schema of its value. */
  readonly schema: object;
}

const MS = { type: 'number', exclusiveMinimum: 0, maximum: 2_147_483_647 };
const MS_OR_OFF = { anyOf: [MS, { const: false }] };
const COUNT_OR_OFF = { anyOf: [{ type: 'integer', minimum: 0 }, { const: false }] };
const TEXT = { type: 'string' };
const TEXTS = { type: 'array', items: TEXT };
const BOOLEAN = { type: 'boolean' };

function duration(description: string): ConfigKey {
  return { expected: 'a number of ms > 0', description: `${description}, in ms`, schema: MS };
}

function durationOrOff(description: string): ConfigKey {
  const expected = 'a number of ms > 0, or false';
  return { expected, description: `${description}, in ms; false: off`, schema: MS_OR_OFF };
}

function countOrOff(description: string): ConfigKey {
  const expected = 'a whole number >= 0, or false';
  return { expected, description: `${description}; false: no limit`, schema: COUNT_OR_OFF };
}

/** The keys of a config file: those of the command, then the options of `createGateway`. */
export const CONFIG_KEYS: Readonly<Record<string, ConfigKey>> = {
  $schema: {
    expected: 'a string',
    description: 'The schema of this file, for editors',
    schema: TEXT,
  },
  listen: {
    expected: 'a port, or host:port, such as ":8080"',
    description: 'Where to listen: a port, or host:port',
    schema: { type: ['string', 'integer'] },
  },
  status: {
    expected: 'a port, host:port, "public" or false',
    description:
      'Where to serve /healthz, /readyz and /metrics: a port, or host:port. "public": on the port of the WebSockets; false: nowhere',
    schema: { anyOf: [{ type: ['string', 'integer'] }, { const: false }] },
  },
  key: {
    expected: 'the path of a PEM file',
    description: 'The private key, to serve wss://',
    schema: TEXT,
  },
  cert: {
    expected: 'the path of a PEM file',
    description: 'The certificate, to serve wss://',
    schema: TEXT,
  },
  drain: duration('Time over which connections are closed at SIGTERM'),
  log: {
    expected: '"json" or "pretty"',
    description: 'The form of the log',
    schema: { enum: ['json', 'pretty'] },
  },
  readiness: {
    expected: '{ "interval", "timeout" } in ms, or false',
    description: 'How /readyz checks the upstream: it opens a WebSocket and pings it',
    schema: {
      anyOf: [
        {
          type: 'object',
          properties: { interval: MS, timeout: MS },
          additionalProperties: false,
        },
        { const: false },
      ],
    },
  },
  upstream: {
    expected: 'a ws://, wss://, http:// or https:// URL',
    description: 'The server behind the gateway',
    schema: { type: 'string', pattern: '^(ws|http)s?://' },
  },
  tls: {
    expected: 'an object with options of node:tls',
    description: 'TLS to the upstream. ca, cert and key are paths of PEM files',
    schema: { type: 'object', properties: { ca: { anyOf: [TEXT, TEXTS] }, cert: TEXT, key: TEXT } },
  },
  forwardHeaders: {
    expected: 'a list of names',
    description: 'The headers of the request that the upstream gets',
    schema: TEXTS,
  },
  cookies: {
    expected: 'a boolean, or a list of names',
    description: 'The cookies that the upstream gets',
    schema: { anyOf: [BOOLEAN, TEXTS] },
  },
  headers: {
    expected: 'an object of strings',
    description: 'Headers to add to the request to the upstream',
    schema: { type: 'object', additionalProperties: TEXT },
  },
  forwarded: {
    expected: '"replace", "append" or false',
    description: 'How to set X-Forwarded-For, -Host and -Proto',
    schema: { enum: ['replace', 'append', false] },
  },
  endToEnd: {
    expected: 'a boolean',
    description: 'Whether pings go through to the other end',
    schema: BOOLEAN,
  },
  pingInterval: durationOrOff('Time without traffic after which a page is pinged'),
  pingTimeout: durationOrOff('Time after a ping until a silent page is dead'),
  jitter: {
    expected: 'a number in [0, 0.999]',
    description: 'Part of pingInterval that is randomly subtracted',
    schema: { type: 'number', minimum: 0, maximum: 0.999 },
  },
  advertise: {
    expected: 'an object, or false',
    description: 'The timing that pages are asked for',
    schema: { anyOf: [{ type: 'object' }, { const: false }] },
  },
  upstreamHeartbeat: {
    expected: '{ "pingInterval", "pingTimeout" } in ms',
    description: 'The timing of the pings to the upstream',
    schema: {
      type: 'object',
      properties: { pingInterval: MS_OR_OFF, pingTimeout: MS_OR_OFF },
      additionalProperties: false,
    },
  },
  whenUnresponsive: {
    expected: '"report", "terminate" or false',
    description: 'What happens to a connection whose page does not answer while its browser does',
    schema: { enum: ['report', 'terminate', false] },
  },
  maxUnresponsive: durationOrOff('Time after which a page that does not answer is closed'),
  pingLimit: {
    expected: '{ "burst", "interval" }, or false',
    description: 'How many pings a page may send',
    schema: {
      anyOf: [
        {
          type: 'object',
          properties: { burst: { type: 'integer', minimum: 1 }, interval: MS },
          additionalProperties: false,
        },
        { const: false },
      ],
    },
  },
  maxConnections: countOrOff('Largest number of connections'),
  maxHeapBytes: countOrOff('Largest number of heap bytes at which a connection is accepted'),
  maxMessageBytes: countOrOff('Largest size of a message in bytes'),
  handshakeTimeout: durationOrOff('Time for a client to send its request'),
  connectTimeout: durationOrOff('Time for the upstream to answer'),
  closeTimeout: duration('Time from the start of a close until both connections are dropped'),
};

/** Returns the JSON schema of a config file, for editors. */
export function configSchema(): object {
  const properties = Object.entries(CONFIG_KEYS).map(([key, { description, schema }]) => [
    key,
    { description, ...schema },
  ]);
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Config file of `wirebeat gateway`',
    type: 'object',
    properties: Object.fromEntries(properties),
    additionalProperties: false,
  };
}
