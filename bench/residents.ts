import { readFile } from 'node:fs/promises';

export interface Resident {
  /** Resident memory, bytes. */
  readonly bytes: number;
  /** Of which pages that other processes have as well count in parts. */
  readonly proportionalBytes: number;
}

/** What processes take of memory at this moment, together; Linux alone tells. */
export async function readResident(pids: readonly number[]): Promise<Resident> {
  const each = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
      const kilobytes = (name: string) =>
        Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]);
      return { bytes: kilobytes('Rss') * 1024, proportionalBytes: kilobytes('Pss') * 1024 };
    }),
  );
  const sum = (name: keyof Resident) => each.reduce((total, one) => total + one[name], 0);
  return { bytes: sum('bytes'), proportionalBytes: sum('proportionalBytes') };
}
