import { acceptPage, nextRequest, startWalk } from '../domain/walk/walk.ts';
import type { Round } from './round.ts';

/** Reads in the order of creation, from where the round has come to. */
export function roundByCreation(options: {
  readonly watermark: string | null;
  readonly limit: number;
  /** The server's clock. */
  readonly startedAtMs: number;
}): Round {
  const { watermark: from, limit, startedAtMs } = options;
  let state = startWalk({ orderBy: 'created', from, limit, probe: false, startedAtMs });
  return {
    next: () => nextRequest(state),
    take(page) {
      const request = nextRequest(state);
      const step = acceptPage(state, {
        records: page.records.map(({ id, createdAt, updatedAt }) => {
          return { id, at: createdAt, version: updatedAt };
        }),
        total: page.total,
        more: page.more,
      });
      state = step.state;
      return {
        records: step.accepted.flatMap((index) => page.records[index] ?? []),
        joined: [],
        pass: 0,
        watermark: step.watermark,
        left: page.total === null ? null : page.total - (request?.offset ?? 0),
        asksCount: 0,
        conclude: () => {
          const problem = step.verdict === 'incomplete' ? `walk-${step.problem}` : null;
          return { finished: step.verdict !== null, problem, position: null };
        },
      };
    },
  };
}
