import type { Readable } from 'node:stream';

/** Below what a JavaScript string can hold, whatever the switches say. */
export const BODY_CEILING = 256 * 1024 * 1024;

/**
 * Reads a body to its end, so that whoever sends it also reads the answer. What is longer than
 * `maxBytes` is counted and not kept.
 *
 * @throws where the other side hangs up first
 */
export async function collectBody(
  stream: Readable,
  maxBytes: number,
): Promise<{ readonly text: string; readonly bytes: number }> {
  let chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes <= maxBytes) chunks.push(chunk);
    else chunks = [];
  }
  return { text: Buffer.concat(chunks).toString(), bytes };
}
