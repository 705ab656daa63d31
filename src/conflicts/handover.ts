import type { MirrorTable } from '../db/mirror/table.ts';
import type { CallOptions, PageRequest, Remote } from '../domain/remote.ts';
import { EARLIEST_MS, formatInstant, parseInstant } from '../domain/walk/instant.ts';

const DAY_MS = 86_400_000;

/**
 * From where reading changes takes over once everything has been read: the newest edit that shows
 * before the first page is, by the records' own clock. An earlier one does too.
 *
 * @param startedAt the server's clock, ISO-8601.
 */
export async function readHandover(
  remote: Remote,
  table: MirrorTable,
  options: CallOptions & { readonly startedAt: string },
): Promise<{ readonly at: string; readonly requests: number }> {
  const { kind } = remote.capabilitiesOf(table.object).changes;
  const startedAtMs = Date.parse(options.startedAt);
  if (kind === 'full-scan') return { at: options.startedAt, requests: 0 };
  const dayBefore = formatInstant(startedAtMs - DAY_MS);
  const place: Omit<PageRequest, 'object'> =
    kind === 'ordered-filter'
      ? // Bounded below, so that records without `_updated_at` cannot stand first.
        {
          orderBy: 'updated',
          direction: 'desc',
          from: formatInstant(EARLIEST_MS),
          offset: 0,
          limit: 1,
        }
      : {
          orderBy: 'position',
          direction: 'asc',
          changedSince: dayBefore,
          offset: 0,
          limit: remote.limits.pageSize,
        };
  const { records } = await remote.readPage({ object: table.schema, ...place }, options);
  const stamps = records.flatMap(({ updatedAt }) => parseInstant(updatedAt) ?? []);
  const earliestMs = kind === 'ordered-filter' ? EARLIEST_MS : Date.parse(dayBefore);
  // A record stamped in the future must not carry the reading past what is edited meanwhile.
  const atMs = Math.min(Math.max(earliestMs, ...stamps), startedAtMs);
  return { at: formatInstant(atMs), requests: 1 };
}
