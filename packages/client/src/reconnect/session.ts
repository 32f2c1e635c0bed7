/** The length of a session in bytes: 128 bits cannot be guessed. */
const BYTES = 16;

/**
 * Draws the secret that tells a server that two connections belong to one client: 22 characters
 * that a ping may contain. Undefined if the runtime has no cryptographic random numbers.
 */
export function drawSession(): string | undefined {
  const { crypto } = globalThis as { crypto?: Pick<Crypto, 'getRandomValues'> };
  const bytes = crypto?.getRandomValues(new Uint8Array(BYTES));
  if (bytes === undefined) return undefined;
  const text = btoa(String.fromCharCode(...bytes)); // RFC 4648 §5, without padding
  return text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}
