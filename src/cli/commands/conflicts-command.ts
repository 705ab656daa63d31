import type { Command } from 'commander';
import { mirroredObjects } from '../../db/mirror/load.ts';
import {
  type ConflictEntry,
  listConflicts,
  readConflict,
} from '../../db/outbox/conflict-review.ts';
import { UsageError } from '../../domain/errors.ts';
import { fieldLines, showValue } from '../field-lines.ts';
import { knownObjects } from '../object-names.ts';
import { showAgo, showPlural } from '../quantity.ts';
import type { Report } from '../report.ts';
import type { CommandContext, CommonOptions, Shell } from '../shell.ts';
import { type Column, cut, renderTable } from '../table.ts';
import { printable, type Screen } from '../terminal.ts';
import { resolve } from './conflicts-resolve.ts';
import { entryId, listLimit } from './entry-id.ts';

interface ListFlags extends CommonOptions {
  readonly all?: boolean;
  readonly limit: number;
}

interface ResolveFlags extends CommonOptions {
  readonly take: string;
}

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
      shell.run(flags, 'document', (context) => list(context, objects, flags)),
    );
  conflicts
    .command('show')
    .argument('<id>', 'the id that `conflicts list` shows', entryId)
    .summary('one conflict with its values')
    .description('One conflict: what both sides agreed on, what each holds, and what came of it.')
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', '\nExample:\n  clarify-sync conflicts show 7')
    .action((id: bigint, flags: CommonOptions) =>
      shell.run(flags, 'document', (context) => show(context, id)),
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
      shell.run(flags, 'document', (context) => resolve(context, id, flags.take)),
    );
}

async function list(
  context: CommandContext,
  objects: readonly string[],
  flags: ListFlags,
): Promise<Report> {
  return await context.withDatabase(async ({ db }, config) => {
    const wanted = knownObjects(objects, await mirroredObjects(db));
    const { limit } = flags;
    const openOnly = flags.all !== true;
    const { conflicts, total } = await listConflicts(db, { openOnly, objects: wanted, limit });
    const open = conflicts.find(({ resolution }) => resolution === 'open');
    return {
      json: { conflicts, total },
      text: renderList(conflicts, { total, openOnly, crm: config.crm.title }, context.screen),
      exitCode: open === undefined ? 0 : 3,
      next:
        open === undefined
          ? null
          : `see both sides with \`clarify-sync conflicts show ${open.id}\``,
    };
  });
}

const columns = (crm: string): readonly Column[] => [
  { title: 'id', align: 'right' },
  { title: 'object' },
  { title: 'record', least: 9 },
  { title: 'field', least: 8 },
  { title: 'here', least: 8 },
  { title: crm, least: 8 },
  { title: 'policy', spare: 1 },
  { title: 'result' },
  { title: 'detected', spare: 2 },
];
const MOST_OF_VALUE = 40;

function renderList(
  conflicts: readonly ConflictEntry[],
  {
    total,
    openOnly,
    crm,
  }: { readonly total: number; readonly openOnly: boolean; readonly crm: string },
  screen: Screen,
): string[] {
  if (conflicts.length === 0) return [openOnly ? 'nothing is open' : 'nothing'];
  const rows = conflicts.map((conflict) => [
    String(conflict.id),
    printable(conflict.object),
    printable(conflict.recordId),
    printable(conflict.field),
    valueInList(conflict.local),
    valueInList(conflict.remote),
    conflict.policy,
    conflict.resolution === 'open' ? screen.paint('yellow', 'open') : conflict.resolution,
    showAgo(conflict.detectedAt, Date.now()),
  ]);
  const more = total - conflicts.length;
  const rest = more > 0 ? [`and ${showPlural(more, 'more', 'more')}: --limit shows them`] : [];
  return [...renderTable(columns(crm), rows, screen), ...rest];
}

/** The whole of it is for `show`. */
function valueInList(value: ConflictEntry['local']): string {
  return cut(showValue(value), MOST_OF_VALUE);
}

async function show(context: CommandContext, id: bigint): Promise<Report> {
  return await context.withDatabase(async ({ db }, config) => {
    const conflict = await readConflict(db, id);
    if (conflict === null)
      throw new UsageError(
        [`there is no conflict ${id}`],
        'see `clarify-sync conflicts list --all`',
      );
    const { paint } = context;
    const { object, recordId, field, base, local, remote } = conflict;
    const by = conflict.remoteBy === null ? '' : ` (by ${printable(conflict.remoteBy)})`;
    const certain = conflict.certain ? '' : ', by times that are not certain';
    return {
      json: { ...conflict },
      text: [
        `${paint('bold', printable(field))} of ${printable(object)} ${printable(recordId)}`,
        ...fieldLines(
          [
            { field: 'agreed on', to: base },
            { field: 'here', to: local },
            { field: `${config.crm.title}${by}`, to: remote },
          ],
          paint,
        ),
        `${conflict.resolution} by policy ${conflict.policy}${certain}, ${conflict.detectedAt}`,
      ],
      exitCode: conflict.resolution === 'open' ? 3 : 0,
      next: conflict.resolution === 'open' ? nextForOpen(conflict) : null,
    };
  });
}

function nextForOpen({ id }: ConflictEntry): string {
  return `decide with \`clarify-sync conflicts resolve ${id} --take local\`, \`--take remote\`, or a value`;
}
