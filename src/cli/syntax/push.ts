import type { Command } from 'commander';
import type { PushFlags } from '../commands/push-command.ts';
import type { Shell } from '../shell.ts';

export function addPush(program: Command, shell: Shell): void {
  program
    .command('push')
    .argument('[object...]', 'only these objects; all where left out')
    .summary(`Postgres to ${shell.crm.title}, once`)
    .description(
      'Sends what waits in the outbox, once. Beside a running service the sending is left to it, and waited for.',
    )
    .option('--dry-run', 'show what would be sent, field by field; needs the database alone')
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', '\nExample:\n  clarify-sync push --dry-run')
    .action((objects: string[], flags: PushFlags) =>
      shell.run(flags, 'document', async (context) => {
        const { preview, push } = await import('../commands/push-command.ts');
        return await (flags.dryRun === true ? preview(context, objects) : push(context, objects));
      }),
    );
}
