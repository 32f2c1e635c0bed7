import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** What a run of `wirebeat` left behind. */
export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `wirebeat` as a process of its own, as built. `onLine` sees each line and may press Ctrl-C. */
export async function wirebeat(
  args: readonly string[],
  onLine?: (line: string, interrupt: () => void) => void,
): Promise<Run> {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    for (const line of text.trimEnd().split('\n')) onLine?.(line, () => child.kill('SIGINT'));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, stderr };
}

/**
 * Runs `wirebeat` on a terminal: `script` of util-linux gives it one. Returns what the terminal shows,
 * with `\n` at the ends of lines. `onLine` sees each line and may press Ctrl-C.
 */
export async function onTerminal(
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
  onLine?: (line: string, interrupt: () => void) => void,
): Promise<{ readonly code: number | null; readonly shown: string }> {
  const quoted = [process.execPath, MAIN, ...args].map(
    (arg) => `'${arg.replaceAll("'", "'\\''")}'`,
  );
  // As wide as without a terminal, and Ctrl-C shows no ^C.
  const command = `stty cols 80 -echoctl -echo; exec ${quoted.join(' ')}`;
  // Nothing of ours that decides on colours: FORCE_COLOR, NO_COLOR, CI.
  const { PATH, HOME } = process.env;
  const child = spawn('script', ['-qefc', command, '/dev/null'], {
    env: { PATH, HOME, TERM: 'xterm', ...env },
    stdio: [onLine === undefined ? 'ignore' : 'pipe', 'pipe', 'inherit'],
  });
  let shown = '';
  child.stdin?.on('error', () => {}); // it has ended meanwhile
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    for (const line of text.trimEnd().split('\r\n')) {
      onLine?.(line, () => child.stdin?.write('\u0003'));
    }
  });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, shown: shown.replaceAll('\r\n', '\n') };
}
