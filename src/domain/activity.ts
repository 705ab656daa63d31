import type { Json } from './json.ts';

export const ACTIVITY_KINDS = [
  'create',
  'update',
  'delete',
  'merge',
  'link',
  'unlink',
  'other',
] as const;
export type ActivityKind = (typeof ACTIVITY_KINDS)[number];

/** One difference that an event tells of. */
export interface ActivityChange {
  /** Null where no field is named. */
  readonly field: string | null;
  /** Where inside the field's value: keys, and indexes; empty for all of it. */
  readonly path: readonly (string | number)[];
  /** What it became; null where there is none any more, undefined where that is not told. */
  readonly value: Json | undefined;
  /** What it was before, likewise. */
  readonly was: Json | undefined;
  readonly op: 'add' | 'update' | 'delete' | null;
}

/** One event of a record's past. */
export interface Activity {
  /** Another event of the record may have it; one that also agrees in time and type is this one. */
  readonly id: string;
  /** ISO-8601 with milliseconds, UTC. */
  readonly at: string;
  readonly actor: string | null;
  readonly kind: ActivityKind;
  /** The CRM's own word for it. */
  readonly type: string;
  /** In the order told; one that names no field where none is told of. */
  readonly changes: readonly ActivityChange[];
}

/** A part of what a record's past is told in, newest first. */
export interface ActivityPage {
  readonly activities: readonly Activity[];
  /** Where the next part begins; null at the end. It may begin a little earlier by then. */
  readonly next: number | null;
  /** Whether everything in it could be read. */
  readonly isLegible: boolean;
}

/** An event that says no more than that something happened. */
export const UNTOLD: ActivityChange = {
  field: null,
  path: [],
  value: undefined,
  was: undefined,
  op: null,
};
