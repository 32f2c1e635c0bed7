// Minifies the client and the dialects for pages in production, with short names for internal properties.
import { readFileSync } from 'node:fs';
import terser from '@rollup/plugin-terser';
import { root } from './run.mjs';

/**
 * The declarations of all that others read or write: options, events, dialects and errors. Others only
 * create a `PeerMemory`, and pass it on.
 */
const PUBLIC = [
  'client/dist/index.d.ts',
  ...['backoff', 'close-code', 'errors', 'on-abort', 'options', 'socket', 'time'].map(
    (name) => `core/build/${name}.d.ts`,
  ),
  'core/build/driver/heartbeat-events.d.ts',
  'core/build/driver/ping-options.d.ts',
  ...['dialect', 'json', 'keep-alive', 'phoenix', 'text'].map(
    (name) => `core/build/protocol/dialects/${name}.d.ts`,
  ),
];
/**
 * Properties of sockets, messages and values of others that no declaration and no browser has, and the
 * global of the single file.
 */
const FOREIGN = [
  ...['event', 'message', 'op', 'payload', 'ref', 'topic', 'type', 'wirebeat'], // of dialects
  'activity_timeout',
  'connectionTimeoutMs',
  'emit',
  'fin',
  'ipAddress',
  'isPaused',
  'off',
  'on',
  'reconnect',
  'statusCode',
  'unref',
  'wirebeat',
];
const SYNTAX = { ecma: 2022, format: { preserve_annotations: true } };
const COMPRESSION = {
  passes: 3,
  pure_getters: true, // no getter of ours has a side effect
  reduce_funcs: false, // a function in place of its only call compresses worse
  global_defs: {
    '@Number.POSITIVE_INFINITY': '(1/0)',
    '@Number.NEGATIVE_INFINITY': '(-1/0)',
  },
};
const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const WORD = /[A-Za-z_$][\w$]*/g;
const COMMENT = /\/\*[\s\S]*?\*\/|\/\/.*/g;
/** A string in a declaration. */
const LITERAL = /'[^'\n]*'/g;
/** A text that may be the name of a property. A sentence is none. */
const NAME = /^[A-Za-z_$][\w$]*$/;

/** Which argument of these is a sentence for people. A code and fields say the same. */
const SENTENCES = {
  HeartbeatError: 2,
  InvalidOptionError: 1,
};
/** The errors of the standard have no fields, so of their sentences the values stay. */
const STANDARD = ['TypeError', 'domException', 'syntaxError'];

/** What only checks in development read in the rules of a schema: see `resolveOption`. */
const CHECKS = ['max', 'method', 'min', 'of', 'off', 'required'];
/** The types that a rule needs in production too: those that may be off, or cause a flood. */
const TYPES = ['count', 'duration'];
const isOnlyChecked = ({ key, value }) =>
  CHECKS.includes(key.name) ||
  (key.name === 'type' && !TYPES.includes(value.value)) ||
  value.properties?.every(isOnlyChecked); // a rule that would be empty

/**
 * A plugin for rollup that empties the sentences of errors that have a code and fields, leaves of those of
 * the standard only the values, and removes from the schemas of options what only checks in development
 * read. Close codes become numbers, because an object with one of them in it would stay in every bundle.
 */
export const withoutSentences = {
  name: 'without-sentences',
  async transform(code) {
    const { CloseCode } = await import('../packages/core/build/close-code.js');
    const text = code.split(''); // as long as before, so that the source map stays right
    const put = ({ start, end }, short) =>
      text.splice(start, end - start, ...short.padEnd(end - start));
    visit(this.parse(code), (node) => {
      const { type, callee, arguments: given, id, init } = node;
      if (type === 'MemberExpression' && node.object.name === 'CloseCode') {
        put(node, String(CloseCode[node.property.name]));
      } else if (type === 'CallExpression' || type === 'NewExpression') {
        const isStandard = STANDARD.includes(callee.name);
        const sentence = given[isStandard ? 0 : SENTENCES[callee.name]];
        if (sentence === undefined || !/Literal$/.test(sentence.type)) return;
        put(sentence, isStandard ? onlyValues(sentence, code) : "''");
      } else if (type === 'VariableDeclarator' && /_SCHEMA$/.test(id.name)) {
        visit(init, (node) => {
          if (node.type !== 'Property' || !isOnlyChecked(node)) return;
          const { start, end } = node;
          put({ start, end: code.charAt(end) === ',' ? end + 1 : end }, '');
        });
      }
    });
    const short = text.join('');
    return short === code ? null : { code: short, map: null };
  },
};

