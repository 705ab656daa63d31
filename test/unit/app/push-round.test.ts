import { expect, test } from 'vitest';
import { createRound } from '../../../src/app/daemon/push-worker.ts';
import type { Session } from '../../../src/app/session.ts';
import type { PushDeps } from '../../../src/push/push-deps.ts';

// What had nothing to do, or failed, is looked at again every two seconds, whatever else goes on.

function rounds() {
  let nowMs = 10_000;
  let polls = 0;
  let againMs: number | null = null;
  const session = {
    db: { schemas: { mirror: 'crm' }, repeated: async () => [] },
    config: { hookUrl: null },
    remote: {},
    tables: [],
    takeSchema: async () => false,
  } as unknown as Session;
  const line = { wake: () => void (polls += 1), look: async () => ({ running: 0, againMs }) };
  const round = createRound(
    session,
    { epoch: 1n, remainingMs: () => 10_000 },
    {
      line,
      deps: () => ({}) as PushDeps,
      onHalt: (error) => expect.unreachable(String(error)),
      monotonicMs: () => nowMs,
    },
  );
  return {
    async at(ms: number, again: number | null = null) {
      nowMs = 10_000 + ms;
      againMs = again;
      const before = polls;
      const { pauseMs } = (await round()) ?? {};
      return { polled: polls > before, pauseMs };
    },
  };
}

test('a look between two polls puts off neither', async () => {
  const { at } = rounds();
  expect(await at(0)).toEqual({ polled: true, pauseMs: 2_000 });
  expect(await at(1_900)).toEqual({ polled: false, pauseMs: 100 });
  expect(await at(2_000)).toEqual({ polled: true, pauseMs: 2_000 });
  expect(await at(2_500, 250)).toEqual({ polled: false, pauseMs: 250 });
  expect(await at(3_900, 250)).toEqual({ polled: false, pauseMs: 100 });
  expect(await at(3_990)).toEqual({ polled: false, pauseMs: 100 });
});

test('a timer that fires a moment early costs no turn', async () => {
  const { at } = rounds();
  await at(0);
  expect(await at(1_999.3)).toEqual({ polled: true, pauseMs: 2_000 });
});
