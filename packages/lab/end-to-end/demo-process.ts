import { fileURLToPath } from 'node:url';
import { Program } from '../programs/program.ts';

const SCRIPT = fileURLToPath(new URL('../../../examples/demo/dist/server.js', import.meta.url));

/** The demo's server as a process of its own. It must have been built: `npm run build`. */
export class DemoProcess extends Program {
  constructor(port: number | string, env: NodeJS.ProcessEnv = {}) {
    super(process.execPath, [SCRIPT], { PORT: String(port), ...env });
  }

  /** Where it serves. */
  url(): Promise<string> {
    return this.prints(/http:\S+(?=.*\n)/);
  }
}
