import { type Forgotten, forgetRecord } from '../../db/forget.ts';
import { readMirrors } from '../../db/mirror/catalog.ts';
import { knownObjects } from '../object-names.ts';
import { showPlural } from '../quantity.ts';
import type { Report } from '../report.ts';
import type { CommandContext, CommonOptions } from '../shell.ts';
import { printable } from '../terminal.ts';

export interface ForgetFlags extends CommonOptions {
  readonly dryRun?: boolean;
}

export async function forget(
  context: CommandContext,
  { object, id, flags }: { object: string; id: string; flags: ForgetFlags },
): Promise<Report> {
  return await context.withDatabase(async ({ db }, config) => {
    // Also objects that are mirrored no more.
    knownObjects([object], [...(await readMirrors(db)).values()]);
    const dry = flags.dryRun === true;
    const found = await forgetRecord(db, { object, id, dry });
    if (found === null) {
      return {
        json: { object, id, erased: false, ids: [] },
        text: [],
        failures: [
          {
            code: 'forget-unknown',
            message: `no ${printable(object)} has, or had, the id ${printable(id)}`,
            hint: 'check the id: nothing was erased',
            problems: [],
          },
        ],
        exitCode: 1,
        next: 'check the id: nothing was erased',
      };
    }
    return report({ object, id, dry, found, crm: config.crm.title });
  });
}

function report({
  object,
  id,
  dry,
  found,
  crm,
}: {
  readonly object: string;
  readonly id: string;
  readonly dry: boolean;
  readonly found: Forgotten;
  readonly crm: string;
}): Report {
  const counts = [
    showPlural(found.tombstones, 'tombstone'),
    showPlural(found.versions, 'version'),
    showPlural(found.changes, 'change'),
    showPlural(found.conflicts, 'conflict'),
    ...(found.deferred > 0 ? [`${showPlural(found.deferred, 'version')} put aside`] : []),
    ...(found.activities > 0 ? [`${showPlural(found.activities, 'row')} of its past`] : []),
    ...(found.recordings > 0 ? [showPlural(found.recordings, 'recording')] : []),
    ...(found.sides > 0 ? [`${showPlural(found.sides, 'row')} beside it`] : []),
    ...(found.rows > 0 ? [showPlural(found.rows, 'row')] : []),
  ];
  const name = `${printable(object)} ${printable(id)}`;
  const left = [
    ...(found.left.rows > 0 ? ['its row stands'] : []),
    ...(found.left.changes > 0 ? [`${showPlural(found.left.changes, 'change')} wait`] : []),
    ...(found.left.conflicts > 0 ? [showPlural(found.left.conflicts, 'open conflict')] : []),
  ];
  const isLeft = left.length > 0;
  return {
    json: { object, id, erased: !dry, ...found },
    text: [
      `${name}: ${dry ? 'would erase' : 'erased'} ${counts.join(', ')}`,
      ...(isLeft ? [`left: ${left.join(', ')}`] : []),
    ],
    exitCode: isLeft ? 3 : 0,
    next: nextStep(found, { crm, dry }),
  };
}

function nextStep(
  { left }: Forgotten,
  { crm, dry }: { readonly crm: string; readonly dry: boolean },
): string | null {
  if (left.rows > 0)
    return `delete the record, in ${crm} or here, and let it sync; then forget it again`;
  if (left.changes + left.conflicts > 0) {
    return 'see `clarify-sync outbox list` and `clarify-sync conflicts list`; then forget it again';
  }
  return dry ? 'nothing was erased: run it again without --dry-run' : null;
}
