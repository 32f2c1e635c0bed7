/**
 * Draws the secret that tells a server that two connections belong to one client: 22 characters that
 * a ping may contain. `link.ts` sends it with the first ping of each connection. Undefined if the
 * runtime has no cryptographic random numbers.
 */
export function drawSessionSecret(): string | undefined {
  const { crypto } = globalThis as { crypto?: Pick<Crypto, 'getRandomValues'> };
  const bytes = crypto?.getRandomValues(new Uint8Array(17));
  // More than 128 bits, which cannot be guessed, although one character stands for two of base64.
  return (
    bytes &&
    btoa(String.fromCharCode(...bytes))
      .slice(0, 22)
      .replace(/\W/g, '-')
  );
}
