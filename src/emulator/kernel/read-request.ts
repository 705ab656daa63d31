import type { IncomingMessage } from 'node:http';
import type { WireRequest } from './model.ts';
import { collectBody } from './request-body.ts';

/** Null where the other side hung up first. */
export async function readRequest(
  request: IncomingMessage,
  url: URL,
  ceiling: number,
): Promise<WireRequest | null> {
  const { method = 'GET', headers } = request;
  const { host = 'localhost' } = headers;
  try {
    const { text, bytes } = await collectBody(request, ceiling);
    return { method, url, host, headers, body: text, bodyBytes: bytes };
  } catch {
    return null;
  }
}

/** A target can be a path, `//` included, or a whole URL. Null for what is neither. */
export function readTarget(target: string): URL | null {
  const whole = target.startsWith('/') ? `http://emulator${target}` : target;
  return URL.canParse(whole) ? new URL(whole) : null;
}
