import { afterAll, beforeAll, expect, test } from 'vitest';
import { backfillAll } from '../../src/app/backfill-all.ts';
import { pullAll } from '../../src/app/pull-all.ts';
import type { Session } from '../../src/app/session.ts';
import type { Json } from '../../src/domain/json.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

// A server sends an empty collection as null now and as empty then: that is no news (invariant 3).

let workspace: TestWorkspace;

beforeAll(async () => {
  const none = { company: 0, deal: 0, task: 0, meeting: 0, message: 0, c_project: 0 };
  workspace = await openWorkspace({ emulator: { sizes: { ...none, person: 20 } } });
  const { store } = workspace.emulator;
  for (let n = 0; n < 5; n += 1) store.create('person', { email_addresses: { items: [] } });
  await pullAll(as([]), options());
});
afterAll(() => workspace.stop());

const options = () => ({
  objects: ['person'],
  signal: workspace.signal,
  priority: 'pull' as const,
});

/** A session whose client hands over every empty collection as `value`. */
function as(value: Json): Session {
  const { session } = workspace;
  const { remote } = session;
  return {
    ...session,
    remote: {
      ...remote,
      limits: remote.limits,
      clock: remote.clock,
      async readPage(request, callOptions) {
        const page = await remote.readPage(request, callOptions);
        const records = page.records.map((record) => {
          const emails = record.fields['email_addresses'] ?? null;
          const isEmpty = emails === null || (Array.isArray(emails) && emails.length === 0);
          return isEmpty
            ? { ...record, fields: { ...record.fields, email_addresses: value } }
            : record;
        });
        return { ...page, records };
      },
    },
  };
}

test('not for a pull', async () => {
  for (const value of [null, []]) {
    const [run] = await pullAll(as(value), options());
    expect(run?.counts).toMatchObject({ updated: 0 });
    expect(run?.counts['read']).toBeGreaterThanOrEqual(5);
  }
});

test('not for a backfill either', async () => {
  for (const value of [null, []]) {
    const [run] = await backfillAll(as(value), { ...options(), restart: true });
    expect(run).toMatchObject({ state: 'ok', counts: { updated: 0, inserted: 0 } });
  }
});
