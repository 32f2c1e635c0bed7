import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { settings } from '../../core/test/simulation.ts';
import { safeComplaint, safeJson, safeText } from '../src/safe-text.ts';

/** C0, DEL and C1, and what turns or breaks a line. */
const CONTROL = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

const anything = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('\u001b', '[', '\u0007', '\n', '\u009b', '\u007f', '\u202e', 'a', ' '),
  }),
);
const secret = fc.string({ maxLength: 30, unit: 'binary' }).map((text) => `SECRET${text}`);
/** A URL with credentials, query and fragment, as a program has it, and all that is secret of it. */
const secretUrl = fc.tuple(secret, secret, secret, secret).map(([user, password, query, hash]) => {
  const url = new URL('wss://host.example:8443/live/@me');
  [url.username, url.password, url.search, url.hash] = [user, password, query, hash];
  return url.href;
});

/** What a terminal and a log may get. */
const outputs = (text: string) => [safeText(text), safeJson({ event: text }), safeJson([text])];

describe('what is printed and logged', () => {
  it('has no control character, whatever the peer sends', () => {
    fc.assert(
      fc.property(anything, (text) => {
        for (const output of outputs(text)) expect(output).not.toMatch(CONTROL);
        expect(safeComplaint(text).replaceAll('\n', '')).not.toMatch(CONTROL);
      }),
      settings,
    );
  });

  it('has neither credentials nor query nor fragment of a URL, wherever it appears', () => {
    fc.assert(
      fc.property(anything, secretUrl, anything, (before, url, after) => {
        fc.pre(!before.includes('SECRET') && !after.includes('SECRET'));
        for (const text of [url, `cannot reach '${url}': ${after}`, `${before} ${url} ${after}`]) {
          for (const output of [...outputs(text), safeComplaint(text)]) {
            expect(output).not.toContain('SECRET');
          }
          expect(safeText(text)).toContain('wss://host.example:8443/live/@me?…');
        }
      }),
      settings,
    );
  });

  it('equals JSON, except for secrets', () => {
    fc.assert(
      fc.property(anything, (text) => {
        fc.pre(!/[?#]|:\/\//.test(text));
        expect(JSON.parse(safeJson({ text }))).toEqual({ text });
      }),
      settings,
    );
  });

  it.each([
    ['bye\u001b]0;title\u0007', 'bye\\u001b]0;title\\u0007'],
    ['one\ntwo \u009b2J', 'one\\u000atwo \\u009b2J'],
    ['ws://h/chat', 'ws://h/chat'],
    ['ws://me:pass@h/chat?token=1#top', 'ws://h/chat?…'],
    ["no connection to 'ws://h/?token=1'.", "no connection to 'ws://h/?…'."],
    ['Host h: /chat?token', 'Host h: /chat?…'],
    ['see ?token=1', 'see ?…'],
    ['really?', 'really?'],
    ['(Did you mean ping?)', '(Did you mean ping?)'],
    ['größer 👩‍👧', 'größer 👩‍👧'],
  ])('is of %j this: %j', (text, expected) => {
    expect(safeText(text)).toBe(expected);
  });

  it.each([
    ["command-argument value 'wss://h:99999/?a=SECRET b SECRET' is invalid for argument 'url'."],
    ["option '-H, --header <header>' argument 'Cookie SECRET' is invalid."],
    ["option '--subprotocol <name>' argument 'bearer SECRET' is invalid."],
    ["unknown option '--token=SECRET'"],
    ["command-argument value 'me:SECRET@h' is invalid for argument 'url'."],
    ["command-argument value 'ws://me:SECRET/SECRET@h' is invalid for argument 'url'."],
    ["option '--upstream <url>' argument 'ws:/me:SECRET@SECRET@:x/' is invalid."],
    ["option '--upstream <url>' argument 'ws//me:SECRET\n@h/?a=SECRET' is invalid."],
  ])('repeats no secret of an invalid command line: %s', (text) => {
    expect(safeComplaint(text)).not.toContain('SECRET');
  });
});
