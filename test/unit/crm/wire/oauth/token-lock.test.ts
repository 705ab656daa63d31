import { mkdir, mkdtemp, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { withTokenLock } from '../../../../../src/crm/wire/oauth/token-lock.ts';
import { names } from './signed-in.ts';

let folder = '';
afterEach(() => rm(folder, { recursive: true, force: true }));

test.each([
  ['an hour ago', -3_600_000, 0],
  ['just now', 0, 60_000],
  ['by a clock that was set back since', 3_600_000, 60_000],
])(
  'a lock of a process that was killed, made %s, is taken in time',
  async (_name, byMs, atLeast) => {
    folder = await mkdtemp(join(tmpdir(), 'token-lock-'));
    const path = join(folder, 'tokens.json');
    await mkdir(`${path}.lock`);
    const made = new Date(Date.now() + byMs);
    await utimes(`${path}.lock`, made, made);
    let monotonicMs = 0;
    const clock = {
      monotonicMs: () => monotonicMs,
      sleep: async () => void (monotonicMs += 5_000),
    };
    expect(await withTokenLock(path, { clock, names }, async () => 'done')).toBe('done');
    expect(monotonicMs).toBeGreaterThanOrEqual(atLeast);
    expect(monotonicMs).toBeLessThan(atLeast + 10_000);
  },
);