/** Returns the code of a sentence with nothing but the values in it. The names of constants are upper case. */
function onlyValues({ expressions = [] }, code) {
  const values = expressions
    .map(({ start, end }) => code.slice(start, end))
    .filter((value) => !/^[A-Z_]+$/.test(value));
  return values.length === 0 ? "''" : `\`${values.map((value) => `\${${value}}`).join(' ')}\``;
}

/** A field that is undefined until it is set, and so need not be declared. Private names must be. */
const isBareField = ({ type, value, computed, key }) =>
  type === 'PropertyDefinition' && !value && !computed && key.type === 'Identifier';

/**
 * A plugin that removes methods and accessors without a use or a promise, because the client needs less of
 * the core than the server does, and declarations of fields without a value.
 */
const withoutUnused = {
  name: 'without-unused',
  renderChunk(code) {
    const tree = this.parse(code);
    const kept = new Set(keptNames(tree));
    const uses = new Map();
    const members = [];
    const bare = [];
    visit(tree, (node) => {
      const { type, kind, key, name } = node;
      if (type === 'Identifier') uses.set(name, (uses.get(name) ?? 0) + 1);
      if (isBareField(node)) bare.push(node);
      if (type !== 'MethodDefinition' || kind === 'constructor' || node.computed) return;
      if (key.type !== 'Identifier' || kept.has(key.name)) return;
      members.push(node);
      uses.set(key.name, (uses.get(key.name) ?? 0) - 1); // its own name is no use
    });
    const text = code.split(''); // blanks in their place, so that the source map stays right
    for (const { start, end } of bare) text.fill(' ', start, end);
    for (const { key, start, end } of members) {
      if (uses.get(key.name) === 0) text.fill(' ', start, end);
    }
    return { code: text.join(''), map: null };
  },
};

/**
 * A plugin that gives the private members of each class the names `#a`, `#b` and so on. Terser gives
 * each a name of its own in the whole bundle.
 */
const withPrivateNames = {
  name: 'private-names',
  renderChunk(code) {
    const text = code.split('');
    visit(this.parse(code), (node) => {
      if (node.type !== 'ClassBody') return;
      for (const [index, uses] of privateUses(node).entries()) {
        const name = `#${LETTERS[index]}`; // no class has as many as there are letters
        for (const { start, end } of uses) {
          text.splice(start, end - start, ...name.padEnd(end - start));
        }
      }
    });
    return { code: text.join(''), map: null };
  },
};

/** Returns where each private name of a class is used, the most used first. */
function privateUses(body) {
  const uses = new Map();
  visit(body, (node) => {
    if (node.type !== 'PrivateIdentifier') return;
    uses.set(node.name, [...(uses.get(node.name) ?? []), node]);
  });
  return [...uses.values()].sort((one, other) => other.length - one.length);
}

/** Calls `look` with each node of a syntax tree. */
function visit(node, look) {
  if (typeof node?.type === 'string') look(node);
  for (const child of Object.values(node)) {
    if (typeof child === 'object' && child !== null) visit(child, look);
  }
}

/**
 * Returns the names that stay: those of {@link PUBLIC}, and every string that is one word, because code
 * may reach a property by it. Those of browsers stay too: terser knows them.
 */
function keptNames(tree) {
  const declared = PUBLIC.map(
    (path) =>
      readFileSync(`${root}packages/${path}`, 'utf8')
        .replaceAll(COMMENT, '')
        .replaceAll(LITERAL, (text) => (NAME.test(text.slice(1, -1)) ? text : '')), // 'drop-oldest' has no names in it
  );
  const texts = [];
  visit(tree, ({ type, value }) => {
    const text = type === 'TemplateElement' ? value.cooked : value;
    if (/^(Literal|TemplateElement)$/.test(type) && NAME.test(text)) texts.push(text);
  });
  return [...new Set([...FOREIGN, ...declared.flatMap((text) => text.match(WORD)), ...texts])];
}

/**
 * Plugins for rollup. The bundle of the client must contain the core: both sides of a call get the same
 * names. The dialects are another bundle, which calls it only by public names.
 */
export const minify = () => [
  terser({ ...SYNTAX, compress: COMPRESSION, mangle: false }),
  withoutUnused,
  withoutUnused, // what only the first had a use for
  {
    name: 'short-names',
    renderChunk(code, ...rest) {
      const properties = {
        builtins: false,
        keep_quoted: 'strict',
        reserved: keptNames(this.parse(code)),
      };
      return terser({ ...SYNTAX, compress: false, mangle: { properties } }).renderChunk(
        code,
        ...rest,
      );
    },
  },
  withPrivateNames,
  terser({ ...SYNTAX, compress: false }),
];
