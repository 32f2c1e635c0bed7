import { readFileSync } from 'node:fs';

const ESTABLISHED = '01';

/** How many connections to a port the kernel of this machine has, which neither end has closed. */
export function countConnections(port: number): number {
  const remote = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const [, ...lines] = readFileSync('/proc/net/tcp', 'utf8').trim().split('\n');
  const fields = lines.map((line) => line.trim().split(/\s+/));
  return fields.filter(([, , to, state]) => to?.endsWith(remote) && state === ESTABLISHED).length;
}
