import type { CallOptions } from '../../domain/remote.ts';
import type { RawItems, RawItemsWanted } from './raw-items.ts';
import type { Attempt } from './transport.ts';

/** What the error is about, for its message: names and counts, never a value. */
export interface CallSubject {
  /** `POST /objects/person/records/bulk` */
  readonly endpoint: string;
  /** Records in a bulk write. */
  readonly records?: number | undefined;
  /** Fields the CRM keeps unique. */
  readonly uniqueFields?: ReadonlySet<string> | undefined;
  /** Fields in the order they were sent, where a refusal speaks of them by their place. */
  readonly entries?: readonly string[] | undefined;
}

/** One request as the API names it, and how to read its answer. */
export interface Call<T> extends CallSubject {
  readonly method: Attempt['method'];
  /** It changes nothing, although its method would say so: a query too long for an address. */
  readonly isQuery?: boolean;
  /** Path segments below the workspace, not yet escaped. */
  readonly path: readonly string[];
  readonly query?: readonly (readonly [name: string, value: string])[];
  /** JSON text. */
  readonly body?: string | undefined;
  /**
   * Whether it may be sent again although an earlier attempt may have been carried out: reads,
   * updates to given values, deletions, creates that match on a field. A plain create never (invariant
   * 4).
   */
  readonly repeatable: boolean;
  /**
   * Statuses from which something follows: such an answer is believed once a second one, after a
   * pause, has confirmed it. (401 is confirmed always.)
   */
  readonly doubts?: readonly number[] | undefined;
  /** Attempts at most, where fewer will do than for other calls of its kind. */
  readonly attempts?: number;
  /**
   * Reads the parsed body (undefined where it is empty) of an answer with this status, some 2xx.
   * That of a write may hold `errors` beside what was done. Throws BadAnswer where it does not have
   * the shape it should.
   *
   * @param items where `items` was asked for and the answer has that form; its body has none then.
   */
  readonly read: (body: unknown, status: number, items?: RawItems) => T;
  /** Leaves the items of the list that the answer begins with unread. */
  readonly items?: RawItemsWanted | undefined;
}

/** Whether it changes something. */
export function isWrite({
  method,
  isQuery = false,
}: Pick<Call<unknown>, 'method' | 'isQuery'>): boolean {
  return method !== 'GET' && !isQuery;
}

/** The server answered 2xx with something the API never says. The message holds no value. */
export class BadAnswer extends Error {
  override readonly name = 'BadAnswer';
}

/** Makes one call, repeated as often as is right. */
export type Send = <T>(call: Call<T>, options: CallOptions) => Promise<T>;
