import type { Sql } from '../db/database.ts';
import { readWaitingLinks } from '../db/link-outbox.ts';
import { readLocalIds } from '../db/local-ids.ts';
import type { MirrorTable } from '../db/mirror/table.ts';
import { readWaiting } from '../db/outbox-review.ts';
import { coalesceLinks } from '../domain/coalesce-links.ts';
import type { Json } from '../domain/json.ts';
import {
  coalesceAll,
  localReferences,
  type Outgoing,
  prepare,
  type Resolution,
} from '../push/outgoing.ts';

/** What a push would do to one record. */
export interface PreviewedChange {
  readonly object: string;
  readonly recordId: string;
  readonly action: Outgoing['kind'] | 'link' | 'unlink';
  /** Outbox entries that end with it. */
  readonly entries: readonly bigint[];
  readonly fields: readonly {
    readonly field: string;
    /** As both sides last agreed. */
    readonly from: Json;
    readonly to: Json;
  }[];
}

export interface PushPreview {
  readonly changes: readonly PreviewedChange[];
  /** Entries that have to wait for others, or for a person. */
  readonly waiting: number;
}

/** Records shown per object at most: a preview is for reading. */
const RECORDS = 1_000;

/**
 * What a push would send as things stand, in the order in which it would: claims nothing, asks
 * the CRM nothing, so what it changed meanwhile is not merged in yet.
 */
export async function previewPush(
  sql: Sql,
  tables: readonly MirrorTable[],
  options: {
    readonly objects?: readonly string[] | undefined;
    readonly matchOn: (table: MirrorTable) => string | null;
  },
): Promise<PushPreview> {
  const changes: PreviewedChange[] = [];
  const earlier = new Set<string>();
  let waiting = 0;
  for (const table of tables) {
    if (options.objects === undefined || options.objects.includes(table.object)) {
      const records = coalesceAll(await readWaiting(sql, table.object, RECORDS));
      const resolve = await resolver(sql, table, { records, earlier });
      const matchOn = options.matchOn(table);
      const context = { resolve, earlier: new Set(earlier), matchOn };
      const { outgoing, settled } = prepare(table.schema, records, context);
      changes.push(...outgoing.map((one) => describe(table.object, one)));
      for (const { ids, outcome } of settled) {
        if (outcome.state === 'pending' || outcome.state === 'parked') waiting += ids.length;
      }
    }
    earlier.add(table.object);
  }
  changes.push(...(await previewLinks(sql, options.objects ?? null)));
  return { changes, waiting };
}

/** Links come after the records, one line each. */
async function previewLinks(
  sql: Sql,
  objects: readonly string[] | null,
): Promise<readonly PreviewedChange[]> {
  const waiting = await readWaitingLinks(sql, objects, RECORDS);
  return waiting.flatMap(({ object, field, recordId, entries }) =>
    coalesceLinks(entries).flatMap(({ kind, other, entry, earlier }): PreviewedChange[] => {
      if (kind === 'nothing') return [];
      const fields = kind === 'link' ? { from: null, to: other } : { from: other, to: null };
      const change = { object, recordId, action: kind, entries: [...earlier, entry] };
      return [{ ...change, fields: [{ field, ...fields }] }];
    }),
  );
}

/** What is created earlier in the same push will be known by then. */
async function resolver(
  sql: Sql,
  table: MirrorTable,
  of: {
    readonly records: ReturnType<typeof coalesceAll>;
    readonly earlier: ReadonlySet<string>;
  },
): Promise<(object: string, id: string) => Resolution> {
  const known = new Map<string, Resolution>();
  for (const [object, ids] of localReferences(table.schema, of.records)) {
    for (const { localId, id, entry, parked } of await readLocalIds(sql, object, [...ids])) {
      const name = `${object} ${localId}`;
      if (id !== null) known.set(name, { kind: 'known', id });
      else if (entry === null) continue;
      else if (!parked && of.earlier.has(object)) known.set(name, { kind: 'known', id: localId });
      else known.set(name, { kind: 'waiting', entry, parked });
    }
  }
  return (object, id) => known.get(`${object} ${id}`) ?? { kind: 'unknown' };
}

function describe(object: string, { kind, recordId, entries, fields, changes }: Outgoing) {
  const shown = kind === 'delete' ? [] : Object.entries(fields);
  return {
    object,
    recordId,
    action: kind,
    entries,
    fields: shown.map(([field, to]) => ({ field, from: changes[field]?.base ?? null, to })),
  };
}
