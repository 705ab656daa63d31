import { randomUUID } from 'node:crypto';

export interface Notice {
  readonly text: string;
  readonly good: boolean;
}

/** What came of a form, until the page it leads back to has shown it. */
export interface Notices {
  /** @returns the name by which the page asks for it. */
  add(notice: Notice): string;
  /** Null where there is none of that name, or it was shown. */
  take(name: string): Notice | null;
}

const MOST = 100;

export function createNotices(): Notices {
  const kept = new Map<string, Notice>();
  return {
    add(notice) {
      const name = randomUUID();
      kept.set(name, notice);
      const [oldest] = kept.keys();
      if (kept.size > MOST && oldest !== undefined) kept.delete(oldest);
      return name;
    },
    take(name) {
      const notice = kept.get(name) ?? null;
      kept.delete(name);
      return notice;
    },
  };
}
