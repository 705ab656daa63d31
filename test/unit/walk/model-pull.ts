import type * as Instant from '../../../src/domain/walk/instant.ts';
import type * as Walk from '../../../src/domain/walk/walk.ts';
import type { ModelServer, Version } from './model-server.ts';

/** The code under test, handed in so that a test can hand in a broken copy. */
export type WalkModule = Pick<typeof Walk, 'startWalk' | 'nextRequest' | 'acceptPage'> &
  Pick<typeof Instant, 'walkStart' | 'confirms'>;

export interface PullOptions {
  readonly orderBy: 'updated' | 'created';
  readonly limit: number;
  readonly probe: boolean;
  /** Killed once this many pages are stored; null runs to the end. */
  readonly killAfterPages: number | null;
  readonly maxRequests: number;
  /** What happens to the server between any two requests. */
  readonly meanwhile: () => void;
}

export interface PullResult {
  readonly verdict: 'ok' | 'incomplete' | 'killed';
  readonly problem: Walk.WalkProblem | null;
  readonly requests: number;
}

/** A record the walk should have handed over and did not, or a walk without end. */
export class LostRecord extends Error {}

/** The mirror of one object: rows and watermarks, stored together page by page. */
export class ModelMirror {
  readonly rows = new Map<string, Version>();
  readonly watermarks = new Map<string, Instant.Watermark>();
  readonly #walk: WalkModule;

  constructor(walk: WalkModule) {
    this.#walk = walk;
  }

  /**
   * One walk, its promise checked after every page: what was visible at the start, lies below the
   * watermark and has not changed since, was handed over.
   */
  pull(server: ModelServer, options: PullOptions): PullResult {
    const { startWalk, nextRequest, acceptPage, walkStart, confirms } = this.#walk;
    const { orderBy, limit, probe } = options;
    const before = this.watermarks.get(orderBy) ?? null;
    const startedAtMs = server.nowMs;
    const from = walkStart(before, startedAtMs);
    const atStart = server.visible();
    const handed = new Map<string, number>();
    let state = startWalk({ orderBy, from, limit, probe, startedAtMs });
    for (let requests = 1; ; requests += 1) {
      const request = nextRequest(state);
      if (request === null) throw new LostRecord('no request, and never done');
      const page = server.page(request);
      const step = acceptPage(state, page);
      state = step.state;
      for (const index of step.accepted) {
        const record = page.shown[index];
        if (record === undefined) throw new LostRecord('accepted a record the page does not have');
        this.rows.set(record.id, record);
        handed.set(record.id, record.version);
      }
      const stored = this.watermarks.get(orderBy);
      if (step.watermark !== null && (stored === undefined || step.watermark > stored.at)) {
        const moved = { at: step.watermark, movedAtMs: server.nowMs, confirmed: false };
        this.watermarks.set(orderBy, moved);
      } else if (stored && stored === before && step.verdict === 'ok') {
        const confirmed = stored.confirmed || confirms(stored, startedAtMs);
        this.watermarks.set(orderBy, { ...stored, confirmed });
      }

      const untilMs = step.verdict === 'ok' ? Infinity : Date.parse(step.watermark ?? 'none');
      const fromMs = from === null ? -Infinity : Date.parse(from);
      const now = server.visible();
      for (const [id, stood] of atStart) {
        const atMs = orderBy === 'updated' ? stood.updatedMs : stood.createdMs;
        const isOurs = atMs !== null && atMs >= fromMs && atMs < untilMs;
        if (!isOurs || now.get(id)?.version !== stood.version) continue;
        if ((handed.get(id) ?? -1) < stood.version) {
          throw new LostRecord(`record ${id} was not handed over`);
        }
      }

      const { verdict, problem } = step;
      if (verdict !== null) return { verdict, problem, requests };
      if (requests === options.killAfterPages) return { verdict: 'killed', problem, requests };
      if (requests >= options.maxRequests) throw new LostRecord('a walk without end');
      options.meanwhile();
    }
  }

  /** Rows that differ from what the server shows; rows of deleted records do not count. */
  differences(server: ModelServer): string[] {
    const stale: string[] = [];
    for (const [id, record] of server.visible()) {
      if (this.rows.get(id)?.version !== record.version) stale.push(id);
    }
    return stale;
  }
}
