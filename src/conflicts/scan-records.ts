import { createHash } from 'node:crypto';
import { stringifyJson } from '../domain/json.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { ScanRecord } from '../domain/scan/scan-record.ts';
import { parseInstant } from '../domain/walk/instant.ts';

/** A record as a scan sees it: one that was written meanwhile has another version. */
export function toScanRecord(record: RemoteRecord): ScanRecord {
  const { id, createdAt, updatedAt, trace } = record;
  return {
    id,
    version: `${updatedAt ?? ''} ${trace?.content ?? contentOf(record)}`,
    createdMs: parseInstant(createdAt),
    updatedMs: parseInstant(updatedAt),
  };
}

/** Has what tells whether it has moved remembered with it: once recognised, it tells no field. */
export function withContent(record: RemoteRecord): RemoteRecord {
  const { trace } = record;
  if (trace === undefined || trace.content !== undefined) return record;
  return { ...record, trace: { ...trace, content: contentOf(record) } };
}

function contentOf({ fields, trace, isUnchanged }: RemoteRecord): string {
  // Where its content was not remembered it has to do that it came as it came before.
  if (isUnchanged && trace !== undefined) return trace.digest;
  const content = stringifyJson({ ...fields });
  return createHash('sha256').update(content).digest('base64url').slice(0, 12);
}
