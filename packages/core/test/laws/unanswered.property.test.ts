import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { VERDICT_WAIT } from '../../src/machine/deadlines.ts';
import { PeerMemory } from '../../src/machine/peer-memory.ts';
import { type Input, jittered, life, Simulation, settings } from '../simulation.ts';

/**
 * What a peer does on one connection: nothing, it sends but answers no ping, it answers each, it
 * answers and then falls silent, it closes right after our first ping, or greets and does so, or it
 * pings us once.
 */
type Manner =
  | 'silent'
  | 'chatter'
  | 'answers'
  | 'answers, then silent'
  | 'leaves'
  | 'greets, then leaves'
  | 'pings';
const MANNERS: readonly Manner[] = [
  'silent',
  'chatter',
  'answers',
  'answers, then silent',
  'leaves',
  'greets, then leaves',
  'pings',
];

const options = fc.record({
  pingInterval: fc.integer({ min: 1_000, max: 30_000 }),
  pingTimeout: fc.integer({ min: 4_000, max: 20_000 }),
  // Longer than those that chatter are silent.
  maxSilence: fc.oneof(fc.constant<false>(false), fc.integer({ min: 11_000, max: 200_000 })),
});
type Options = typeof options extends fc.Arbitrary<infer Given> ? Given : never;

/** Longer than any verdict takes, stretched timeouts and three periods of pings in vain included. */
const LONG = 3 * (30_000 + 60_000) + 200_000 + 10_000;

/** What the address is known for: the law, in other words than the source's. */
class Known {
  inARow = 0; // connections without an answer
  left = 0; // that it left right after our first ping
  hasAnswered = false;

  get speaks(): boolean {
    return this.inARow < 2 && this.left < 2;
  }

  /** Whether silence is death. */
  get isHeld(): boolean {
    return this.hasAnswered && this.inARow === 0;
  }

  /** What a connection comes to, and what is known after it. */
  learn(manner: Manner, maxSilence: number | false): string[] {
    const isMuted = !this.speaks;
    if (manner === 'pings') return this.#learnPing(isMuted);
    if (isMuted) return manner === 'silent' && maxSilence !== false ? ['max-silence'] : [];
    if (manner === 'silent' || manner === 'chatter') return this.#learnNoAnswer(manner, maxSilence);
    if (manner === 'leaves' || manner === 'greets, then leaves') {
      if (!this.isHeld) this.left += 1;
      return [];
    }
    this.#speaks();
    return manner === 'answers' ? [] : ['ping-timeout'];
  }

  #learnNoAnswer(manner: 'silent' | 'chatter', maxSilence: number | false): string[] {
    const { isHeld } = this;
    this.inARow += 1;
    if (isHeld) return [manner === 'silent' ? 'ping-timeout' : 'one-way'];
    return manner === 'silent' && maxSilence !== false
      ? ['unanswered', 'max-silence']
      : ['unanswered'];
  }

  /** It pings us and then is silent. One that was given up on is not any more. */
  #learnPing(isMuted: boolean): string[] {
    if (isMuted) this.#speaks();
    this.inARow += 1;
    return ['ping-timeout'];
  }

  #speaks(): void {
    this.hasAnswered = true;
    this.inARow = this.left = 0;
  }
}

/** Plays one connection, and returns what came of it. */
function play(simulation: Simulation, manner: Manner, { pingTimeout }: Options): string[] {
  const { heartbeat } = simulation;
  if (manner === 'pings') simulation.happen('ping');
  if (manner === 'leaves') playLeaving(simulation, []);
  else if (manner === 'greets, then leaves')
    playLeaving(simulation, ['receive', 'receive', 'sent']);
  else if (manner === 'silent' || manner === 'pings') simulation.tickUntil(simulation.now + LONG);
  else if (manner === 'chatter') playChatter(simulation, pingTimeout / 2);
  else {
    for (let pongs = 0; pongs < 5 && !heartbeat.isMuted; pongs += 1) {
      simulation.tickUntil(heartbeat.deadline + 1);
      simulation.happen('pong', simulation.pings.length);
    }
    if (manner === 'answers, then silent' && !heartbeat.isMuted)
      simulation.tickUntil(simulation.now + LONG);
  }
  heartbeat.close(simulation.now);
  return simulation.log.flatMap((entry) => {
    if (entry.type === 'timeout') return [entry.reason];
    return entry.type === 'unanswered' ? [entry.type] : [];
  });
}

