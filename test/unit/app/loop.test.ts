import { describe, expect, it } from 'vitest';
import { createLoop, type LoopOptions, runLoop, Wake } from '../../../src/app/daemon/loop.ts';
import { RemoteError, SyncError } from '../../../src/domain/errors.ts';

const passing = () => new SyncError('busy', { code: 'x-busy', disposition: 'retry' });

/** Runs a loop whose rounds follow a script and whose pauses take no time. */
async function play(script: (() => Promise<{ pauseMs?: number } | undefined>)[]) {
  const stopping = new AbortController();
  const pauses: number[] = [];
  const logged: string[] = [];
  const note = (level: string) => (_: object, message: string) =>
    logged.push(`${level} ${message}`);
  const rounds = script.values();
  const options: LoopOptions = {
    name: 'walk',
    idleMs: 500,
    random: () => 0.5,
    runOnce: async () => rounds.next().value?.(),
    sleep: async (ms) => {
      pauses.push(ms);
      if (pauses.length >= script.length) stopping.abort();
    },
    log: { info: note('info'), warn: note('warn'), error: note('error') },
  };
  const ended = await runLoop(options, stopping.signal).catch((error: unknown) => error);
  return { pauses, logged, ended };
}

const good = async () => undefined;
const bad = async () => {
  throw passing();
};

describe('runLoop', () => {
  it('pauses between rounds, as long as the round says', async () => {
    const { pauses, logged } = await play([good, async () => ({ pauseMs: 7 }), good]);
    expect(pauses).toEqual([500, 7, 500]);
    expect(logged).toEqual([]);
  });

  it('backs off from what may pass, more loudly each time, and resets on success', async () => {
    const { pauses, logged } = await play([bad, bad, bad, bad, bad, bad, bad, bad, good, bad]);
    expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 500, 500]);
    expect(logged.map((line) => line.split(' ')[0])).toEqual([
      'info',
      'info',
      'warn',
      'warn',
      'warn',
      'error',
      'error',
      'error',
      'info',
      'info',
    ]);
    expect(logged[8]).toBe('info walk works again');
  });

  it('waits at least as long as the server asked', async () => {
    const options = {
      code: 'rate',
      disposition: 'retry',
      status: 429,
      retryAfterMs: 9_000,
    } as const;
    const { pauses } = await play([
      async () => {
        throw new RemoteError('slow down', options);
      },
    ]);
    expect(pauses).toEqual([9_000]);
  });

  it.each([
    new SyncError('key revoked', { code: 'auth', disposition: 'halt' }),
    new TypeError('a bug'),
  ])('ends with what no repetition mends: $name', async (error) => {
    const { ended, pauses } = await play([
      async () => {
        throw error;
      },
      good,
    ]);
    expect(ended).toBe(error);
    expect(pauses).toEqual([]);
  });
});

describe('createLoop', () => {
  it('is woken from its pause, also by what came while it worked', async () => {
    const wake = new Wake();
    let rounds = 0;
    const done = new Promise<void>((resolve) => {
      const loop = createLoop(
        {
          name: 'walk',
          idleMs: 3_600_000,
          wake,
          runOnce: async () => {
            rounds += 1;
            if (rounds === 3) resolve(loop.stop());
            else wake.wake();
            return undefined;
          },
          log: { info() {}, warn() {}, error() {} },
        },
        () => {},
      );
      void loop.start();
    });
    await done;
    expect(rounds).toBe(3);
  });

  it('stops while it pauses, and only when its round has ended', async () => {
    let ended = false;
    const loop = createLoop(
      {
        name: 'walk',
        idleMs: 3_600_000,
        runOnce: (signal) =>
          new Promise((resolve) => {
            signal.addEventListener('abort', () => {
              ended = true;
              resolve(undefined);
            });
          }),
        log: { info() {}, warn() {}, error() {} },
      },
      () => {},
    );
    await loop.start();
    await loop.stop();
    expect(ended).toBe(true);
  });

  it('tells of the error that ended it', async () => {
    const error = new SyncError('revoked', { code: 'auth', disposition: 'halt' });
    const told = await new Promise((resolve) => {
      const options = {
        name: 'walk',
        idleMs: 1,
        runOnce: async () => {
          throw error;
        },
        log: { info() {}, warn() {}, error() {} },
      };
      void createLoop(options, resolve).start();
    });
    expect(told).toBe(error);
  });
});
