import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createSidePass } from '../../src/app/daemon/side-pass.ts';
import { syncOnce } from '../../src/app/sync-once.ts';
import type { Json } from '../../src/domain/json.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';
import { readPage } from '../unit/docs/page.ts';

const DAY = '2025-10-01T00:00:00.000Z';
let workspace: TestWorkspace;
let reader: pg.Client;

beforeAll(async () => {
  const kept = { fields: {}, history: true, activities: true, delete: 'push' } as const;
  const tables = { settings: true, lists: false, campaigns: [], everyMs: 3_600_000 };
  workspace = await openWorkspace({ config: { objects: { deal: kept }, tables } });
  const { session, signal } = workspace;
  await syncOnce(session, { signal });
  await createSidePass(session)({ signal, priority: 'pull' });
  reader = new pg.Client({ connectionString: workspace.database.url });
  await reader.connect();
});

afterAll(async () => {
  await reader?.end();
  await workspace?.stop();
});

interface Told {
  readonly type: string;
  readonly _created_at: string;
  readonly object?: {
    readonly data?: Readonly<Record<string, Json>>;
    readonly diff?: readonly { readonly path: readonly unknown[]; readonly val?: Json }[];
  };
}

/** What the server's own feed makes of a deal by the day, told forwards. */
async function dealThen(id: string): Promise<ReadonlyMap<string, Json> | null> {
  const { emulator } = workspace;
  const address = `${emulator.url}/workspaces/${emulator.workspace}/objects/deal/records/${id}/activities`;
  const headers = { authorization: `api-key ${emulator.apiKey}`, 'user-agent': 'test' };
  const answer = (await (await fetch(address, { headers })).json()) as {
    data: { attributes: { data: Told[] } }[];
  };
  const events = answer.data.flatMap(({ attributes }) => attributes.data).toReversed();
  const fields = new Map<string, Json>();
  let isBorn = false;
  for (const { type, _created_at, object } of events) {
    if (_created_at > DAY) break;
    isBorn ||= /create$/i.test(type);
    for (const [name, value] of Object.entries(object?.data ?? {})) fields.set(name, value);
    for (const { path, val } of object?.diff ?? []) fields.set(String(path[0]), val ?? null);
  }
  return isBorn ? fields : null;
}

test('the pipeline as it stood before anything was here is one query', async () => {
  const [, query = '', shown = ''] =
    /^### \d+\. How did the pipeline stand on a day before[^\n]*\n\n[\s\S]*?```sql\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/m.exec(
      readPage('analytics.md'),
    ) ?? [];
  const { rows, fields } = await reader.query(query);
  const expected = new Map<string, { deals: number; amount: number }>();
  for (const { id } of workspace.emulator.store.all('deal')) {
    const deal = await dealThen(id);
    const stage = deal?.get('stage');
    if (typeof stage !== 'string' || stage === 'Won' || stage === 'Lost') continue;
    const { deals, amount } = expected.get(stage) ?? { deals: 0, amount: 0 };
    expected.set(stage, { deals: deals + 1, amount: amount + Number(deal?.get('amount') ?? 0) });
  }
  const found = rows.map(({ stage, deals, amount, unknown }) => [
    stage,
    { deals: Number(deals), amount: Number(Number(amount).toFixed(2)) },
    Number(unknown),
  ]);
  const wanted = [...expected].map(([stage, { deals, amount }]) => [
    stage,
    { deals, amount: Number(amount.toFixed(2)) },
    0,
  ]);
  const byStage = (a: readonly unknown[], b: readonly unknown[]) =>
    String(a[0]).localeCompare(String(b[0]));
  expect(found.toSorted(byStage)).toEqual(wanted.toSorted(byStage));
  expect(rows.length).toBe(3);
  const [head = '', , ...lines] = shown.trim().split('\n');
  expect(head.split('|').map((name) => name.trim())).toEqual(fields.map(({ name }) => name));
  // Sample records are younger on another day, and the numbers others.
  expect(lines.length).toBe(rows.length);
});
