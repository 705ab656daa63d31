import { syncOnce } from '../../app/sync-once.ts';
import { knownObjects } from '../object-names.ts';
import type { Report } from '../report.ts';
import { reportPass } from '../runs-report.ts';
import type { CommandContext } from '../shell.ts';

export async function sync(context: CommandContext, objects: readonly string[]): Promise<Report> {
  return await context.withSession(async (session) => {
    const wanted = knownObjects(objects, session.tables, session.problems);
    const progress = await context.progress();
    try {
      const { signal } = context;
      const onProgress = progress.update;
      const outcome = await syncOnce(session, { objects: wanted, signal, onProgress });
      progress.stop();
      const { push: pushIsOn, crm } = session.config;
      const told = { ...outcome, crm: crm.title, pushIsOn, interrupted: signal.aborted };
      return reportPass(told, context.screen);
    } finally {
      progress.stop();
    }
  });
}
