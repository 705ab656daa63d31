import { describe, expect, it } from 'vitest';
import { confirms, walkStart } from '../../../src/domain/walk/instant.ts';
import { acceptPage, nextRequest, startWalk } from '../../../src/domain/walk/walk.ts';
import { ModelMirror, type PullOptions, type PullResult } from './model-pull.ts';
import { ModelServer, type ServerModes } from './model-server.ts';

const NOON_MS = Date.UTC(2026, 8, 14, 12, 0, 0);
const PLAIN: ServerModes = {
  filter: 'instants',
  ties: 'stable',
  nullUntilEdit: false,
  nullsFirst: true,
  pageCap: 1000,
  delayMs: 0,
  total: 'true',
};

function server(modes: Partial<ServerModes> = {}): ModelServer {
  return new ModelServer({ ...PLAIN, ...modes }, 7, NOON_MS);
}

function seed(into: ModelServer, count: number, atMs: (index: number) => number): void {
  for (let i = 0; i < count; i += 1) into.seed(atMs(i) - 1_000, atMs(i));
}

function newMirror(): ModelMirror {
  return new ModelMirror({ startWalk, nextRequest, acceptPage, walkStart, confirms });
}

function pull(
  mirror: ModelMirror,
  from: ModelServer,
  options: Partial<PullOptions> = {},
): PullResult {
  return mirror.pull(from, {
    orderBy: 'updated',
    limit: 500,
    probe: true,
    killAfterPages: null,
    maxRequests: 2_000,
    meanwhile: () => {},
    ...options,
  });
}

