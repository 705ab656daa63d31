import { beforeEach, describe, expect, test } from 'vitest';
import { pullAll } from '../../src/app/pull-all.ts';
import { pushOnce } from '../../src/app/push-once.ts';
import { type Model, openModel, PLAIN } from '../support/model-session.ts';

// Where changes come in no order, or in one that has nothing to do with when they were made, the list
// of them is long for a minute after many: nothing that waits to be sent waits for more of it than it
// has to, and what it tells is proven in the end (invariants 1, 5 and 8).

const PAGE = 40;
const THINGS = 2_400;
const CROWD = 600;
/** Of pages that overlap. */
const PAGES = Math.ceil(CROWD / (PAGE - 10));

let model: Model;
let ids: string[];

async function open(sortedBy: 'created' | 'nothing'): Promise<void> {
  const changes = { kind: 'unordered-filter', by: 'position' } as const;
  const capabilities = { ...PLAIN, changes };
  model = await openModel({ capabilities, sortedBy, pageSize: PAGE });
  const { crm } = model;
  ids = Array.from({ length: THINGS }, (_, i) =>
    crm.add({ name: `thing ${i}`, size: i }, 86_400_000 - i * 1_000),
  );
  crm.pageSize = 1_000;
  await model.sync();
  crm.pageSize = PAGE;
  // Somebody edits many, in an order of their own.
  for (let i = 0; i < CROWD; i += 1) crm.edit(ids[(i * 7) % CROWD] ?? '', { size: 5_000 + i });
  crm.pages = 0;
}

const pull = ({ session, signal }: Model) => pullAll(session, { signal, priority: 'pull' });
const push = ({ session, signal }: Model) => pushOnce(session, { signal });

const sizesHere = (size: number, from: number, to: number) =>
  `UPDATE clarify.thing SET size = ${size}
    WHERE id IN (SELECT id FROM clarify.thing ORDER BY id OFFSET ${from} LIMIT ${to - from})`;

const waiting = async () => {
  const [row] = await model.sql(
    `SELECT count(*)::int AS n FROM clarify_sync.outbox WHERE state IN ('pending', 'sending', 'parked')`,
  );
  return Number(row?.['n']);
};

const watermark = async () => {
  const [row] = await model.sql(`SELECT updated_watermark FROM clarify_sync.cursor`);
  return Number(row?.['updated_watermark']);
};

describe.each([
  ['created', PAGES + 4],
  ['nothing', 16 * PAGES],
] as const)('in the order of %s', { timeout: 120_000 }, (sortedBy, most) => {
  beforeEach(() => open(sortedBy));

  test('what was edited within the last minute is proven, and the watermark moves', async () => {
    const before = await watermark();
    const runs = await pull(model);
    expect(runs).toMatchObject([{ state: 'ok', counts: { updated: CROWD } }]);
    expect(model.crm.pages).toBeLessThanOrEqual(most);
    expect(await watermark()).toBeGreaterThan(before);
  });

  test('a few rows wait for no more of it than they would cost themselves', async () => {
    const { crm } = model;
    await model.sql(sizesHere(901, CROWD - 5, CROWD + 5));
    await push(model);
    expect(await waiting()).toBe(0);
    expect(crm.overwritten).toEqual([]);
    expect(crm.pages + crm.reads).toBeLessThanOrEqual(20);
  });

  test('many rows are sent while others go on editing', async () => {
    const { crm } = model;
    let n = 0;
    crm.beforePage = () => {
      n += 1;
      for (let i = 0; i < 3; i += 1) crm.edit(ids[(n * 31 + i * 977) % THINGS] ?? '', { size: -n });
    };
    await model.sql(sizesHere(901, 300, 1_500));
    await push(model);
    expect(await waiting()).toBe(0);
    // By themselves, with as many requests of the list as that at most.
    expect(crm.pages + crm.reads).toBeLessThanOrEqual(2 * 1_200);
  });
});
