import { type Json, parseJson } from '../../domain/json.ts';
import { quoteIdent } from '../../domain/names.ts';
import type { PastChange, PastEvent } from '../../domain/past/event.ts';
import type { SeenRecord } from '../../domain/past/record-past.ts';
import type { Field } from '../../domain/schema.ts';
import { partsOf } from '../../domain/told-value.ts';
import type { Sql } from '../connection/database.ts';
import { decodeExtra, extraKey } from '../mirror/extra.ts';
import type { MirrorTable } from '../mirror/table.ts';

/** The oldest version that a history has of a record, and what the CRM tells of the time before. */
export interface PastCandidate {
  readonly id: string;
  /** When the version began, as Postgres writes it; null where there is nothing to reach back from. */
  readonly seenFrom: string | null;
  readonly seen: SeenRecord;
  /** Those that the history has a column for. */
  readonly fields: readonly Field[];
  readonly events: readonly PastEvent[];
}

/** Where an object's history stands, ready for SQL. */
export function historyOf({ name }: MirrorTable): string {
  return `"{history}".${quoteIdent(name)}`;
}

/** Whether there is a history that can hold what nobody saw. */
export async function canReachBack(sql: Sql, { name }: MirrorTable): Promise<boolean> {
  const found = await sql.query(
    `SELECT 1 FROM pg_attribute
      WHERE attrelid = to_regclass(format('%I.%I', $1::text, $2::text))
        AND attname = '_reconstructed' AND NOT attisdropped`,
    [sql.schemas.history, name],
  );
  return found.length > 0;
}

interface VersionRow extends Record<string, unknown> {
  readonly id: string;
  readonly seenFrom: string | null;
  readonly sinceMs: string | null;
  readonly versionMs: string | null;
  readonly version: string | null;
  readonly isTold: boolean;
}

/**
 * Records whose feed was read since their history begins, and whose history does not reach back by
 * it yet, nor has to wait; of each the oldest version. By the indexes `activity_feed_past` and the key of the history.
 *
 * @param limit how many.
 */
export async function readCandidates(
  tx: Sql,
  mirror: MirrorTable,
  activities: string,
  limit: number,
): Promise<readonly PastCandidate[]> {
  const rows = await tx.query<VersionRow>(
    `SELECT f.record_id AS id, o._valid_from::text AS "seenFrom",
            floor(extract(epoch FROM o._valid_from) * 1000)::text AS "sinceMs",
            floor(extract(epoch FROM coalesce(o._updated_at, o._created_at)) * 1000)::text AS "versionMs",
            to_jsonb(o)::text AS version, f.is_whole OR NOT EXISTS (
              SELECT FROM ${activities} AS a
               WHERE a.record_id = f.record_id AND a.feed_id = f.record_id AND a.kind = 'create') AS "isTold"
       FROM {sync}.activity_feed AS f
       LEFT JOIN LATERAL (
         SELECT * FROM ${historyOf(mirror)} AS h
          WHERE h.id = f.record_id ORDER BY h._valid_from LIMIT 1) AS o ON true
      WHERE f.object = $1 AND f.past_at IS NULL AND f.read_version IS NOT NULL
        AND f.past_due_at <= clock_timestamp()
        AND (o.id IS NULL OR f.read_version >= coalesce(o._updated_at, o._created_at, 'epoch'))
      ORDER BY f.past_due_at, f.record_id LIMIT $2`,
    [mirror.object, limit],
  );
  const events = await readEvents(
    tx,
    mirror,
    activities,
    rows.filter(({ isTold }) => isTold).map(({ id }) => id),
  );
  return rows.map(({ id, seenFrom, sinceMs, versionMs, version }) => {
    const held = partsOf(toldJson(version) ?? null);
    // One that was reconstructed is the end of it.
    const isSeen = held.get('_reconstructed') === false;
    return {
      id,
      seenFrom: isSeen ? seenFrom : null,
      seen: {
        fields: new Map(
          mirror.columns.map(({ field, column }) => [
            field.name,
            valueOf(held, field.name, column),
          ]),
        ),
        mergedIds: textsOf(held.get('_merged_ids') ?? null),
        sinceMs: Number(sinceMs),
        versionMs: versionMs === null ? null : Number(versionMs),
      },
      fields: mirror.columns.flatMap(({ field, column, parts }) =>
        [column, ...parts.map((part) => part.column)].every((name) => held.has(name))
          ? [field]
          : [],
      ),
      events: events.get(id) ?? [],
    };
  });
}

