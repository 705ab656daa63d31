import pg from 'pg';
import { vi } from 'vitest';
import type { Session } from '../../src/app/session.ts';

/** How many messages go to Postgres for one more page of what `work` reads, and tells the requests of. */
export async function messagesPerPage(
  session: Session,
  { sizes, work }: { sizes: [number, number]; work: (deps: Session) => Promise<number> },
): Promise<number> {
  const sent = vi.spyOn(pg.Client.prototype, 'query');
  const measure = async (size: number) => {
    const limits = { ...session.remote.limits, pageSize: size };
    sent.mockClear();
    const pages = await work({ ...session, remote: { ...session.remote, limits } });
    return { pages, messages: sent.mock.calls.length };
  };
  try {
    const [large, small] = [await measure(sizes[0]), await measure(sizes[1])];
    return (small.messages - large.messages) / (small.pages - large.pages);
  } finally {
    sent.mockRestore();
  }
}
