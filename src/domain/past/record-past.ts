import { equalValues } from '../equal.ts';
import type { Json } from '../json.ts';
import type { Field } from '../schema.ts';
import { newestFirst, type PastEvent } from './event.ts';
import { fieldPast } from './field-past.ts';
import { MERGED, type Span } from './rules.ts';

/** A record as it was first seen. */
export interface SeenRecord {
  readonly fields: ReadonlyMap<string, Json>;
  readonly mergedIds: readonly string[];
  /** Since when it was seen, epoch milliseconds. */
  readonly sinceMs: number;
  /** The version that was seen, by the CRM's clock; null where it does not tell. */
  readonly versionMs: number | null;
}

/** What a record was before it was first seen. */
export interface PastVersion {
  readonly fromMs: number;
  readonly toMs: number;
  /** Whether it begins with the record's creation. */
  readonly isBirth: boolean;
  /** Who began it. */
  readonly by: string | null;
  /** Every field that is known, and `_merged_ids` where that is. */
  readonly values: ReadonlyMap<string, Json>;
  /** Fields of which nobody knows what they held. */
  readonly unknown: readonly string[];
}

/**
 * The versions of a record before it was first seen, oldest first and without a gap: each event
 * taken back from what stood after it. They reach back to its creation, or as far as anything is
 * known; nothing is made up, and what is not known of a version is named. Fields with links to
 * many have no part in it.
 */
export function recordPast(
  fields: readonly Field[],
  seen: SeenRecord,
  events: readonly PastEvent[],
): readonly PastVersion[] {
  const { sinceMs, versionMs } = seen;
  // What the CRM's clock has before the version that was seen is in it, whatever ours says.
  const limitMs = Math.max(sinceMs, versionMs === null ? sinceMs : versionMs + 1);
  const ordered = newestFirst(events.filter(({ atMs }) => atMs < limitMs));
  const kept = fields.filter(({ kind }) => kind !== 'references');
  const pasts = [MERGED, ...kept].map((field) => {
    const value = field === MERGED ? seen.mergedIds : (seen.fields.get(field.name) ?? null);
    return { field, spans: fieldPast({ field, value, sinceMs, versionMs }, ordered) };
  });
  const starts = new Set(pasts.flatMap(({ spans }) => spans.map(({ fromMs }) => fromMs)));
  const versions: PastVersion[] = [];
  let toMs = sinceMs;
  for (const fromMs of [...starts].filter((ms) => ms < sinceMs).toSorted((a, b) => b - a)) {
    const version = versionAt(pasts, { fromMs, toMs }, ordered);
    versions.push(version);
    toMs = fromMs;
  }
  const first = versions.findLastIndex((version) => isAnythingKnown(version));
  return joined(versions.slice(0, first + 1).toReversed(), kept);
}

interface FieldPast {
  readonly field: Field;
  readonly spans: readonly Span[];
}

function versionAt(
  pasts: readonly FieldPast[],
  { fromMs, toMs }: { readonly fromMs: number; readonly toMs: number },
  events: readonly PastEvent[],
): PastVersion {
  const values = new Map<string, Json>();
  const unknown: string[] = [];
  for (const { field, spans } of pasts) {
    const value = spans.find((span) => span.fromMs <= fromMs && fromMs < span.toMs)?.value;
    if (value === undefined) unknown.push(field.name);
    else values.set(field.name, value);
  }
  const begun = events.filter(({ atMs }) => atMs === fromMs);
  const birth = begun.find(({ kind }) => kind === 'create');
  const by = (begun[0] ?? birth)?.by ?? null;
  return { fromMs, toMs, isBirth: birth !== undefined, by, values, unknown };
}

function isAnythingKnown({ values }: PastVersion): boolean {
  return values.size > (values.has(MERGED.name) ? 1 : 0);
}

/** Two versions that say the same are one. */
function joined(versions: readonly PastVersion[], fields: readonly Field[]): PastVersion[] {
  const kept: PastVersion[] = [];
  for (const version of versions) {
    const before = kept.at(-1);
    if (before !== undefined && isSame(before, version, fields)) {
      kept.splice(-1, 1, { ...before, toMs: version.toMs });
    } else kept.push(version);
  }
  return kept;
}

function isSame(a: PastVersion, b: PastVersion, fields: readonly Field[]): boolean {
  return [MERGED, ...fields].every((field) => {
    const [left, right] = [a.values.get(field.name), b.values.get(field.name)];
    if (left === undefined || right === undefined) return left === right;
    return equalValues(field, left, right);
  });
}
