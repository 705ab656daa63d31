import { backfillAll } from '../../app/backfill-all.ts';
import { countUnsettled } from '../../db/outbox/outbox.ts';
import { knownObjects } from '../object-names.ts';
import type { Report } from '../report.ts';
import { reportPass } from '../runs-report.ts';
import type { CommandContext, CommonOptions } from '../shell.ts';

export interface BackfillOptions extends CommonOptions {
  readonly since?: string;
  readonly concurrency?: number;
  readonly restart?: boolean;
}

export async function backfill(
  context: CommandContext,
  given: readonly string[],
  options: BackfillOptions,
): Promise<Report> {
  return await context.withSession(async (session) => {
    const objects = knownObjects(given, session.tables, session.problems);
    const progress = await context.progress();
    try {
      const { signal } = context;
      const runs = await backfillAll(session, {
        objects,
        since: options.since,
        concurrency: options.concurrency,
        restart: options.restart ?? false,
        signal,
        onProgress: progress.update,
      });
      progress.stop();
      const left = await countUnsettled(session.db, objects);
      return reportPass(
        {
          objects: runs,
          left: { ...left, pending: left.pending + left.sending },
          pushIsOn: session.config.push,
          interrupted: signal.aborted,
        },
        context.screen,
      );
    } finally {
      progress.stop();
    }
  });
}
