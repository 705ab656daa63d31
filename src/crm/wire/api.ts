import type { RemoteError } from '../../domain/errors.ts';
import type { Call, CallSubject } from './call.ts';
import type { RateHeaders } from './rate-headers.ts';
import type { SharedAllowance } from './shared-allowance.ts';
import type { GrowingBuffer } from './spare-buffers.ts';
import type { Headers } from './transport.ts';

/** What an answer says of itself before its body is read. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: Headers;
}

/** An answer other than 2xx, or one of 2xx that says it is none. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly retryAfterMs: number | null;
  readonly headers?: Headers | undefined;
}

/** Errors in an answer that calls itself good. */
export interface ToldErrors {
  /** The HTTP status it really is; null where it does not say one, or several. */
  readonly status: number | null;
  /** Whether something was done all the same. */
  readonly hasData: boolean;
}

/** How one API differs from the next, as far as every request is concerned. */
export interface Api {
  /** Whose it is, for a reader. */
  readonly title: string;
  /** Where every path begins, no slash at its end. */
  readonly root: string;
  /** What that address is called where it was set, for hints. */
  readonly addressName: string;
  /** Classifies a refusal, by its status and by what its body names. Never throws. */
  readonly readRefusal: (refusal: Refusal, subject: CallSubject) => RemoteError;
  /** Null where an answer of 2xx is what it says. */
  readonly readToldErrors: (body: unknown) => ToldErrors | null;
  /** What an answer tells of the limit; one without headers may still tell that it is used up. */
  readonly readRate: (answer: AnswerHead, nowMs: number) => RateHeaders;
  /** Names the counter of the server's that a request counts against: endpoints of one name share it. */
  readonly counterOf: (endpoint: string) => string;
  /** What that counter leaves us; where the server says nothing of it, by what is known beforehand. */
  readonly createCounter: (name: string, percent: number) => SharedAllowance;
  /**
   * The smallest read that tells whether the key is accepted. What is said of its endpoint concerns
   * everything.
   */
  readonly keyProbe: Call<unknown>;
  /** Gathers a body without the parts that nobody needs; default all of it. */
  readonly gather?: (buffer: GrowingBuffer) => Pick<GrowingBuffer, 'append'>;
}
