// The grammar of docs/protocol.md, read character by character: what the codec is compared with.

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const WORDS = `${LETTERS}0123456789_-`;

/** Whether `text` is exactly a ping or a pong. */
export function isBeat(text: string): boolean {
  if (new TextEncoder().encode(text).length > 125) return false;
  if (!text.startsWith('\u0005wb') && !text.startsWith('\u0006wb')) return false;
  const [head = '', ...pairs] = text.slice(3).split(';');
  if (head !== '' && !(head.startsWith('.') && isRun(head.slice(1), WORDS, 16))) return false;
  const keys = pairs.map((pair) => pair.split('=')[0]);
  return new Set(keys).size === keys.length && pairs.every(isPair);
}

function isPair(pair: string): boolean {
  const [key = '', value = '', ...rest] = pair.split('=');
  return rest.length === 0 && isRun(key, LETTERS, 16) && isRun(value, WORDS, 24);
}

function isRun(text: string, alphabet: string, most: number): boolean {
  const characters = text.split(''); // code units: half a surrogate pair is in no alphabet
  if (characters.length < 1 || characters.length > most) return false;
  return characters.every((character) => alphabet.includes(character));
}
