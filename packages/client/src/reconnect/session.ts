/** Bytes of a session: 128 bits cannot be guessed. */
const BYTES = 16;

/**
 * Draws the secret by which a server knows that two connections are of one client: 22 characters as
 * they may stand in a beat. Undefined where the runtime has no chance that is good enough.
 */
export function drawSession(): string | undefined {
  const { crypto } = globalThis as { crypto?: Pick<Crypto, 'getRandomValues'> };
  const bytes = crypto?.getRandomValues(new Uint8Array(BYTES));
  if (bytes === undefined) return undefined;
  const text = btoa(String.fromCharCode(...bytes)); // RFC 4648 §5, without padding
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
