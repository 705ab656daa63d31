import { setTimeout as sleep } from 'node:timers/promises';
import type { FleetRig } from './fleet-rig.ts';

/** Somebody who edits every workspace all the time, and remembers what was committed. */
export interface Edits {
  /** Ends it, and waits until everything has arrived. @returns what was lost or came twice. */
  settle(timeoutMs: number): Promise<readonly string[]>;
  /** Also while it goes on. */
  count(): number;
}

export function startEdits(rig: FleetRig, everyMs = 40): Edits {
  const committed = new Map<string, string[]>();
  const over = new AbortController();
  const work = (async () => {
    for (let n = 0; !over.signal.aborted; n += 1) {
      const names = rig.names();
      const name = names[n % names.length];
      if (name === undefined) break;
      const title = `${name} ${n}`;
      try {
        await rig.database.db.query(`INSERT INTO ${name}.task (title) VALUES ($1)`, [title]);
        committed.set(name, [...(committed.get(name) ?? []), title]);
      } catch {
        // Not mirrored yet.
      }
      await sleep(everyMs);
    }
  })();
  const wrong = () =>
    [...committed].flatMap(([name, titles]) => {
      const counts = new Map<unknown, number>();
      for (const { attributes } of rig.emulator(name).store.all('task')) {
        counts.set(attributes.title, (counts.get(attributes.title) ?? 0) + 1);
      }
      return titles
        .filter((title) => counts.get(title) !== 1)
        .map((title) => `${title}: ${counts.get(title) ?? 0} times`);
    });
  return {
    count: () => [...committed.values()].reduce((sum, titles) => sum + titles.length, 0),
    async settle(timeoutMs) {
      over.abort();
      await work;
      const untilMs = performance.now() + timeoutMs;
      while (wrong().length > 0 && performance.now() < untilMs) await sleep(250);
      return wrong();
    },
  };
}

/** Every epoch of every workspace, and who had it. */
export interface Reigns {
  stop(): Promise<void>;
  /** Epochs with more than one holder, or that came after a later one. */
  problems(): readonly string[];
}

export function watchReigns(rig: FleetRig): Reigns {
  const holders = new Map<string, string>();
  const last = new Map<string, bigint>();
  const problems: string[] = [];
  const over = new AbortController();
  const work = (async () => {
    while (!over.signal.aborted) {
      for (const name of rig.names()) {
        const [lease] = await rig.database.db
          .query<{ epoch: bigint; holder: string }>(
            `SELECT epoch, holder FROM ${name}_sync.lease WHERE expires_at > clock_timestamp()`,
          )
          .catch(() => []);
        if (lease === undefined) continue;
        const { epoch, holder } = lease;
        const key = `${name} ${epoch}`;
        const known = holders.get(key) ?? holder;
        holders.set(key, known);
        if (known !== holder) problems.push(`${key}: ${known} and ${holder}`);
        if (epoch < (last.get(name) ?? 0n)) problems.push(`${key} after ${last.get(name)}`);
        last.set(name, epoch);
      }
      await sleep(50);
    }
  })();
  return {
    async stop() {
      over.abort();
      await work;
    },
    problems: () => problems,
  };
}
