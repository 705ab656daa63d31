import { mirroredObjects } from '../../db/mirror/mirrored-objects.ts';
import { countUnsettled } from '../../db/outbox/outbox.ts';
import {
  codeOf,
  listEntries,
  type OutboxEntry,
  readEntry,
  retryEntries,
} from '../../db/outbox/review.ts';
import { listAside } from '../../db/rows/aside-review.ts';
import { UsageError } from '../../domain/errors.ts';
import type { OutboxState } from '../../domain/outbox-states.ts';
import { fieldLines, showValue } from '../field-lines.ts';
import { needsPerson } from '../left-over.ts';
import { knownObjects } from '../object-names.ts';
import { showPlural } from '../quantity.ts';
import type { Report } from '../report.ts';
import type { CommandContext, CommonOptions } from '../shell.ts';
import { renderTable } from '../table.ts';
import { printable, type Screen } from '../terminal.ts';
import { nextForAside, renderAside } from './outbox-aside.ts';
import { nextAfterRelease, nextForEntry, nextForList } from './outbox-next.ts';

export interface ListFlags extends CommonOptions {
  readonly state?: OutboxState;
  readonly limit: number;
}

export async function list(
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

export async function show(context: CommandContext, id: bigint): Promise<Report> {
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

export async function retry(
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
