import { toScanRecord, withContent } from '../conflicts/scan-records.ts';
import {
  acceptScanPage,
  answerCount,
  nextScanRequest,
  type ScanOptions,
  type ScanState,
  startScan,
} from '../domain/scan/scan.ts';
import type { Round } from './round.ts';

/**
 * Reads a list that is known by positions alone, from where the round stands.
 *
 * @param options.stored what `conclude` gave of the page before; null begins.
 */
export function roundByPosition(
  options: Omit<ScanOptions, 'isFiltered'> & {
    readonly stored: unknown;
    /** Only what was edited since then. */
    readonly changedSince?: string | undefined;
  },
): Round {
  const { stored, changedSince, ...rest } = options;
  const isFiltered = changedSince !== undefined;
  const begun = isScanState(stored) ? stored : startScan({ ...rest, isFiltered });
  // The server may have said meanwhile that it takes shorter pages.
  let state: ScanState = { ...begun, options: { ...begun.options, limit: rest.limit } };
  return {
    next() {
      const request = nextScanRequest(state);
      if (request === null) return null;
      return { orderBy: 'position', direction: 'asc', ...request, changedSince };
    },
    take(page) {
      const offset = page.offset ?? state.offset;
      const { pass } = state;
      const told = page.records.map(withContent);
      const records = told.map(toScanRecord);
      const step = acceptScanPage(state, { ...page, records, offset });
      state = step.state;
      return {
        records: told,
        joined: step.joined.flatMap((index) => records[index]?.id ?? []),
        pass,
        watermark: null,
        left: pass > 0 || page.total === null ? null : page.total - offset,
        asksCount: step.asksCount ? state.totals.length : 0,
        conclude(seen) {
          if (step.asksCount) state = answerCount(state, seen);
          const { verdict, problem } = state;
          const finished = verdict !== null;
          return { finished, problem: problem && `scan-${problem}`, position: state };
        },
      };
    },
  };
}

/** Our own writing: who has the first of its members has the rest. */
function isScanState(stored: unknown): stored is ScanState {
  return typeof stored === 'object' && stored !== null && 'marks' in stored && 'pass' in stored;
}
