import { isDeepStrictEqual } from 'node:util';
import type { Session } from '../../src/app/session.ts';
import { ownView } from '../../src/db/mirror/links.ts';
import { asWritten } from './schemas.ts';
import type { TestWorkspace } from './workspace.ts';

/** What is compared. */
type Sides = Pick<TestWorkspace, 'emulator' | 'sql'> & {
  readonly session: Pick<Session, 'tables' | 'links'>;
};

/**
 * Every difference between Clarify and the mirror, in words; empty where both sides agree. Reads
 * the emulator's records themselves, not through our client, so that it does not share the
 * client's misreadings.
 */
export async function differences(workspace: Sides): Promise<string[]> {
  const found: string[] = [];
  for (const table of workspace.session.tables) {
    const { object } = table;
    const rows = await workspace.sql(
      asWritten(`SELECT id, to_jsonb(t) AS row FROM ${table.qualified} AS t ORDER BY id`),
    );
    const byId = new Map(rows.map(({ id, row }) => [String(id), row as Record<string, unknown>]));
    const { store } = workspace.emulator;
    const records = store.objects().includes(object) ? store.all(object) : [];
    for (const { id, attributes } of records) {
      const row = byId.get(id);
      byId.delete(id);
      if (!row) {
        found.push(`${object} ${id}: missing in the mirror`);
        continue;
      }
      for (const { field, column } of table.columns) {
        const remote = simplify(field.kind, attributes[field.name] ?? null);
        // What its column cannot hold stands in `_extra`.
        const extra = (row['_extra'] ?? {}) as Record<string, unknown>;
        const local = simplify(field.kind, row[column] ?? extra[field.name] ?? null);
        if (!isDeepStrictEqual(remote, local)) {
          found.push(`${object} ${id} ${field.name}: ${JSON.stringify({ remote, local })}`);
        }
      }
    }
    for (const id of byId.keys()) found.push(`${object} ${id}: not in Clarify`);
  }
  return found;
}

/** Every link that one side has and the other has not, in words; empty where both sides agree. */
export async function linkDifferences(workspace: Sides): Promise<string[]> {
  const { emulator, session, sql } = workspace;
  const found: string[] = [];
  for (const link of session.links) {
    const view = ownView(link);
    if (view === null) continue;
    const { here, there } = view;
    const rows = await sql(
      asWritten(
        `SELECT "${here.column}" AS here, "${there.column}" AS there FROM ${link.qualified}`,
      ),
    );
    const local = new Set(rows.map((row) => `${String(row.here)} ${String(row.there)}`));
    for (const id of emulator.store.ids(here.object)) {
      for (const other of emulator.store.linked(here.object, id, here.field)) {
        if (!local.delete(`${id} ${other}`)) found.push(`${link.name} ${id} ${other}: missing`);
      }
    }
    for (const row of local) found.push(`${link.name} ${row}: not in Clarify`);
  }
  return found;
}

function simplify(kind: string, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  switch (kind) {
    case 'timestamp':
      return typeof value === 'string' ? Date.parse(value) : value;
    case 'number':
      return Number(value).toFixed(4);
    case 'texts': {
      const items = Array.isArray(value) ? value : (value as { items?: unknown }).items;
      return Array.isArray(items) && items.length > 0 ? items : null;
    }
    default:
      return isEmpty(value) ? null : value;
  }
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const items = (value as { items?: unknown }).items;
  return (
    (Array.isArray(value) && value.length === 0) || (Array.isArray(items) && items.length === 0)
  );
}
