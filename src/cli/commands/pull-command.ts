import type { Command } from 'commander';
import { pullAll } from '../../app/pull-all.ts';
import { countUnsettled } from '../../db/outbox/outbox.ts';
import { knownObjects } from '../object-names.ts';
import type { Report } from '../report.ts';
import { reportPass } from '../runs-report.ts';
import type { CommandContext, CommonOptions, Shell } from '../shell.ts';

export function addPull(program: Command, shell: Shell): void {
  program
    .command('pull')
    .argument('[object...]', 'only these objects; all where left out')
    .summary(`${shell.crm.title} to Postgres, once`)
    .description(
      'Brings the mirror tables up to date, once. An object never read before is read from scratch.',
    )
    .option('--json', 'progress and result as JSON lines on standard output')
    .addHelpText('after', '\nExample:\n  clarify-sync pull deal')
    .action((objects: string[], options: CommonOptions) =>
      shell.run(options, 'lines', (context) => pull(context, objects)),
    );
}

async function pull(context: CommandContext, given: readonly string[]): Promise<Report> {
  return await context.withSession(async (session) => {
    const objects = knownObjects(given, session.tables);
    const progress = context.progress();
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
