import type { Command } from 'commander';
import type { CommonOptions, Shell } from '../shell.ts';

export function addRun(program: Command, shell: Shell): void {
  program
    .command('run')
    .summary('the service: keeps both sides in step')
    .description(
      'The long-running service: pulls by schedule, pushes as soon as something is committed. The first SIGTERM or Ctrl-C finishes what is under way and exits 0; a second one exits at once.',
    )
    .option('--json', 'one JSON document on standard output when it has stopped')
    .addHelpText('after', '\nExample:\n  CLARIFY_SYNC_PUSH=on clarify-sync run')
    .action((options: CommonOptions) =>
      shell.run(options, 'document', async (context) => {
        const { run } = await import('../commands/run-command.ts');
        return await run(context);
      }),
    );
}
