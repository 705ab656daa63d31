import type { Json } from '../../domain/json.ts';
import type { RemoteRecord } from '../../domain/record.ts';

/** The likelier form of a value that is taken away, or the other one. */
export type Clearing = 'likely' | 'other';

/**
 * How a value is taken away, of each object: by null or by an empty text, and the other one is
 * ignored or refused. Nobody says for certain which, so whichever did not work gives way to the other.
 */
export interface ClearingForms {
  first(object: string): Clearing;
  other(object: string): Clearing;
  /** The other one worked where the first did not. */
  learn(object: string): void;
  /** What was to be cleared and still shows; null where all of it went. */
  notCleared(
    sent: Readonly<Record<string, Json>>,
    record: RemoteRecord,
  ): Readonly<Record<string, Json>> | null;
}

export function createClearingForms(): ClearingForms {
  const learned = new Map<string, Clearing>();
  const first = (object: string) => learned.get(object) ?? 'likely';
  const other = (object: string): Clearing => (first(object) === 'likely' ? 'other' : 'likely');
  return {
    first,
    other,
    learn(object) {
      learned.set(object, other(object));
    },
    notCleared(sent, { fields }) {
      const kept = Object.entries(sent).filter(
        ([name, value]) => isNone(value) && !isNone(fields[name] ?? null),
      );
      return kept.length === 0 ? null : Object.fromEntries(kept);
    },
  };
}

function isNone(value: Json): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}
