import type { ServerResponse } from 'node:http';

/** What a route answers. The counts are for the statistics. */
export interface Answer {
  readonly status: number;
  /** JSON text, or its bytes; empty for none. */
  readonly text: string | Buffer;
  /** JSON where missing. */
  readonly contentType?: string;
  /** Beside those that every answer of the API has. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly recordsRead?: number;
  readonly recordsWritten?: number;
}

/** An answer as it goes over the wire. */
export interface WireAnswer {
  readonly status: number;
  readonly text: string | Buffer;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
}

export const JSON_TYPE = 'application/json; charset=utf-8';

/** `cut` sends half of the body under the full length, then hangs up. */
export function sendAnswer(
  response: ServerResponse,
  answer: WireAnswer,
  { nowMs, cut = false }: { readonly nowMs: number; readonly cut?: boolean },
): void {
  const body = typeof answer.text === 'string' ? Buffer.from(answer.text) : answer.text;
  const headers: Record<string, string | number> = {
    Date: new Date(nowMs).toUTCString(),
    ...answer.headers,
  };
  if (answer.status !== 204) {
    headers['Content-Type'] = answer.contentType;
    headers['Content-Length'] = body.length;
  }
  response.sendDate = false;
  response.setHeaders(new Map(Object.entries(headers)));
  response.writeHead(answer.status);
  if (!cut) {
    response.end(answer.status === 204 ? undefined : body);
    return;
  }
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.destroy());
}
