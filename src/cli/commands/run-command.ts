import type { Command } from 'commander';
import type { Session } from '../../app/session.ts';
import type { Report } from '../report.ts';
import type { CommandContext, CommonOptions, Shell } from '../shell.ts';

export function addRun(program: Command, shell: Shell): void {
  program
    .command('run')
    .summary('the service: keeps both sides in step')
    .description(
      'The long-running service: pulls by schedule, pushes as soon as something is committed. The first SIGTERM or Ctrl-C finishes what is under way and exits 0; a second one exits at once.',
    )
    .option('--json', 'one JSON document on standard output when it has stopped')
    .addHelpText('after', '\nExample:\n  CLARIFY_SYNC_PUSH=on clarify-sync run')
    .action((options: CommonOptions) => shell.run(options, 'document', run));
}

async function run(context: CommandContext): Promise<Report> {
  // Not with the program: scheduler and status server weigh on the memory of every other command.
  const { runDaemon } = await import('../../app/daemon/daemon.ts');
  const serve = async (session: Session): Promise<Report> => {
    const { log, config } = session;
    await runDaemon(session, {
      signal: context.signal,
      onReady: (statusUrl) =>
        log.info({ push: config.push, objects: session.tables.length, statusUrl }, 'running'),
    });
    log.info('stopped');
    return { json: { stopped: true }, text: [], exitCode: 0, next: null };
  };
  return await context.withSession(serve, { outlasts: true });
}
