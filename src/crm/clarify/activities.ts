import { RemoteError } from '../../domain/errors.ts';
import type { RecordHistory } from '../../domain/field-write.ts';
import type { Remote } from '../../domain/remote.ts';
import type { Send } from '../wire/call.ts';
import type { Clock } from '../wire/clock.ts';
import { readFeedPage } from './feed.ts';
import { readActivity, type ToldEvent } from './read-activity.ts';
import { readItem } from './read-event.ts';
import { toActivity } from './to-activity.ts';

/** What lies further back than these is not looked for. */
const MOST_PAGES = 10;
/** A feed that failed is not asked again for so long. */
const AVOIDED_MS = 600_000;
const MOST_AVOIDED = 1_000;
/** After so many failures in a row none of the object's feeds is. */
const MOST_FAILURES = 3;

/**
 * Who changed which field of a record when, from its activity feed. Some feeds fail for good, so
 * one is asked once and then let alone for a while; whoever asks has to do without.
 */
export function createActivities({
  send,
  clock,
}: {
  readonly send: Send;
  readonly clock: Clock;
}): Pick<Required<Remote>, 'readHistory' | 'readActivities'> {
  /** Feeds that failed, by object or by object and record, and until when they are let alone. */
  const avoided = new Map<string, number>();
  const failures = new Map<string, number>();

  function isAvoided(name: string): boolean {
    return (avoided.get(name) ?? Number.NEGATIVE_INFINITY) > clock.monotonicMs();
  }

  function avoid(name: string): void {
    avoided.delete(name);
    avoided.set(name, clock.monotonicMs() + AVOIDED_MS);
    const [oldest] = avoided.keys();
    if (avoided.size > MOST_AVOIDED && oldest !== undefined) avoided.delete(oldest);
  }

  function failed(object: string, record: string, { status }: RemoteError): void {
    if (status === 429) return;
    avoid(record);
    const inARow = (failures.get(object) ?? 0) + 1;
    failures.set(object, inARow % MOST_FAILURES);
    if (inARow >= MOST_FAILURES) avoid(object);
  }

  return {
    async readHistory({ object, id, isEnough }, options) {
      const record = `${object.object} ${id}`;
      if (isAvoided(object.object) || isAvoided(record)) return null;
      const events: ToldEvent[] = [];
      let offset = 0;
      try {
        for (let pages = 1; ; pages += 1) {
          const page = await readFeedPage(send, { object, id, offset }, options);
          failures.delete(object.object);
          events.push(...page.items.flatMap((item) => readActivity({ object, id }, item)));
          offset += page.items.length;
          const history = toHistory(events);
          if (!page.more || pages === MOST_PAGES || isEnough(history)) return history;
        }
      } catch (error) {
        if (!(error instanceof RemoteError)) throw error;
        if (!options.signal.aborted) failed(object.object, record, error);
        // The newest are told; that older ones are not is like a feed that ends.
        return offset === 0 ? null : toHistory(events);
      }
    },

    async readActivities({ object, id, offset }, options) {
      const { items, more } = await readFeedPage(send, { object, id, offset }, options);
      const read = items.map((item) => readItem({ object, id }, item));
      if (items.length > 0 && !read.some(({ isLegible }) => isLegible)) {
        throw illegible(object.object);
      }
      return {
        activities: read.flatMap(({ events }) => events.map(toActivity)),
        next: more ? offset + items.length : null,
        isLegible: read.every(({ isLegible }) => isLegible),
      };
    },
  };
}

function illegible(object: string): RemoteError {
  const endpoint = `GET /objects/${object}/records/{id}/activities`;
  return new RemoteError(`${endpoint}: nothing in the answer is an activity`, {
    code: 'remote-bad-answer',
    disposition: 'retry',
    status: 200,
  });
}

/** Pages may overlap where the feed grows meanwhile: taken back twice is taken back once. */
function toHistory(events: readonly ToldEvent[]): RecordHistory {
  // Whatever the clocks say, nothing was edited before it was created.
  const ordered = events.toSorted(
    (a, b) => Number(a.isBirth) - Number(b.isBirth) || b.atMs - a.atMs,
  );
  return {
    writes: ordered.flatMap(({ writes }) => writes),
    merges: ordered.flatMap(({ merge }) => merge ?? []),
    newestMs: ordered.reduce<number | null>((ms, { atMs }) => Math.max(ms ?? atMs, atMs), null),
    isWhole: ordered.some(({ isBirth }) => isBirth) && !ordered.some(({ isVague }) => isVague),
  };
}
