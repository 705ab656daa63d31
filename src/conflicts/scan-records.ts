import { createHash } from 'node:crypto';
import { stringifyJson } from '../domain/json.ts';
import type { RemoteRecord } from '../domain/record.ts';
import type { ScanRecord } from '../domain/scan/scan-record.ts';
import { parseInstant } from '../domain/walk/instant.ts';

/** A record as a scan sees it: one that was written meanwhile has another version. */
export function toScanRecord(record: RemoteRecord): ScanRecord {
  const content = stringifyJson({ ...record.fields });
  const hash = createHash('sha256').update(content).digest('base64url').slice(0, 12);
  return {
    id: record.id,
    version: `${record.updatedAt ?? ''} ${hash}`,
    createdMs: parseInstant(record.createdAt),
    updatedMs: parseInstant(record.updatedAt),
  };
}