function playChatter(simulation: Simulation, apart: number): void {
  const end = simulation.now + LONG;
  while (simulation.isOpen && simulation.now < end) {
    simulation.happen('receive');
    simulation.tickUntil(simulation.now + apart);
  }
}

function playLeaving(simulation: Simulation, before: readonly Input[]): void {
  const { heartbeat } = simulation;
  if (heartbeat.isMuted) return;
  for (const input of before) simulation.happen(input);
  simulation.tickUntil(heartbeat.deadline + 1);
  for (const input of before) simulation.happen(input);
  heartbeat.close(simulation.now, true);
}

describe('law 11: a peer that does not speak is not dead', () => {
  it('is told of, held to its answers, left in peace and given up on, as it has earned', () => {
    const manners = fc.array(fc.constantFrom(...MANNERS), { maxLength: 8 });
    fc.assert(
      fc.property(options, manners, (given, all) => {
        const memory = new PeerMemory();
        const known = new Known();
        for (const manner of all) {
          const simulation = new Simulation(given, { memory });
          expect(simulation.heartbeat.isMuted).toBe(!known.speaks);
          expect(play(simulation, manner, given)).toEqual(known.learn(manner, given.maxSilence));
        }
      }),
      settings,
    );
  });

  it('never calls one dead that never spoke, but for maxSilence, and tells of it once', () => {
    const silent = fc.array(
      fc.constantFrom<Manner[]>('silent', 'chatter', 'leaves', 'greets, then leaves'),
      {
        maxLength: 8,
      },
    );
    fc.assert(
      fc.property(options, silent, (given, manners) => {
        const memory = new PeerMemory();
        let told = 0;
        for (const manner of manners) {
          const simulation = new Simulation(given, { memory });
          const news = play(simulation, manner, given);
          expect(news).not.toContain('ping-timeout');
          expect(news).not.toContain('one-way');
          told += news.filter((each) => each === 'unanswered').length;
          for (const entry of simulation.log) {
            if (entry.type !== 'timeout') continue;
            expect(entry.silentFor).toBeGreaterThanOrEqual(given.maxSilence || LONG);
          }
        }
        expect(told).toBeLessThanOrEqual(2);
      }),
      settings,
    );
  });

  it('pings no more where two connections went without an answer, unless somebody asks', () => {
    const reason = fc.constantFrom('unanswered' as const, 'left' as const);
    fc.assert(
      fc.property(jittered, life, reason, (given, events, why) => {
        const memory = new PeerMemory();
        for (let times = 0; times < 2; times += 1) {
          if (why === 'left') memory.closedAfterFirstPing();
          else memory.ended(false, false);
        }
        const quiet = events.filter(({ type }) => type !== 'ask' && type !== 'ping');
        const simulation = new Simulation(given, { memory }).run(
          quiet.filter(({ type }) => type !== 'pong'),
        );
        simulation.tickUntil(simulation.now + LONG);
        expect(simulation.log.filter(({ type }) => type !== 'received' && type !== 'sent')).toEqual(
          [],
        );
        expect(simulation.heartbeat.status).toBe('alive');
        // A ping of its own ends that: it speaks.
        simulation.happen('ping');
        simulation.tickUntil(simulation.now + given.pingInterval + 1);
        expect(simulation.pings).not.toEqual([]);
      }),
      settings,
    );
  });

  it('is found silent by maxSilence no earlier than it says, and no later than the second look', () => {
    const most = fc.integer({ min: VERDICT_WAIT + 1, max: 200_000 });
    fc.assert(
      fc.property(jittered, life, most, (given, events, maxSilence) => {
        const memory = new PeerMemory();
        memory.ended(false, false);
        memory.ended(false, false);
        const simulation = new Simulation({ ...given, maxSilence }, { memory });
        simulation.run(events.filter(({ type }) => type !== 'ping' && type !== 'pong'));
        simulation.tickUntil(simulation.now + LONG);
        const { death } = simulation;
        if (simulation.heartbeat.isMuted) expect(death).toBeDefined();
        expect(death?.reason).toBe('max-silence');
        expect(death?.silentFor).toBe(maxSilence + VERDICT_WAIT);
      }),
      settings,
    );
  });
});
