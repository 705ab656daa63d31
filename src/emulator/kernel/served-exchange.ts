import type {
  IncomingHttpHeaders,
  IncomingMessage,
  OutgoingHttpHeaders,
  ServerResponse,
} from 'node:http';
import type { Fault } from './faults.ts';

export type ServedText = string | Buffer;

/** A request and its answer as they stood on the wire, for whoever checks either. */
export interface ServedExchange {
  readonly request: {
    readonly method: string;
    /** Path and query, as they came. */
    readonly url: string;
    readonly headers: IncomingHttpHeaders;
    /** Null where it was longer than what is kept. */
    readonly body: string | null;
  };
  /** Null where none was sent. */
  readonly answer: {
    readonly status: number;
    readonly headers: OutgoingHttpHeaders;
    readonly body: ServedText;
  } | null;
  /** What was made to go wrong with it. */
  readonly fault: Fault['kind'] | null;
}

/** @param text what was answered, whole also where half of it was sent; null for no answer. */
export function servedExchange(
  request: IncomingMessage,
  { body, bodyBytes }: { readonly body: string; readonly bodyBytes: number },
  response: ServerResponse,
  told: { readonly text: ServedText | null; readonly fault: Fault['kind'] | null },
): ServedExchange {
  const { method = 'GET', url = '/', headers } = request;
  const { text, fault } = told;
  return {
    request: { method, url, headers, body: body === '' && bodyBytes > 0 ? null : body },
    answer:
      text === null
        ? null
        : { status: response.statusCode, headers: response.getHeaders(), body: text },
    fault,
  };
}
