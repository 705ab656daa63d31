import { afterAll, beforeAll, expect, test } from 'vitest';
import { backfillObject } from '../../src/backfill/backfill-object.ts';
import type { RemoteRecord } from '../../src/domain/record.ts';
import type { Page, PageRequest, Remote } from '../../src/domain/remote.ts';
import { openWorkspace, type TestWorkspace } from '../support/workspace.ts';

let workspace: TestWorkspace;
const UNDATED = 60;

beforeAll(async () => {
  const none = { company: 0, deal: 0, task: 0, meeting: 0, message: 0, c_project: 0 };
  workspace = await openWorkspace({
    emulator: { sizes: { ...none, person: 300 }, switches: { pageMax: 25 } },
  });
});
afterAll(() => workspace.stop());

/** The emulator's records, and others that have no `_created_at`: no filter matches those. */
function withUndated(remote: Remote, order: 'first' | 'last', undated: RemoteRecord[]): Remote {
  return {
    ...remote,
    get limits() {
      return remote.limits;
    },
    get clock() {
      return remote.clock;
    },
    async readPage(request: PageRequest, options): Promise<Page> {
      if (request.from !== undefined || request.orderBy === 'updated') {
        return await remote.readPage(request, options);
      }
      const { offset, limit } = request;
      const { total } = await remote.readPage({ ...request, offset: 0, limit: 1 }, options);
      const dated = total ?? 0;
      // Nulls sort the other way round in a list that is turned round.
      const isFirst = (order === 'first') === (request.direction === 'asc');
      const own = isFirst ? offset : offset - dated;
      const shown = undated.slice(Math.max(0, own), Math.max(0, own + limit));
      const rest = isFirst ? Math.max(0, offset - undated.length) : offset;
      const more = limit - shown.length;
      const page =
        more > 0 && rest < dated
          ? await remote.readPage({ ...request, offset: rest, limit: more }, options)
          : { records: [] };
      const records = isFirst ? [...shown, ...page.records] : [...page.records, ...shown];
      const all = dated + undated.length;
      return { records, total: all, more: offset + records.length < all };
    },
  };
}

test.each(['first', 'last'] as const)(
  'records without a date are read where they sort %s',
  async (order) => {
    const { session, signal, sql } = workspace;
    const table = session.tables.find(({ object }) => object === 'person');
    if (table === undefined) throw new Error('no people');
    const undated = Array.from({ length: UNDATED }, (_, n): RemoteRecord => {
      const nobody = { createdAt: null, updatedAt: null, createdBy: null, updatedBy: null };
      const fields = { job_title: `undated ${order}` };
      return { id: `undated-${order}-${n}`, fields, mergedIds: [], links: {}, ...nobody };
    });
    const remote = withUndated(session.remote, order, undated);
    const deps = {
      db: session.db,
      remote,
      policyOf: session.policyOf,
      links: session.links,
      linkRefusals: session.linkRefusals,
      nowMs: session.nowMs,
    };
    const options = { signal, priority: 'backfill', restart: true } as const;
    expect(await backfillObject(deps, table, options)).toMatchObject({ state: 'ok' });
    const [row] = await sql(
      'SELECT count(*)::int AS rows FROM clarify.person WHERE job_title = $1',
      [`undated ${order}`],
    );
    expect(row).toEqual({ rows: UNDATED });
  },
);
