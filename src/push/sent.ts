import { RemoteError } from '../domain/errors.ts';
import type { Json } from '../domain/json.ts';
import type { FieldChanges } from '../domain/merge-record.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { Outgoing } from './outgoing.ts';

/** The code of what the CRM took as part of a change, and does not show. */
export const NOT_KEPT = 'not-kept';

/** What came of one change. */
export type Sent =
  | {
      readonly kind: 'delivered';
      readonly change: Outgoing;
      readonly record: RemoteRecord | null;
      /** What of it the CRM passed over, and is sent once more. */
      readonly left?: FieldChanges;
      /** What of it the CRM does not keep: for a person. */
      readonly unkept?: FieldChanges;
      /** What shows another value, neither sent nor there before: that one, by field. */
      readonly supplanted?: Readonly<Record<string, Json>>;
    }
  /** The CRM refuses it, and will again. */
  | { readonly kind: 'refused'; readonly change: Outgoing; readonly error: RemoteError }
  /** The record is not there. */
  | { readonly kind: 'gone'; readonly change: Outgoing; readonly error: RemoteError }
  /** It did not arrive, or may arrive again without harm. */
  | { readonly kind: 'failed'; readonly change: Outgoing; readonly error: RemoteError }
  /** A create that cannot be told from another: it may have arrived. */
  | { readonly kind: 'unclear'; readonly change: Outgoing; readonly error: RemoteError }
  /** Not sent: an entry that is to free a value it needs is not settled. */
  | { readonly kind: 'waits'; readonly change: Outgoing; readonly waitsFor: bigint };

/** `what` of it does not show, as in `none of it shows`. */
export function notKept(change: Outgoing, what: string): RemoteError {
  const fields = Object.keys(change.changes);
  return new RemoteError(`${fields.join(', ')} was taken, and ${what}`, {
    code: NOT_KEPT,
    disposition: 'park',
    status: null,
    reason: `${fields.join(', ')} (${what})`,
  });
}
