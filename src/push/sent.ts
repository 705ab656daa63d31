import type { RemoteError } from '../domain/errors.ts';
import type { FieldChanges } from '../domain/merge-record.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { Outgoing } from './outgoing.ts';

/** What came of one change. */
export type Sent =
  | {
      readonly kind: 'delivered';
      readonly change: Outgoing;
      readonly record: RemoteRecord | null;
      /** What of it the CRM passed over, and is sent once more. */
      readonly left?: FieldChanges;
    }
  /** The CRM refuses it, and will again. */
  | { readonly kind: 'refused'; readonly change: Outgoing; readonly error: RemoteError }
  /** The record is not there. */
  | { readonly kind: 'gone'; readonly change: Outgoing; readonly error: RemoteError }
  /** It did not arrive, or may arrive again without harm. */
  | { readonly kind: 'failed'; readonly change: Outgoing; readonly error: RemoteError }
  /** A create that cannot be told from another: it may have arrived. */
  | { readonly kind: 'unclear'; readonly change: Outgoing; readonly error: RemoteError };
