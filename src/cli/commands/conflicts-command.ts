import { mirroredObjects } from '../../db/mirror/mirrored-objects.ts';
import {
  type ConflictEntry,
  listConflicts,
  readConflict,
} from '../../db/outbox/conflict-review.ts';
import { UsageError } from '../../domain/errors.ts';
import { fieldLines, showValue } from '../field-lines.ts';
import { cut } from '../fit.ts';
import { knownObjects } from '../object-names.ts';
import { showAgo, showPlural } from '../quantity.ts';
import type { Report } from '../report.ts';
import type { CommandContext, CommonOptions } from '../shell.ts';
import { type Column, renderTable } from '../table.ts';
import { printable, type Screen } from '../terminal.ts';

export interface ListFlags extends CommonOptions {
  readonly all?: boolean;
  readonly limit: number;
}

export interface ResolveFlags extends CommonOptions {
  readonly take: string;
}

export async function list(
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

export async function show(context: CommandContext, id: bigint): Promise<Report> {
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
