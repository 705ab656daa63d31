import type { Echoes } from '../conflicts/read-object.ts';
import { equalJson } from '../domain/equal.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { Sent } from './sent.ts';

/** What was answered to the writes of one claim, and comes again with the list. */
export interface Answers extends Echoes {
  note(sent: readonly Sent[]): void;
}

/**
 * An answer is written down with the entries that it settles, or put aside with them: what a list tells of
 * the same version changes nothing. A version is known by its date and every field: a date alone may
 * be that of several, and where there is none nothing tells.
 */
export function createEchoes(): Answers {
  const answered = new Map<string, RemoteRecord>();
  return {
    get count() {
      return answered.size;
    },
    note(sent) {
      for (const one of sent) {
        if (one.kind === 'delivered' && one.record !== null)
          answered.set(one.record.id, one.record);
      }
    },
    has(record) {
      const answer = answered.get(record.id);
      return answer !== undefined && record.updatedAt !== null && isSame(answer, record);
    },
  };
}

function isSame(answer: RemoteRecord, told: RemoteRecord): boolean {
  return (
    answer.updatedAt === told.updatedAt &&
    answer.createdAt === told.createdAt &&
    answer.createdBy === told.createdBy &&
    answer.updatedBy === told.updatedBy &&
    equalJson(answer.mergedIds, told.mergedIds) &&
    Object.entries(told.fields).every(([field, value]) => {
      const known = Object.hasOwn(answer.fields, field) ? answer.fields[field] : undefined;
      return known !== undefined && equalJson(known, value);
    })
  );
}
