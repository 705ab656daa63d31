import { type Command, Option } from 'commander';
import { outboxStates } from '../../domain/outbox-states.ts';
import type { ListFlags } from '../commands/outbox-command.ts';
import type { CommonOptions, Shell } from '../shell.ts';
import { entryId, entryIds, listLimit } from './entry-id.ts';

const JSON_HELP = 'one JSON document on standard output';

export function addOutbox(program: Command, shell: Shell): void {
  const outbox = program
    .command('outbox')
    .summary('the queue, and what is parked')
    .description(`Local changes on their way to ${shell.crm.title}.`);
  outbox
    .command('list')
    .argument('[object...]', 'only these objects; all where left out')
    .summary('what waits, oldest first')
    .description(
      `What is pending, on its way or parked, oldest first; then the rows that cannot be written as ${shell.crm.title} has them, and why.`,
    )
    .addOption(new Option('--state <state>', 'only this state').choices([...outboxStates]))
    .option('--limit <n>', 'how many to show', listLimit, 50)
    .option('--json', JSON_HELP)
    .addHelpText('after', '\nExample:\n  clarify-sync outbox list --state parked')
    .action((objects: string[], flags: ListFlags) =>
      shell.run(flags, 'document', async (context) => {
        const { list } = await import('../commands/outbox-command.ts');
        return await list(context, objects, flags);
      }),
    );
  outbox
    .command('show')
    .argument('<id>', 'the id that `outbox list` shows', entryId)
    .summary('one change, field by field')
    .description('One change with its values, field by field, and why it waits.')
    .option('--json', JSON_HELP)
    .addHelpText('after', '\nExample:\n  clarify-sync outbox show 42')
    .action((id: bigint, flags: CommonOptions) =>
      shell.run(flags, 'document', async (context) => {
        const { show } = await import('../commands/outbox-command.ts');
        return await show(context, id);
      }),
    );
  outbox
    .command('retry')
    .argument('[id...]', 'the ids that `outbox list` shows', entryIds)
    .summary('send what is parked again')
    .description(
      'Makes parked changes due again, and those that wait for their next attempt. Deletes that wait for approval and open conflicts are decided elsewhere.',
    )
    .option('--all', `every one of them, but those that ${shell.crm.title} may have already`)
    .option('--json', JSON_HELP)
    .addHelpText('after', '\nExample:\n  clarify-sync outbox retry 42 43')
    .action((ids: readonly bigint[], flags: CommonOptions & { all?: boolean }) =>
      shell.run(flags, 'document', async (context) => {
        const { retry } = await import('../commands/outbox-command.ts');
        return await retry(context, ids, flags.all === true);
      }),
    );
  outbox
    .command('discard')
    .argument('<id...>', 'the ids that `outbox list` shows', entryIds)
    .summary('give changes up')
    .description(
      `Gives changes up for good: the row gets back what ${shell.crm.title} holds now. Discarding the insert of a row that ${shell.crm.title} does not know removes the row.`,
    )
    .option('--json', JSON_HELP)
    .addHelpText('after', '\nExample:\n  clarify-sync outbox discard 42')
    .action((ids: readonly bigint[], flags: CommonOptions) =>
      shell.run(flags, 'document', async (context) => {
        const { discard } = await import('../commands/outbox-discard.ts');
        return await discard(context, ids);
      }),
    );
  outbox
    .command('approve')
    .argument('[id...]', 'the ids that `outbox list` shows', entryIds)
    .summary('let deletes go that wait for a person')
    .description(
      'Lets parked deletes go: more than may go without a word, or those that the object parks.',
    )
    .option('--all', 'every one of them')
    .option('--json', JSON_HELP)
    .addHelpText('after', '\nExample:\n  clarify-sync outbox approve --all')
    .action((ids: readonly bigint[], flags: CommonOptions & { all?: boolean }) =>
      shell.run(flags, 'document', async (context) => {
        const { approve } = await import('../commands/outbox-approve.ts');
        return await approve(context, ids, flags.all === true);
      }),
    );
  outbox
    .command('revert')
    .argument('<id>', 'the id that `outbox list --state done` shows', entryId)
    .summary('undo a change that is done')
    .description(
      `Undoes a change that has arrived in ${shell.crm.title}, by an ordinary local change that is sent like any other. An update gives the fields back what they held before, where the row still shows what was sent; an insert deletes the row; a delete inserts it anew: as a new record, with a new id, and without its links to many. A record that was archived is brought back under its id instead, where ${shell.crm.title} can do that.`,
    )
    .option('--json', JSON_HELP)
    .addHelpText('after', '\nExample:\n  clarify-sync outbox revert 42')
    .action((id: bigint, flags: CommonOptions) =>
      shell.run(flags, 'document', async (context) => {
        const { revert } = await import('../commands/outbox-revert.ts');
        return await revert(context, id);
      }),
    );
}
