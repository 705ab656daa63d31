import type { FieldWrite } from '../../domain/field-write.ts';
import type { WrittenBy } from '../../domain/record.ts';
import { type FeedEvent, type FeedOf, readItem } from './read-event.ts';

/** What one event of a feed tells of who wrote what into the record. */
export interface ToldEvent {
  readonly atMs: number;
  /** The last of its differences first. */
  readonly writes: readonly FieldWrite[];
  readonly merge: WrittenBy | null;
  readonly isBirth: boolean;
  /** It changed something, and does not say what. */
  readonly isVague: boolean;
}

/** One item of a feed: what does not look as it should tells nothing, and is left out. */
export function readActivity(feed: FeedOf, item: unknown): readonly ToldEvent[] {
  return readItem(feed, item).events.map((event): ToldEvent => {
    const { at, actor, type, isOther, differences } = event;
    const by: WrittenBy = { atMs: Date.parse(at), by: actor };
    // What went into this record tells of itself under its own id, and not of this one.
    const writes = isOther ? [] : readWrites(event, by);
    const link = readLink(event, by);
    const isMerge = type.includes('merge');
    return {
      atMs: by.atMs,
      writes: link === null ? writes : [link, ...writes],
      merge: isMerge ? by : null,
      isBirth: type === 'create' && !isOther,
      isVague: isMerge || (type === 'update' && !isOther && differences.length === 0),
    };
  });
}

function readWrites({ type, differences, data }: FeedEvent, by: WrittenBy): FieldWrite[] {
  const isBirth = type === 'create';
  const writes = differences.flatMap(({ field, kind, within, value, was }): FieldWrite[] =>
    kind === undefined ? [] : [{ field, within: within.map(String), value, was, isBirth, ...by }],
  );
  const told = new Set(writes.map(({ field }) => field));
  const born = isBirth ? (data ?? []) : [];
  const rest = born.flatMap(({ field, kind, value }): FieldWrite[] => {
    if (kind === undefined || told.has(field)) return [];
    return [{ field, within: [], value, was: null, isBirth, ...by }];
  });
  return [...writes, ...rest].toReversed();
}

/** A to-one link that was set or cleared, where the event names its field. */
function readLink({ link }: FeedEvent, by: WrittenBy): FieldWrite | null {
  if (link === null || link.kind !== 'reference') return null;
  const value = link.isCleared ? null : link.ids[0];
  return { field: link.field, within: [], value, was: undefined, isBirth: false, ...by };
}
