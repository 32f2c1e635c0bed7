import { describe, expect, it } from 'vitest';
import { unhandledRejections } from '../../../core/test/unhandled-rejections.ts';
import { attachHeartbeat } from '../../src/attach.ts';
import { type HookFailure, Hooks } from '../../src/connection/hooks.ts';
import { Stage, VirtualServer, type VirtualSocket } from '../virtual-server.ts';

const PING = '\u0005wb.1;v=1;session=AbCdEfGhIjKlMnOpQrSt-_';
const error = new Error('from a hook');
const throws = (): never => {
  throw error;
};
const rejects = async (): Promise<never> => throws();
/** What promises do that are settled has been done. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A promise of another library. */
const thenable = {
  // biome-ignore lint/suspicious/noThenProperty: that is what it is about
  then: (_: unknown, reject: (reason: unknown) => void) => reject(error),
};
/** What fails where it is looked at. */
const brittle = Object.defineProperty({}, 'then', { get: throws });

function stageWith(hook: string, fails: () => unknown): Stage {
  const options = {
    authenticated: { authenticated: fails },
    user: { session: { user: fails } },
    random: { random: fails, jitter: 0.1 },
    listener: {},
  }[hook];
  const stage = new Stage(options as never, new VirtualServer());
  if (hook === 'listener') stage.heartbeat.on('pong', fails as never);
  return stage;
}

describe.each(['authenticated', 'user', 'random', 'listener'])('a hook that fails: %s', (hook) => {
  const ways: [string, () => unknown][] = [
    ['throws', throws],
    ['rejects', rejects],
    ['returns a thenable that rejects', () => thenable],
    ['returns what throws when it is looked at', () => brittle],
  ];

  it.each(ways)('ends nothing if it %s, and is reported by `error`', async (_, fails) => {
    const stage = stageWith(hook, fails);
    const failures: HookFailure<VirtualSocket>[] = [];
    stage.heartbeat.on('error', (failure) => failures.push(failure));
    const { socket } = stage.connect();
    const unhandled = await unhandledRejections(async () => {
      socket.receive(PING);
      await settled();
      stage.advanceTo(30_000);
      await settled();
    });
    expect(unhandled).toEqual([]);
    expect(new Set(failures.map((failure) => failure.hook))).toEqual(new Set([hook]));
    if (hook !== 'random') expect(failures[0]).toEqual({ hook, error, socket });
    expect(stage.lines(/session=ok/)).toHaveLength(hook === 'user' ? 0 : 1);
    expect(stage.lines(/Ping/).length).toBeGreaterThan(1); // the heartbeat goes on
    expect(stage.heartbeat.connections.size).toBe(1);
  });

  it('is a warning of the process, once, if nothing listens for `error`', async () => {
    const warnings: (Error & { code?: string })[] = [];
    const listener = (warning: Error) => warnings.push(warning);
    process.on('warning', listener);
    const stage = stageWith(hook, throws);
    for (let count = 0; count < 3; count += 1) stage.connect().socket.receive(PING);
    stage.advanceTo(1);
    await settled();
    process.off('warning', listener);
    expect(warnings.map(({ code }) => code)).toEqual(['WIREBEAT_HOOK_FAILED']);
    expect(warnings[0]?.message).toContain(`\`${hook}\``);
  });
});

describe('a listener of `error`', () => {
  it.each([
    ['throws', throws],
    ['rejects', rejects],
  ])('that %s is not called again because of it', async (_, fails) => {
    const warnings: Error[] = [];
    const listener = (warning: Error) => warnings.push(warning);
    process.on('warning', listener);
    const stage = new Stage({ authenticated: throws });
    let called = 0;
    stage.heartbeat.on('error', () => {
      called += 1;
      return fails() as never;
    });
    const { socket } = stage.connect();
    const unhandled = await unhandledRejections(async () => {
      socket.receive(PING);
      await settled();
      await settled();
    });
    process.off('warning', listener);
    expect([called, unhandled, warnings.length]).toEqual([1, [], 1]);
  });
});

describe('a random source', () => {
  it.each([1, -0.1, 9, Number.NaN, '0.5', undefined])('is not used if it returns %s', (drawn) => {
    const failures: HookFailure[] = [];
    const random = new Hooks((failure) => failures.push(failure)).guardRandom(() => drawn as never);
    for (let count = 0; count < 20; count += 1) {
      const chance = random();
      expect(chance >= 0 && chance < 1).toBe(true);
    }
    expect(failures).toHaveLength(20);
    expect(failures[0]).toMatchObject({ hook: 'random', error: expect.any(RangeError) });
  });
});

describe('a heartbeat that is detached', () => {
  it('calls no hooks', async () => {
    const stage = new Stage();
    let called = 0;
    const heartbeat = attachHeartbeat(stage.server, {
      authenticated: () => {
        called += 1;
        return true;
      },
    });
    heartbeat.detach();
    stage.connect().socket.receive(PING);
    await settled();
    expect(called).toBe(0);
  });
});