describe('what a walk costs in requests', { timeout: 60_000 }, () => {
  it.each(['instants', 'days'] as const)(
    'an idle tick costs one, though 20,000 records changed today (filter by %s)',
    (filter) => {
      const crm = server({ filter });
      seed(crm, 20_000, (i) => NOON_MS - 21_000_000 + i * 1_000);
      const mirror = newMirror();
      pull(mirror, crm);
      crm.pass(600_000);
      expect(pull(mirror, crm)).toEqual({ verdict: 'ok', problem: null, requests: 1 });
    },
  );

  it('an idle tick costs one after a bulk edit of more than a page', () => {
    const crm = server();
    seed(crm, 3_000, () => NOON_MS);
    const mirror = newMirror();
    // The second walk settles the group, the third confirms that nothing came in behind it.
    for (let i = 0; i < 3; i += 1) {
      pull(mirror, crm);
      crm.pass(60_000);
    }
    expect(pull(mirror, crm).requests).toBe(1);
  });

  it('a backfill reads hardly more than its pages', () => {
    const crm = server();
    seed(crm, 20_000, (i) => NOON_MS - 200_000_000 + i * 7_000);
    expect(pull(newMirror(), crm)).toMatchObject({ verdict: 'ok', requests: 41 });
  });

  it('a backfill reads a tenth more where filters compare whole days', () => {
    const crm = server({ filter: 'days' });
    seed(crm, 20_000, (i) => NOON_MS - 200_000_000 + i * 7_000);
    const { verdict, requests } = pull(newMirror(), crm);
    expect(verdict).toBe('ok');
    expect(requests).toBeLessThanOrEqual(46);
  });

  it.each(['true', 'none', 'wrong'] as const)(
    'a busy tick does not read the whole day again where filters compare days (total %s)',
    (total) => {
      const crm = server({ filter: 'days', total });
      seed(crm, 20_000, (i) => NOON_MS - 40_200_000 + i * 2_000);
      const mirror = newMirror();
      pull(mirror, crm);
      crm.pass(600_000);
      crm.edit(1_200);
      const { verdict, requests } = pull(mirror, crm);
      expect(verdict).toBe('ok');
      expect(requests).toBeLessThanOrEqual(20);
    },
  );

  it.each(['instants', 'days'] as const)(
    'edits, creations and deletions between all requests cost a few more (filter by %s)',
    (filter) => {
      const crm = server({ filter });
      seed(crm, 6_000, (i) => NOON_MS - 20_000_000 + Math.floor(i / 40) * 1_000);
      let changes = 100;
      const meanwhile = (): void => {
        crm.pass(200);
        changes -= 1;
        if (changes < 0) return;
        crm.edit(20);
        crm.create(3);
        crm.delete(10);
      };
      const { verdict, requests } = pull(newMirror(), crm, { limit: 200, meanwhile });
      expect(verdict).toBe('ok');
      expect(requests).toBeLessThanOrEqual(60);
    },
  );

  it('5,000 records of one timestamp in one order take one sweep while they change', () => {
    const crm = server();
    seed(crm, 5_000, () => NOON_MS - 86_400_000);
    const meanwhile = (): void => {
      crm.pass(50);
      crm.edit(2);
      crm.delete(1);
    };
    const { verdict, requests } = pull(newMirror(), crm, { meanwhile });
    expect(verdict).toBe('ok');
    expect(requests).toBeLessThanOrEqual(14);
  });

  it.each(['reversed', 'shuffled', 'byOffset'] as const)(
    '5,000 records of one timestamp are proven by count where ties come %s',
    (ties) => {
      const crm = server({ ties });
      seed(crm, 5_000, () => NOON_MS - 86_400_000);
      const { verdict, requests } = pull(newMirror(), crm);
      expect(verdict).toBe('ok');
      expect(requests).toBeLessThanOrEqual(300);
    },
  );

  it('says so where ties come shuffled and change all the time, and reads on behind them', () => {
    const crm = server({ ties: 'shuffled' });
    seed(crm, 2_000, () => NOON_MS - 86_400_000);
    seed(crm, 10, (i) => NOON_MS - 3_600_000 + i);
    const mirror = newMirror();
    const meanwhile = (): void => {
      crm.pass(50);
      crm.delete(1);
    };
    const { verdict, problem, requests } = pull(mirror, crm, { limit: 100, meanwhile });
    expect({ verdict, problem }).toEqual({ verdict: 'incomplete', problem: 'ties' });
    expect(requests).toBeLessThanOrEqual(1_000);
    expect(mirror.watermarks.get('updated')?.at).toBe(new Date(NOON_MS - 86_400_000).toISOString());
    const behind = [...crm.visible().keys()].filter((id) => Number(id) > 2_000);
    expect(behind.filter((id) => !mirror.rows.has(id))).toEqual([]);
    expect(pull(mirror, crm, { limit: 100 }).verdict).toBe('ok');
    expect(mirror.differences(crm)).toEqual([]);
  });
});

describe('a server that answers every offset with its first page', () => {
  it.each([
    ['many timestamps', 1],
    ['groups', 30],
    ['one group', 1_000],
  ])('is never taken for complete, though it says there is no more (%s)', (_, groupSize) => {
    const crm = server({ filter: 'days', ignoresOffset: true, endsByOffset: true });
    seed(crm, 600, (i) => NOON_MS - 20_000_000 + Math.floor(i / groupSize) * 1_000);
    const { verdict, requests } = pull(newMirror(), crm, { limit: 100 });
    expect(verdict).toBe('incomplete');
    expect(requests).toBeLessThanOrEqual(250);
  });
});

describe('records without the timestamp', () => {
  it.each([true, false])('do not stop a walk where they come first: %s', (nullsFirst) => {
    const crm = server({ nullsFirst });
    for (let i = 0; i < 1_200; i += 1) crm.seed(NOON_MS - i, null);
    seed(crm, 700, (i) => NOON_MS - 900_000 + i);
    const mirror = newMirror();
    expect(pull(mirror, crm).verdict).toBe('ok');
    expect(pull(mirror, crm, { orderBy: 'created' }).verdict).toBe('ok');
    expect(mirror.differences(crm)).toEqual([]);
  });
});
