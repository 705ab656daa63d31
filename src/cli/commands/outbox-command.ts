import { type Command, Option } from 'commander';
import { discardChange } from '../../app/decisions/discard-change.ts';
import { listAside } from '../../db/aside-review.ts';
import { mirroredObjects } from '../../db/mirror/load.ts';
import { countUnsettled } from '../../db/outbox/outbox.ts';
import {
  codeOf,
  listEntries,
  type OutboxEntry,
  type OutboxState,
  outboxStates,
  readEntry,
  retryEntries,
} from '../../db/outbox/review.ts';
import { UsageError } from '../../domain/errors.ts';
import { fieldLines, showValue } from '../field-lines.ts';
import { needsPerson } from '../left-over.ts';
import { knownObjects } from '../object-names.ts';
import { showPlural } from '../quantity.ts';
import type { Report } from '../report.ts';
import type { CommandContext, CommonOptions, Shell } from '../shell.ts';
import { renderTable } from '../table.ts';
import { printable, type Screen } from '../terminal.ts';
import { nextAfterRelease } from './conflicts-resolve.ts';
import { entryId, entryIds, listLimit } from './entry-id.ts';
import { approve } from './outbox-approve.ts';
import { nextForAside, renderAside } from './outbox-aside.ts';
import { nextForEntry, nextForList } from './outbox-next.ts';
import { revert } from './outbox-revert.ts';

interface ListFlags extends CommonOptions {
  readonly state?: OutboxState;
  readonly limit: number;
}

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
      shell.run(flags, 'document', (context) => list(context, objects, flags)),
    );
  outbox
    .command('show')
    .argument('<id>', 'the id that `outbox list` shows', entryId)
    .summary('one change, field by field')
    .description('One change with its values, field by field, and why it waits.')
    .option('--json', JSON_HELP)
    .addHelpText('after', '\nExample:\n  clarify-sync outbox show 42')
    .action((id: bigint, flags: CommonOptions) =>
      shell.run(flags, 'document', (context) => show(context, id)),
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
      shell.run(flags, 'document', (context) => retry(context, ids, flags.all === true)),
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
      shell.run(flags, 'document', (context) => discard(context, ids)),
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
      shell.run(flags, 'document', (context) => approve(context, ids, flags.all === true)),
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
      shell.run(flags, 'document', (context) => revert(context, id)),
    );
}

async function list(
  context: CommandContext,
  objects: readonly string[],
  flags: ListFlags,
): Promise<Report> {
  return await context.withDatabase(async ({ db }) => {
    const { state, limit } = flags;
    const states = state === undefined ? (['pending', 'sending', 'parked'] as const) : [state];
    const wanted = knownObjects(objects, await mirroredObjects(db));
    const { entries, total } = await listEntries(db, { states, objects: wanted, limit });
    const left = { ...(await countUnsettled(db, wanted)), openConflicts: 0 };
    const aside = await listAside(db, { objects: wanted, limit });
    return {
      json: { entries: entries.map(withoutValues), total, aside },
      text: [
        ...renderList(entries, total, context.screen),
        ...renderAside(aside, left.setAside, context.screen),
      ],
      exitCode: needsPerson(left) ? 3 : 0,
      next: nextForList(entries) ?? nextForAside(aside),
    };
  });
}

/** A list names fields; their values are for `show`. */
function withoutValues({ changes, ...entry }: OutboxEntry): Record<string, unknown> {
  return { ...entry, fields: Object.keys(changes) };
}

const COLUMNS = [
  { title: 'id', align: 'right' },
  { title: 'state' },
  { title: 'op' },
  { title: 'object' },
  { title: 'record', least: 12 },
  { title: 'fields', least: 12 },
  { title: 'by', spare: 2, least: 8 },
  { title: 'tries', align: 'right', spare: 1 },
  { title: 'why', least: 21 },
] as const;
const MOST_FIELDS = 3;

