import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  acceptScanPage,
  answerCount,
  nextScanRequest,
  startScan,
} from '../../../src/domain/scan/scan.ts';
import { histories, modes, play, START_MS, scan } from './history.ts';
import { ListServer } from './list-server.ts';
import { hourly, playMade, tidy } from './made-to-measure.ts';

const module = { startScan, nextScanRequest, acceptScanPage, answerCount };
/** The same histories in every run of the tests; `WALK_RUNS=5000` plays that many others. */
const { WALK_RUNS } = process.env;
const numRuns = Number(WALK_RUNS ?? 100);
const chosen = WALK_RUNS === undefined ? { seed: 1 } : {};

describe('invariant 1: a scan by positions hands over everybody who was there throughout', () => {
  it('while records are edited, created and deleted, in every mode of the list', () => {
    fc.assert(
      fc.property(histories(), (history) => {
        const { verdict } = play(history, module);
        // Equal times in any order, no times at all, or hardly any order on a page: then it may
        // take a count to prove anything, and there may be none that can be believed.
        const { ties, dates, pageCap } = history.modes;
        const isLong = Math.min(pageCap, history.limit) >= 40;
        if (ties === 'stable' && dates === 'both' && isLong) expect(verdict).toBe('ok');
      }),
      { ...chosen, numRuns },
    );
  }, 600_000);

  it('or says it cannot, in a bounded number of requests, where offsets are ignored', () => {
    const faulty = modes.map((healthy) => {
      return { ...healthy, ties: 'stable' as const, ignoresOffset: true };
    });
    fc.assert(
      fc.property(histories(faulty), fc.boolean(), (history, endsByOffset) => {
        // Where it is wrong about its end as well, that is sure to show while the list is quiet.
        const actions = endsByOffset ? [] : history.actions;
        play({ ...history, actions, modes: { ...history.modes, endsByOffset } }, module);
      }),
      { ...chosen, numRuns: Math.ceil(numRuns / 5) },
    );
  }, 600_000);
});

describe('a scan takes no more passes than its proof', () => {
  it('of records that have all just come at one time, and are counted: two', () => {
    // As a job or an import leaves them.
    const agesMs = Array.from({ length: 40 }, () => 2_000);
    const made = { modes: { total: 'true', pageCap: 7 }, agesMs, limit: 7 } as const;
    const { verdict, requests } = playMade(made, module);
    expect(verdict).toBe('ok');
    // Two passes of pages that overlap.
    expect(requests).toBeLessThanOrEqual(30);
  });

  it('of what was edited within the last minute, while more is edited: one, and the front', () => {
    // Made in one order, edited in another.
    const server = new ListServer({ ...tidy, pageCap: 40 }, 1, START_MS);
    for (let i = 0; i < 1_200; i += 1) {
      server.seed(START_MS - 86_400_000 + i * 1_000, START_MS - 1_000 - ((i * 7) % 50_000));
    }
    const outcome = scan(server, module, {
      limit: 40,
      sinceMs: START_MS - 61_000,
      meanwhile: () => {
        server.pass(100);
        server.edit(2);
      },
    });
    expect(outcome).toMatchObject({ verdict: 'ok' });
    expect(outcome.requests).toBeLessThanOrEqual(1_200 / 30 + 10);
  });

  it('of a list in no order, once it is quiet: as many as it takes to see everybody', () => {
    const server = new ListServer(
      { ...tidy, order: 'none', total: 'true', pageCap: 40 },
      1,
      START_MS,
    );
    for (let i = 0; i < 1_000; i += 1) {
      server.seed(START_MS - 86_400_000 + i * 1_000, START_MS - 1_000 - ((i * 7) % 50_000));
    }
    const outcome = scan(server, module, { limit: 40, sinceMs: START_MS - 61_000 });
    expect(outcome).toMatchObject({ verdict: 'ok' });
    expect(outcome.requests).toBeLessThanOrEqual(16 * 34);
  });

  it.each([12, 20, 40, 63, 100])('of a bulk change on numbered pages of %i: three', (pageCap) => {
    // Pages may begin elsewhere than they were asked to: read closely they must not be the same again.
    for (const before of [0, 15, 60]) {
      for (const alike of [20, 40, 100]) {
        for (const after of [0, 50]) {
          const agesMs = [
            ...hourly(before).map((ageMs) => 40_000 + ageMs / 100_000),
            ...Array.from({ length: alike }, () => 20_000),
            ...hourly(after).map((ageMs) => 5_000 + ageMs / 100_000),
          ];
          const numbered = { pageCap, numbered: true, total: 'true' } as const;
          const { verdict, requests } = playMade({ modes: numbered, agesMs, limit: 1_000 }, module);
          expect(verdict).toBe('ok');
          expect(requests).toBeLessThanOrEqual(3 + (9 * agesMs.length) / pageCap);
        }
      }
    }
  });
});
