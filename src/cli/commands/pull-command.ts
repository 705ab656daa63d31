import { pullAll } from '../../app/pull-all.ts';
import { countUnsettled } from '../../db/outbox/outbox.ts';
import { knownObjects } from '../object-names.ts';
import type { Report } from '../report.ts';
import { reportPass } from '../runs-report.ts';
import type { CommandContext } from '../shell.ts';

export async function pull(context: CommandContext, given: readonly string[]): Promise<Report> {
  return await context.withSession(async (session) => {
    const objects = knownObjects(given, session.tables, session.problems);
    const progress = await context.progress();
    try {
      const { signal } = context;
      const onProgress = progress.update;
      const runs = await pullAll(session, {
        objects,
        signal,
        priority: 'pull',
        onProgress,
        everything: true,
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