function renderList(entries: readonly OutboxEntry[], total: number, screen: Screen): string[] {
  if (entries.length === 0) return ['nothing'];
  const rows = entries.map((entry) => [
    String(entry.id),
    entry.state === 'parked'
      ? screen.paint('yellow', 'parked')
      : entry.blocked
        ? 'blocked'
        : entry.state,
    entry.op,
    printable(entry.object),
    printable(entry.recordId),
    // A delete holds the whole row.
    entry.op === 'delete' ? '' : describeFields(Object.keys(entry.changes)),
    printable(entry.writtenBy),
    String(entry.attempts),
    describeWait(entry),
  ]);
  const more = total - entries.length;
  const rest = more > 0 ? [`and ${showPlural(more, 'more', 'more')}: --limit shows them`] : [];
  return [...renderTable(COLUMNS, rows, screen), ...rest];
}

function describeFields(names: readonly string[]): string {
  const shown = names.slice(0, MOST_FIELDS).map(printable).join(', ');
  return names.length > MOST_FIELDS ? `${shown}, +${names.length - MOST_FIELDS}` : shown;
}

function describeWait(entry: OutboxEntry): string {
  // Only the code: the rest is the CRM's own words and may be long.
  return entry.blocked ? `waits for ${entry.blockedBy}` : printable(codeOf(entry) ?? '');
}

async function show(context: CommandContext, id: bigint): Promise<Report> {
  return await context.withDatabase(async ({ db }, config) => {
    const entry = await readEntry(db, id);
    if (entry === null) {
      throw new UsageError(
        [`there is no change ${id} in the outbox`],
        'see `clarify-sync outbox list`',
      );
    }
    const { paint } = context;
    const fields = Object.entries(entry.changes).map(([field, { base, value }]) => {
      return { field, from: base, to: value };
    });
    const facts = [
      ['state', entry.blocked ? `blocked by ${entry.blockedBy}` : entry.state],
      ['written', `${entry.createdAt} by ${printable(entry.writtenBy)}`],
      ['tries', `${entry.attempts}${entry.sentAt === null ? '' : `, last ${entry.sentAt}`}`],
      ...(entry.lastError === null ? [] : [['why', showValue(entry.lastError)]]),
    ];
    return {
      json: { ...entry },
      text: [
        `${paint('bold', `${entry.op} ${printable(entry.object)}`)} ${printable(entry.recordId)}`,
        ...facts.map(([name = '', value = '']) => `${paint('dim', name.padEnd(8))}${value}`),
        ...fieldLines(fields, paint),
      ],
      exitCode: entry.state === 'parked' || entry.blocked ? 3 : 0,
      next: nextForEntry(entry, config.crm.title),
    };
  });
}

async function retry(
  context: CommandContext,
  ids: readonly bigint[],
  all: boolean,
): Promise<Report> {
  if (all === ids.length > 0) throw new UsageError(['give ids, or --all']);
  return await context.withDatabase(async ({ db }, { push }) => {
    const retried = await retryEntries(db, all ? null : ids);
    const refused = ids.filter((id) => !retried.includes(id));
    return {
      json: { retried, refused },
      text: [`${showPlural(retried.length, 'change')} due again`],
      failures: refused.map((id) => ({
        code: 'not-retried',
        message: `change ${id} is not waiting, or waits for another decision`,
        hint: `see \`clarify-sync outbox show ${id}\``,
        problems: [],
      })),
      exitCode: refused.length > 0 ? 1 : 0,
      next: retried.length > 0 ? nextAfterRelease(push) : null,
    };
  });
}

async function discard(context: CommandContext, ids: readonly bigint[]): Promise<Report> {
  return await context.withSession(async (session) => {
    const discarded: { id: bigint; outcome: string }[] = [];
    for (const id of ids) {
      discarded.push({ id, outcome: await discardChange(session, id, context.signal) });
    }
    return {
      json: { discarded },
      text: discarded.map(({ id, outcome }) => `change ${id} discarded: ${outcome}`),
      exitCode: 0,
      next: null,
    };
  });
}
