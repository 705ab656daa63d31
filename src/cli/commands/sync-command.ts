import type { Command } from 'commander';
import { syncOnce } from '../../app/sync-once.ts';
import { knownObjects } from '../object-names.ts';
import type { Report } from '../report.ts';
import { reportPass } from '../runs-report.ts';
import type { CommandContext, CommonOptions, Shell } from '../shell.ts';

export function addSync(program: Command, shell: Shell): void {
  program
    .command('sync')
    .argument('[object...]', 'only these objects; all where left out')
    .summary('one complete pass, both ways')
    .description(
      'One complete pass: schema, pull, push, deletions. Returns when both sides agree, or says what is left. Beside a running service the sending is left to it, and waited for.',
    )
    .option('--json', 'progress and result as JSON lines on standard output')
    .addHelpText('after', '\nExample:\n  clarify-sync sync person company')
    .action((objects: string[], options: CommonOptions) =>
      shell.run(options, 'lines', (context) => sync(context, objects)),
    );
}

async function sync(context: CommandContext, objects: readonly string[]): Promise<Report> {
  return await context.withSession(async (session) => {
    const wanted = knownObjects(objects, session.tables);
    const progress = context.progress();
    try {
      const { signal } = context;
      const onProgress = progress.update;
      const outcome = await syncOnce(session, { objects: wanted, signal, onProgress });
      progress.stop();
      const pushIsOn = session.config.push;
      return reportPass({ ...outcome, pushIsOn, interrupted: signal.aborted }, context.screen);
    } finally {
      progress.stop();
    }
  });
}
