import {
  type Activity,
  type ActivityChange,
  type ActivityKind,
  UNTOLD,
} from '../../domain/activity.ts';
import type { Json } from '../../domain/json.ts';
import type { EventReference, FeedEvent } from './read-event.ts';

/** An event of a record's feed, with everything it tells. */
export function toActivity(event: FeedEvent): Activity {
  const { id, at, actor, type } = event;
  const kind = kindOf(event);
  const changes = changesOf(event, kind);
  return { id, at, actor, kind, type, changes: changes.length === 0 ? [UNTOLD] : changes };
}

function kindOf({ type, isOther, link, differences }: FeedEvent): ActivityKind {
  if (type.includes('merge')) return 'merge';
  if (link !== null) return link.isCleared ? 'unlink' : 'link';
  if (isOther) return 'other';
  if (type === 'create' || type === 'update' || type === 'delete') return type;
  // Whatever it is called, it says what it changed.
  return differences.length > 0 ? 'update' : 'other';
}

function changesOf(event: FeedEvent, kind: ActivityKind): readonly ActivityChange[] {
  const differences = event.isOther ? [] : event.differences.map(asChange);
  switch (kind) {
    case 'create':
      return [...differences, ...bornWith(event)];
    case 'delete':
      return event.data === null ? differences : [{ ...UNTOLD, was: whole(event.data) }];
    case 'merge': {
      const { origin, target } = event;
      const value = { origin: origin?.id ?? null, target: target?.id ?? null };
      return [{ ...UNTOLD, value }, ...differences];
    }
    case 'link':
    case 'unlink':
      return [...linked(event), ...differences];
    case 'update':
      return differences;
    case 'other':
      return event.about === null ? [] : [{ ...UNTOLD, value: named(event.about) }];
  }
}

function asChange({ op, field, within, value, was }: FeedEvent['differences'][number]) {
  return { op, field, path: within, value, was };
}

/** What was empty is left out: it was not given. */
function bornWith({ data, differences }: FeedEvent): readonly ActivityChange[] {
  if (data === null) return [];
  const told = new Set(differences.map(({ field }) => field));
  const given = data.filter(({ field, value }) => value !== null && !told.has(field));
  if (given.length + told.size === 0) return [{ ...UNTOLD, value: {} }];
  return given.map(({ field, value }) => ({ field, path: [], value, was: null, op: 'add' }));
}

function whole(data: NonNullable<FeedEvent['data']>): Json {
  return Object.fromEntries(data.map(({ field, value }) => [field, value]));
}

/** One link to a field of many may be one that was taken away: nothing says so. */
function linked({ link }: FeedEvent): readonly ActivityChange[] {
  if (link === null) return [];
  const { field, kind, ids, isCleared } = link;
  const value = kind === 'reference' ? (isCleared ? null : ids[0]) : ids;
  return [{ ...UNTOLD, field, value }];
}

function named({ entity, id }: EventReference): Json {
  return { entity, id };
}
