import type { Json } from './json.ts';
import type { RemoteRecord, WrittenBy } from './record.ts';
import type { Field } from './schema.ts';
import { isAlike, PART, partOf, withPart } from './told-value.ts';

/** One field that somebody changed in the CRM, as the record's history tells it. */
export interface FieldWrite {
  readonly field: string;
  /** Where inside the field's value, where only a part of it was changed: keys, and indexes. */
  readonly within: readonly string[];
  /** What it became; null where it was taken out, undefined where that is not told. */
  readonly value: Json | undefined;
  /** What it was before; null where there was none, undefined where that is not told. */
  readonly was: Json | undefined;
  /** Whether the record was created with it. */
  readonly isBirth: boolean;
  readonly atMs: number;
  readonly by: string | null;
}

/** What the CRM tells of a record's past, as far as that was read. */
export interface RecordHistory {
  /** Newest first. */
  readonly writes: readonly FieldWrite[];
  /** Records that went into this one, newest first: which fields that changed is not told. */
  readonly merges: readonly WrittenBy[];
  /** When the newest event of any kind happened; null where there is none. */
  readonly newestMs: number | null;
  /** It reaches back to the creation, and every event says what it changed. */
  readonly isWhole: boolean;
}

/** A record's history may be stamped a little apart from the record itself. */
const APART_MS = 2_000;

/**
 * The write that a field's value comes from: the newest one of the field that is not ahead of the
 * version read, and no older one. It explains the value where it made it so, give or take what the
 * CRM makes of what is written to it; or where the history is up to the version read, so that no
 * later write is missing from it. A merge explains what no write does.
 *
 * @returns null where the history does not tell.
 */
export function writeOf(
  field: Field,
  read: { readonly value: Json; readonly versionMs: number | null },
  history: RecordHistory,
): WrittenBy | null {
  const { value, versionMs } = read;
  const writes = history.writes.filter((write) => write.field === field.name);
  const merge = history.merges[0];
  for (const write of writes) {
    // Of one moment all parts count: a name is written first and last.
    const together = writes.filter(({ atMs }) => atMs === write.atMs);
    if (together.some((one) => explains(field, one, value))) return writtenBy(write);
    if (merge !== undefined && merge.atMs >= write.atMs) return merge;
    if (isAhead(field, write, read)) continue;
    const isCurrent = versionMs !== null && (history.newestMs ?? -Infinity) >= versionMs - APART_MS;
    return isCurrent ? writtenBy(write) : null;
  }
  return merge ?? null;
}

function writtenBy({ atMs, by }: FieldWrite): WrittenBy {
  return { atMs, by };
}

/** Whether the version read is from before this write. */
function isAhead(
  field: Field,
  write: FieldWrite,
  { value, versionMs }: { readonly value: Json; readonly versionMs: number | null },
): boolean {
  if (versionMs !== null && write.atMs > versionMs + APART_MS) return true;
  const mayBe = versionMs === null || write.atMs >= versionMs - APART_MS;
  if (!mayBe || write.was === undefined) return false;
  return explains(field, { ...write, value: write.was, was: write.value }, value);
}

/** Whether this write may have made the field what it is. */
function explains(field: Field, { within, value: told, was }: FieldWrite, value: Json): boolean {
  if (told === undefined) return false;
  if (within.length === 0) return isAlike(field, told, value);
  if (field.kind !== 'texts') return isAlike(PART, told, partOf(value, within));
  // Items move when others come and go: what counts is which there are.
  const items: readonly Json[] = Array.isArray(value) ? value : [];
  const holds = (item: Json) => items.some((one) => isAlike(field, item, one));
  return told === null ? was !== undefined && was !== null && !holds(was) : holds(told);
}

/** What a record held when it was created. */
export interface Birth {
  readonly fields: Readonly<Record<string, Json>>;
  /** Whether the history reaches back to the creation, so that nothing else can have been. */
  readonly isTold: boolean;
  /** Fields of which that is certain, whatever is not told of others. */
  readonly certain?: ReadonlySet<string>;
}

/** By the times of its values: what has stood since it was saved first. Null where they do not tell. */
export function birthByValues({ fields, writes, savedAt }: RemoteRecord): Birth | null {
  if (writes === undefined || savedAt == null) return null;
  const savedMs = Date.parse(savedAt);
  const first = Object.entries(fields).filter(([name]) => {
    const write = Object.hasOwn(writes, name) ? writes[name] : undefined;
    return write !== undefined && write.atMs <= savedMs;
  });
  return {
    fields: Object.fromEntries(first),
    isTold: false,
    certain: new Set(first.map(([name]) => name)),
  };
}

/** Takes back what a history tells of a record; what it leaves open is not among the fields. */
export function birthOf(record: RemoteRecord, history: RecordHistory): Birth {
  const fields = new Map(Object.entries(record.fields));
  const open = new Set<string>();
  for (const write of history.writes) {
    const { field, within, isBirth } = write;
    const before = isBirth ? write.value : write.was;
    if (before === undefined) {
      open.add(field);
      fields.delete(field);
    } else if (within.length === 0) {
      open.delete(field);
      fields.set(field, before);
    } else if (!open.has(field)) {
      const isBack = !isBirth && write.value === null;
      fields.set(field, withPart(fields.get(field) ?? null, within, { part: before, isBack }));
    }
  }
  return { fields: Object.fromEntries(fields), isTold: history.isWhole && open.size === 0 };
}
