// A second implementation of what each dialect takes for a beat, to compare it with. It reads a whole
// stream at once, where the dialects read it in whatever parts it comes.

/** Of messages that are read one by one: the kind of beat that a client takes each for. */
const wholes = (kindOf) => (messages) =>
  messages.map((message) => ({ part: message, kind: kindOf(message) }));

const constants = (ping, pong) =>
  wholes((message) => (message === ping && 'ping') || (message === pong && 'pong') || undefined);

/** The object or array in a short message, read as JSON; `undefined` for everything else. */
function readJson(message, first) {
  if (typeof message !== 'string' || message.length > 256 || !message.startsWith(first)) return;
  try {
    return JSON.parse(message);
  } catch {
    return;
  }
}

const objects = (kindOf) =>
  wholes((message) => {
    const value = readJson(message, '{');
    return value && kindOf(value);
  });

/** Of objects that have no other members than these. */
const exactly = (names, kindOf) =>
  objects((value) => {
    const isOther = (name) => !names.includes(name);
    return Object.keys(value).some(isOther) ? undefined : kindOf(value);
  });

/** A pong with the id of one of our pings answers it, even if that was not sent. */
const pongWith = (id) => (String(id).startsWith('wb') ? 'own pong' : 'pong');

const isOneOf =
  (...kinds) =>
  ({ type }) =>
    kinds.find((kind) => kind === type);
const isPing = ({ type }) => (type === 'ping' ? 'beat' : undefined);
const isKeepAlive = ({ type }) => (type === 'ka' || type === 'keepalive' ? 'beat' : undefined);

function phoenixKind(ref, topic, event) {
  if (typeof ref !== 'string' || topic !== 'phoenix') return undefined;
  if (event === 'phx_reply') return pongWith(ref);
  return event === 'heartbeat' ? 'ping' : undefined;
}

const SEPARATOR = '\x1e';

/** Records share messages, but a beat is never split over two. */
function signalRParts(messages) {
  let isWithin = false;
  return messages.flatMap((message) => {
    const records = message.split(SEPARATOR).map((record) => record + SEPARATOR);
    records.push(records.pop().slice(0, -1)); // what follows the last separator
    return records.map((part) => {
      const kind = part === `{"type":6}${SEPARATOR}` && !isWithin ? 'beat' : undefined;
      if (part !== '') isWithin = !part.endsWith(SEPARATOR);
      return { part, kind };
    });
  });
}

/** Of a stream, as text with a character for each byte. */
const stream = (partsOf) => (messages) => [...partsOf(messages.join(''))];

function* mqttParts(bytes) {
  for (let from = 0; from < bytes.length; ) {
    let [at, length] = [from + 1, 0];
    for (let scale = 1; scale <= 128 ** 3; scale *= 128) {
      const byte = bytes.charCodeAt(at); // NaN behind the end
      at += 1;
      length += (byte & 0x7f) * scale;
      if (!(byte >= 0x80)) break;
    }
    const part = bytes.slice(from, at + length);
    yield { part, kind: part === '\xd0\0' ? 'pong' : undefined };
    from = at + length;
  }
}

function* natsParts(bytes) {
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf('\n', from) + 1 || bytes.length;
    const line = bytes.slice(from, end);
    const hasPayload = /^(H?MSG|PUB|HPUB) .*\d\r\n$/i.test(line) && line.length <= 4_096;
    const length = hasPayload ? Number(/\d{1,10}(?=\r)/.exec(line.slice(-12))[0]) + 2 : 0;
    const kind = { 'PING\r\n': 'ping', 'PONG\r\n': 'pong' }[line];
    yield { part: bytes.slice(from, end + length), kind };
    from = end + length;
  }
}

function* stompParts(text) {
  for (let from = 0; from < text.length; ) {
    if (text[from] === '\n' || text[from] === '\r') {
      yield { part: text[from], kind: text[from] === '\n' ? 'beat' : undefined };
      from += 1;
      continue;
    }
    const [head] = /^.*?\n\r?\n/s.exec(text.slice(from)) ?? [text.slice(from)];
    const [, length] = /\ncontent-length: *(\d{1,15})\r?\n/.exec(head.slice(0, 1_024)) ?? [];
    let at = from + head.length;
    const end = at + Number(length ?? 0);
    while (at < text.length && (at < end || text[at] !== '\0')) at += 1;
    yield { part: text.slice(from, at + 1), kind: undefined };
    from = at + 1;
  }
}

/** Of each dialect: the parts of messages in order, and the kinds of those that are beats for a client. */
export const GRAMMARS = {
  text: constants('ping', 'pong'),
  trpc: constants('PING', 'PONG'),
  'engine.io': constants('2', '3'),
  json: exactly(['type'], isOneOf('ping', 'pong')),
  'json with id': exactly(['type', 'id'], ({ type, id }) =>
    type === 'pong' ? pongWith(id) : isOneOf('ping')({ type }),
  ),
  graphql: objects(({ type, payload }) =>
    type === 'pong' && typeof payload?.wirebeat === 'string'
      ? 'own pong'
      : isOneOf('ping', 'pong')({ type }),
  ),
  ka: objects(isKeepAlive),
  appsync: objects(isKeepAlive),
  actioncable: objects(isPing),
  pusher: objects(({ event }) =>
    isOneOf('pusher:ping', 'pusher:pong')({ type: event })?.slice('pusher:'.length),
  ),
  discord: objects(({ op }) => (op === 11 && 'pong') || (op === 1 && 'ping') || undefined),
  'phoenix 1': objects(({ ref, topic, event }) => phoenixKind(ref, topic, event)),
  phoenix: wholes((message) => {
    const value = readJson(message, '[');
    return value && phoenixKind(...value.slice(1, 4));
  }),
  signalr: signalRParts,
  mqtt: stream(mqttParts),
  nats: stream(natsParts),
  stomp: stream(stompParts),
};
