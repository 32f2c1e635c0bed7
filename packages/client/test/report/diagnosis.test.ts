import { describe, expect, it } from 'vitest';
import { NEVER_DIALLED } from '../../src/reconnect/close-record.ts';
import { diagnose, type End } from '../../src/report/diagnosis.ts';

const SECOND = 1_000;
const MINUTE = 60_000;

/** A connection that broke. Nothing in it is like in the next. */
function broken(index: number, given: Partial<End> = {}): End {
  return {
    ...NEVER_DIALLED,
    wasOpen: true,
    age: (index + 1) * 7 * MINUTE,
    silentFor: 500 + index * 6 * SECOND,
    quietFor: 700 + index * 5 * SECOND,
    latency: 40,
    missedPings: 0,
    bufferedAmount: 0,
    hidden: false,
    page: 'visible',
    pageFor: undefined,
    ...given,
  };
}

const ends = (times: number, given: (index: number) => Partial<End>) =>
  Array.from({ length: times }, (_, index) => broken(index, given(index)));

describe('diagnose', () => {
  it('says nothing of nothing, and of ends that have nothing in common', () => {
    expect(diagnose([])).toBeUndefined();
    expect(diagnose(ends(8, () => ({})))).toBeUndefined();
  });

  it('says nothing of three, and says it of four', () => {
    const idle = (index: number) => ({ silentFor: 60_000 + index * 100 });
    expect(diagnose(ends(3, idle))).toBeUndefined();
    expect(diagnose(ends(4, idle))).toMatchObject({ type: 'idle-timeout', times: 4 });
    expect(diagnose([broken(0), ...ends(5, idle)])).toMatchObject({ times: 5 });
  });

  it('lets go when the last end is another', () => {
    const idle = ends(6, () => ({ silentFor: 60_000 }));
    expect(diagnose([...idle, broken(2)])).toBeUndefined();
  });

  it('passes over the ends that we meant', () => {
    const idle = ends(4, () => ({ silentFor: 60_000 }));
    const planned = (['user', 'reconnect', 'rotation', 'replaced'] as const).map((reason) =>
      broken(3, { reason }),
    );
    const mixed = idle.flatMap((end, index) => [end, planned[index] ?? end]);
    expect(diagnose(mixed)).toMatchObject({ type: 'idle-timeout', times: 4 });
  });

  describe('of a constant silence', () => {
    it('says an idle timeout, and what to set', () => {
      const found = diagnose(ends(4, (index) => ({ silentFor: 60_000 + index * 50 })));
      expect(found).toMatchObject({ type: 'idle-timeout', after: 60_100 });
      expect(found?.text).toBe(
        'Looks like an idle timeout of about 60 s between you and the server: set pingInterval well below it. (4 ends in a row.)',
      );
    });

    it('says at most, where each end followed something that we sent', () => {
      const found = diagnose(ends(4, () => ({ silentFor: 350_000, quietFor: 20 })));
      expect(found?.text).toContain('an idle timeout of at most about 5.8 min');
    });

    it('says that the server must answer, where it never did', () => {
      const given = { silentFor: 60_000, latency: undefined, missedPings: 1 };
      const found = diagnose(ends(4, () => given));
      expect(found?.text).toContain('Pings only help if the server answers them');
    });

    it('doubts where nothing was ever received', () => {
      const found = diagnose(ends(4, () => ({ silentFor: 59_970, age: 60_000 })));
      expect(found?.type).toBe('idle-timeout');
      expect(found?.text).toContain('It may also be a limit on the age of a connection');
    });

    it('says nothing of one that is too short for a timeout: the server just talks', () => {
      expect(diagnose(ends(8, () => ({ silentFor: 4_999 })))).toBeUndefined();
      expect(diagnose(ends(8, () => ({ silentFor: 5_000 })))?.type).toBe('idle-timeout');
    });

    it('says nothing where it is our own timeout that is constant', () => {
      const dead = { reason: 'ping-timeout', silentFor: 45_250 } as const;
      expect(diagnose(ends(6, () => dead))).toBeUndefined();
    });

    it.each([
      [60_000, 3_000, true],
      [60_000, 3_200, false],
      [10_000, 1_000, true],
      [10_000, 1_050, false],
    ])('of %d ms bears a spread of %d ms: %s', (silentFor, spread, isFound) => {
      const found = diagnose(
        ends(4, (index) => ({ silentFor: silentFor - (index === 2 ? spread : 0) })),
      );
      expect(found !== undefined).toBe(isFound);
    });
  });

  it('tells a timeout that counts only what is sent', () => {
    const found = diagnose(ends(4, () => ({ quietFor: 30_000 })));
    expect(found).toMatchObject({ type: 'idle-timeout', after: 30_000 });
    expect(found?.text).toContain('counts only what you send');
  });

  it('says a limit on the age, where that is constant and the silence is not', () => {
    const found = diagnose(ends(4, () => ({ age: 10 * MINUTE, reason: 'peer-close', code: 1001 })));
    expect(found).toMatchObject({ type: 'age-limit', after: 600_000 });
    expect(found?.text).toContain(
      'a limit of about 10 min on the age of a connection, in the server or on the way to it',
    );
  });

  describe('of connections that end at once', () => {
    const refusal = { reason: 'peer-close', code: 1008, text: 'who?', age: 80 } as const;

    it('says with which code, if it is one', () => {
      const found = diagnose(ends(4, () => refusal));
      expect(found).toMatchObject({ type: 'closed-at-once', after: undefined });
      expect(found?.text).toContain('closes them at once with 1008 "who?". Look at its log');
    });

    it('names no code where they differ, nor the one that stands for none', () => {
      const differ = diagnose(ends(4, (index) => ({ ...refusal, code: 4000 + index })));
      expect(differ?.text).toContain('at once. Look');
      const resets = diagnose(ends(4, () => ({ age: 80, code: 1006 })));
      expect(resets?.text).toContain('at once. Look');
    });
  });

  it.each([
    ['frozen', { page: 'frozen' }],
    ['just come back', { page: 'visible', pageFor: 9_000 }],
    ['asleep', { lateBy: 5_000 }],
  ] as const)('does not blame the network where the page was %s', (_, given) => {
    const found = diagnose(ends(4, () => given));
    expect(found?.type).toBe('away');
    expect(found?.text).toContain('not the cause');
  });

  it('does not call a page away that has always been visible, or came back long ago', () => {
    expect(diagnose(ends(4, () => ({ page: 'visible', pageFor: 10_000 })))).toBeUndefined();
    expect(diagnose(ends(4, () => ({ lateBy: 4_999 })))).toBeUndefined();
  });

  it('says that hidden pages lose their connections, where that takes a constant time', () => {
    const hidden = { page: 'hidden', hidden: true } as const;
    const found = diagnose(
      ends(4, (index) => ({ ...hidden, pageFor: 5 * MINUTE + index * SECOND })),
    );
    expect(found?.type).toBe('hidden');
    expect(found?.text).toContain('about 5 min after the page is hidden');
    const varied = ends(8, (index) => ({ ...hidden, pageFor: (index + 1) * MINUTE }));
    expect(diagnose(varied)).toBeUndefined();
    const attempts = ends(8, (index) => ({
      ...hidden,
      pageFor: 5 * MINUTE,
      ...(index % 2 === 0 && { wasOpen: false }),
    }));
    expect(diagnose(attempts)).toBeUndefined();
    expect(diagnose(ends(8, () => hidden))).toBeUndefined();
  });

  it.each([
    ['unreachable', 'connect-timeout', 'The address does not answer'],
    ['refused', 'abnormal', 'No connection can be opened'],
    ['not-ready', 'not-ready', 'your `ready` fails'],
    ['not-ready', 'ready-timeout', 'your `ready` fails'],
  ] as const)('tells %s from attempts that end by %s', (type, reason, words) => {
    const attempts = Array.from({ length: 4 }, () => ({ ...NEVER_DIALLED, reason }));
    const found = diagnose(attempts);
    expect(found).toMatchObject({ type, times: 4 });
    expect(found?.text).toContain(words);
  });

  it('tells a way that is too slow from one that is dead', () => {
    const clogged = { reason: 'ping-timeout', bufferedAmount: 1_024 } as const;
    expect(diagnose(ends(4, () => clogged))?.type).toBe('backlog');
    expect(diagnose(ends(4, () => ({ ...clogged, bufferedAmount: 1_023 })))).toBeUndefined();
  });

  it('says after two connections that the server answers no pings', () => {
    const mute = { latency: undefined, missedPings: 2 };
    expect(diagnose(ends(1, () => mute))).toBeUndefined();
    expect(diagnose(ends(2, () => mute))?.type).toBe('unanswered');
    const replaced = { ...mute, reason: 'unanswered' } as const; // by one that was answered
    expect(diagnose(ends(2, () => replaced))?.type).not.toBe('unanswered');
    expect(diagnose(ends(2, () => ({ latency: undefined })))).toBeUndefined();
  });
});
