import type { IncomingHttpHeaders } from 'node:http';
import type { Json } from '../../domain/json.ts';
import type { Answer, WireAnswer } from './answer.ts';
import type { ApiError } from './api-error.ts';
import type { Fields } from './fields.ts';
import type { SharedSwitches } from './switches.ts';

/** A request, read in full. */
export interface WireRequest {
  readonly method: string;
  readonly url: URL;
  /** The Host header, port included. */
  readonly host: string;
  readonly headers: IncomingHttpHeaders;
  /** Empty where there is more of it than is kept. */
  readonly body: string;
  readonly bodyBytes: number;
}

/** A request to the API on its way: counted against its budget, not yet carried out. */
export interface Admitted {
  /** For statistics: the object's name is in it. */
  readonly endpoint: string;
  /** The budget it was spent from; null where it has no name. */
  readonly bucket: string | null;
  readonly isWrite: boolean;
  /** Of a write: nobody is told of it. */
  readonly silent: boolean;
  /** What every answer to it carries, a fault's as well. */
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Carries the request out, or the same request with another body. Every refusal is an answer;
   * nothing is thrown.
   */
  readonly run: (served: number, body?: string) => Answer;
}

/** How a CRM words what goes wrong. */
export interface ErrorForm {
  /** A JSON body: as the API refuses, or what stands in front of it does. */
  body(status: number, form: 'errors' | 'gateway'): unknown;
  /** For a request whose target is no path: 400. */
  readonly badTarget: unknown;
  /** What `Retry-After` has where a fault does not say; or the headers that tell it instead. */
  readonly retryAfter: 'seconds' | 'date' | ((seconds: number) => Readonly<Record<string, string>>);
  unknownPath(request: WireRequest): ApiError;
  tooLarge(): ApiError;
  badJson(): ApiError;
}

/** Where bodies hold their records, for faults that alter them. */
export interface RecordForm {
  /** Members of a request's body that may hold records, or one: the first that is there, else the last. */
  readonly sentIn: readonly string[];
  /** Likewise of an answer. */
  readonly shownIn: readonly string[];
  /** The member of a record that holds its fields; null where the record does itself. */
  readonly fieldsIn: string | null;
  idOf(record: Fields): Json | undefined;
  /** Members that tell of records left out; a pointer is one such as `/data/3`. */
  leftOut(pointers: readonly string[]): Fields;
}

/** What stands in a workspace, for a test to compare with. */
export interface Contents {
  /** Records by object. */
  counts(): Readonly<Record<string, number>>;
  /** Every record as it stands, from `offset` on. @throws ApiError 404 for an unknown object */
  rendered(
    object: string,
    window: { readonly offset: number; readonly limit: number },
  ): { readonly total: number; readonly texts: Iterable<string> };
}

/** One CRM's workspace: all that the kernel needs to know of it. */
export interface Model {
  /** Epoch milliseconds by the workspace's own clock, skew included. */
  now(): number;
  /** Live. */
  readonly switches: SharedSwitches;
  /** @throws RangeError naming the switch and what it takes */
  parseSwitch(name: string, value: unknown): object;
  /** Bytes of a request's body that are kept; it is counted beyond them. */
  bodyLimit(): number;
  /** What is signed, or opened by a browser, asks for no key; null for a request to the API. */
  beside(request: WireRequest): WireAnswer | null;
  admit(request: WireRequest): Admitted;
  readonly errors: ErrorForm;
  readonly records: RecordForm;
  readonly contents: Contents;
  /** `POST /_emulator/{name}`, beside what every emulator can do. */
  readonly actions: Readonly<Record<string, AdminAction>>;
}

/** Takes what was sent, answers what becomes JSON. @throws ZodError, ApiError, RangeError */
export type AdminAction = (body: unknown) => unknown;
