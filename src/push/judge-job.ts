import { RemoteError } from '../domain/errors.ts';
import type { Json } from '../domain/json.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { ObjectSchema } from '../domain/schema.ts';
import { evidenceOfChange, notShown, undeleted } from './confirm-answers.ts';
import type { Outgoing } from './outgoing.ts';
import { notKept, type Sent } from './sent.ts';

export interface JobEnd {
  readonly outcome: 'completed' | 'failed';
  /** What does not show by now never will: a late write has had its time. */
  readonly isFinal: boolean;
  /** A change that was out so often was out alone, the last times. */
  readonly mostAttempts: number;
  /** In how many forms a value may have to be cleared before it is; default one. */
  readonly clearings?: number | undefined;
  /** Of the CRM, for messages. */
  readonly title: string;
}

function isNone(value: Json): boolean {
  return value === null || (Array.isArray(value) && value.length === 0);
}

/**
 * What a job has made of one change, by the record as it is shown whole, or by its absence. Of one
 * that completed, what does not show was passed over, and would be again: that is for a person. Of
 * one that failed it was not come to, and goes again.
 *
 * @returns null where it does not show, and still may.
 */
export function judgeByRecord(
  schema: ObjectSchema,
  change: Outgoing,
  record: RemoteRecord | null,
  end: JobEnd,
): Sent | null {
  if (change.kind === 'delete') {
    if (record === null) return { kind: 'delivered', change, record };
    return end.isFinal ? undeleted(end.title, schema, change) : null;
  }
  const left = record === null ? null : notShown(schema, change, record);
  if (record !== null && left !== null && Object.keys(left).length === 0) {
    return { kind: 'delivered', change, record, supplanted: supplanted(schema, change, record) };
  }
  if (!end.isFinal) return null;
  const clears = left !== null && Object.values(left).some(({ value }) => isNone(value));
  // What does not clear in one form may do so in another.
  if (clears && change.attempts < (end.clearings ?? 1)) {
    return { kind: 'failed', change, error: jobFailed(schema) };
  }
  const isCreate = change.kind === 'create';
  const hasSome = left !== null && Object.keys(left).length < Object.keys(change.fields).length;
  if (record !== null && left !== null && (isCreate || hasSome)) {
    const rest = end.outcome === 'completed' ? { unkept: left } : { left };
    const others = supplanted(schema, change, record);
    return { kind: 'delivered', change, record, ...rest, supplanted: others };
  }
  if (end.outcome === 'completed') {
    const what = record === null ? 'its record is not there' : 'none of it shows';
    return { kind: 'refused', change, error: notKept(change, what) };
  }
  const isOver = change.attempts >= end.mostAttempts;
  return { kind: isOver ? 'refused' : 'failed', change, error: jobFailed(schema) };
}

/**
 * Fields that show what nobody here has sent. Either the CRM made it of what was sent, or somebody
 * edited the record before a job that passed the field over: nothing tells which, so that it is not
 * to happen in silence.
 */
function supplanted(
  schema: ObjectSchema,
  change: Outgoing,
  record: RemoteRecord,
): Readonly<Record<string, Json>> {
  return Object.fromEntries(
    evidenceOfChange(schema, change, record)
      .filter(({ evidence, isSent }) => evidence === 'taken' && !isSent)
      .map(({ name, shown }) => [name, shown ?? null]),
  );
}

/** Of a change whose record has become another since: that one is written instead. */
export function movedOn(schema: ObjectSchema, change: Outgoing): Sent {
  return { kind: 'failed', change, error: jobFailed(schema) };
}

/** Of a change whose record was found to be deleted while it was out (invariant 6). */
export function deleted({ object }: ObjectSchema, change: Outgoing): Sent {
  const error = new RemoteError(`a record of ${object} was deleted while its change was out`, {
    code: 'remote-not-found',
    disposition: 'park',
    status: null,
  });
  return { kind: 'gone', change, error };
}

function jobFailed({ object }: ObjectSchema): RemoteError {
  return new RemoteError(`a job with a change of a ${object} failed, and did not come to it`, {
    code: 'job-failed',
    disposition: 'retry',
    status: null,
  });
}