/** What a version holds of a field: where its column could not hold it, it stands in `_extra`. */
function valueOf(held: ReadonlyMap<string, Json>, field: string, column: string): Json {
  const extra = partsOf(held.get('_extra') ?? null).get(extraKey(field));
  return extra === undefined ? (held.get(column) ?? null) : decodeExtra(extra);
}

function textsOf(value: Json): string[] {
  if (!Array.isArray(value)) return [];
  return value.filter((item: Json) => typeof item === 'string');
}

interface EventRow extends Record<string, unknown> {
  readonly id: string;
  readonly eventId: string;
  readonly atMs: string;
  readonly actor: string | null;
  readonly kind: string;
  readonly field: string | null;
  readonly path: string | null;
  readonly value: string | null;
  readonly was: string | null;
}

/** What the CRM tells of these records themselves, and not of others that went into them. */
async function readEvents(
  tx: Sql,
  mirror: MirrorTable,
  activities: string,
  ids: readonly string[],
): Promise<ReadonlyMap<string, readonly PastEvent[]>> {
  if (ids.length === 0) return new Map();
  const rows = await tx.query<EventRow>(
    `SELECT record_id AS id, event_id AS "eventId", actor, kind, field,
            floor(extract(epoch FROM at) * 1000)::text AS "atMs",
            path::text AS path, value::text AS value, was::text AS was
       FROM ${activities}
      WHERE record_id = ANY($1::text[]) AND feed_id = record_id AND kind <> 'other'
      ORDER BY record_id, at, event_id, position`,
    [ids],
  );
  const fieldsByColumn = new Map(mirror.columns.map(({ field, column }) => [column, field.name]));
  const byRecord = new Map<string, PastEvent[]>();
  for (let at = 0; at < rows.length; ) {
    const [first, ...others] = sameEvent(rows, at);
    if (first === undefined) break;
    const event = asEvent([first, ...others], fieldsByColumn);
    byRecord.set(first.id, [...(byRecord.get(first.id) ?? []), event]);
    at += 1 + others.length;
  }
  return byRecord;
}

function sameEvent(rows: readonly EventRow[], from: number): readonly EventRow[] {
  const first = rows[from];
  let to = from + 1;
  while (to < rows.length && rows[to]?.id === first?.id && rows[to]?.eventId === first?.eventId) {
    to += 1;
  }
  return rows.slice(from, to);
}

function asEvent(
  rows: readonly [EventRow, ...EventRow[]],
  fieldsByColumn: ReadonlyMap<string, string>,
): PastEvent {
  const [{ atMs, actor, kind, value }] = rows;
  const changes = rows.flatMap((row): PastChange[] => {
    if (row.field === null) return [];
    const path = row.path === null ? [] : parseJson(row.path);
    return [
      {
        field: fieldsByColumn.get(row.field) ?? row.field,
        within: Array.isArray(path) ? path.filter(isStep) : [],
        value: toldJson(row.value),
        was: toldJson(row.was),
      },
    ];
  });
  return {
    atMs: Number(atMs),
    by: actor,
    kind: kindOf(kind),
    changes,
    // Told, and of nothing: a creation without any field.
    isTold: changes.length > 0 || (kind === 'create' && value !== null),
  };
}

function isStep(step: unknown): step is string | number {
  return typeof step === 'string' || typeof step === 'number';
}

function toldJson(text: string | null): Json | undefined {
  if (text === null) return undefined;
  const value = parseJson(text);
  return isJson(value) ? decodeExtra(value) : null;
}

/** Whatever a JSON parser gives is Json. */
function isJson(parsed: unknown): parsed is Json {
  return parsed !== undefined;
}

function kindOf(kind: string): PastEvent['kind'] {
  switch (kind) {
    case 'create':
    case 'update':
    case 'delete':
    case 'merge':
      return kind;
    case 'link':
    case 'unlink':
      return 'link';
    default:
      return 'other';
  }
}
