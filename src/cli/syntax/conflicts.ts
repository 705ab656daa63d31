import type { Command } from 'commander';
import type { ListFlags, ResolveFlags } from '../commands/conflicts-command.ts';
import type { CommonOptions, Shell } from '../shell.ts';
import { entryId, listLimit } from './entry-id.ts';

export function addConflicts(program: Command, shell: Shell): void {
  const conflicts = program
    .command('conflicts')
    .summary('the conflict log')
    .description('Fields that both sides changed to different values.');
  conflicts
    .command('list')
    .argument('[object...]', 'only these objects; all where left out')
    .summary('what waits for a decision')
    .description('Open conflicts, newest first; with --all those settled by policy as well.')
    .option('--all', 'settled ones as well')
    .option('--limit <n>', 'how many to show', listLimit, 50)
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', '\nExample:\n  clarify-sync conflicts list --all deal')
    .action((objects: string[], flags: ListFlags) =>
      shell.run(flags, 'document', async (context) => {
        const { list } = await import('../commands/conflicts-command.ts');
        return await list(context, objects, flags);
      }),
    );
  conflicts
    .command('show')
    .argument('<id>', 'the id that `conflicts list` shows', entryId)
    .summary('one conflict with its values')
    .description('One conflict: what both sides agreed on, what each holds, and what came of it.')
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', '\nExample:\n  clarify-sync conflicts show 7')
    .action((id: bigint, flags: CommonOptions) =>
      shell.run(flags, 'document', async (context) => {
        const { show } = await import('../commands/conflicts-command.ts');
        return await show(context, id);
      }),
    );
  conflicts
    .command('resolve')
    .argument('<id>', 'the id that `conflicts list` shows', entryId)
    .summary('decide an open conflict')
    .description(
      `Settles an open conflict, as you decide. ${shell.crm.title} is asked again first. \`local\` is sent, \`remote\` is put back into the row; any other value is put into the row and sent. A value is text as it is, an id, a number, true or false, a date, an instant, or JSON for lists and everything else; null clears. In JSON quotes text is never one of these words: '"local"'. What is settled already stays so.`,
    )
    .requiredOption('--take <side>', 'local, remote, or a value of neither')
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', '\nExample:\n  clarify-sync conflicts resolve 7 --take remote')
    .action((id: bigint, flags: ResolveFlags) =>
      shell.run(flags, 'document', async (context) => {
        const { resolve } = await import('../commands/conflicts-resolve.ts');
        return await resolve(context, id, flags.take);
      }),
    );
}
