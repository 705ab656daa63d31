import { objectSettings } from '../../app/config/config.ts';
import { pushOnce } from '../../app/push-once.ts';
import { type PushPreview, previewPush } from '../../app/push-preview.ts';
import { loadMirror } from '../../db/mirror/load.ts';
import { countUnsettled } from '../../db/outbox/outbox.ts';
import { dependencyOrder } from '../../domain/dependency-order.ts';
import { SyncError } from '../../domain/errors.ts';
import type { RehearsalDeps } from '../../push/rehearse.ts';
import { fieldLines } from '../field-lines.ts';
import { knownObjects } from '../object-names.ts';
import { showPlural } from '../quantity.ts';
import type { Report } from '../report.ts';
import { reportPass } from '../runs-report.ts';
import type { CommandContext, CommonOptions } from '../shell.ts';
import { type Paint, printable } from '../terminal.ts';

export interface PushFlags extends CommonOptions {
  readonly dryRun?: boolean;
}

export async function push(context: CommandContext, given: readonly string[]): Promise<Report> {
  return await context.withSession(async (session) => {
    const objects = knownObjects(given, session.tables, session.problems);
    if (!session.config.push) throw pushIsOff();
    const { signal } = context;
    const outcome = await pushOnce(session, { objects, signal });
    const left = await countUnsettled(session.db, objects);
    const { json, ...report } = reportPass(
      {
        objects: [],
        push: outcome,
        left: { ...left, pending: left.pending + left.sending },
        pushIsOn: true,
        interrupted: signal.aborted,
      },
      context.screen,
    );
    return { ...report, json: { push: json['push'], left: json['left'] } };
  });
}

function pushIsOff(): SyncError {
  return new SyncError('push is off: nothing was sent', {
    code: 'push-off',
    disposition: 'halt',
    hint: 'set CLARIFY_SYNC_PUSH=on',
  });
}

export async function preview(context: CommandContext, given: readonly string[]): Promise<Report> {
  return await context.withDatabase(async ({ db }, config) => {
    const mirror = await loadMirror(db);
    const order = dependencyOrder(mirror.tables.map(({ schema }) => schema));
    const tables = mirror.tables.toSorted(
      (a, b) => order.indexOf(a.object) - order.indexOf(b.object),
    );
    const settings = (object: string) => objectSettings(config, object);
    const deps: RehearsalDeps = {
      tables,
      links: mirror.links,
      policyOf: (object, field) => settings(object).conflictsOf(field),
      // An id of ours that goes along with a create is no change of anybody's.
      creatingOf: () => ({ kind: 'upsert' }),
      removalOf: () => 'delete',
      claimSizeOf: () => 1_000,
      identityOf: ({ object, schema }) => settings(object).key ?? schema.identity,
      massDelete: config.massDelete,
    };
    const objects = knownObjects(given, tables);
    const previewed = await previewPush(db, deps, objects);
    const { parked } = await countUnsettled(db, objects);
    return {
      json: { dryRun: true, ...previewed },
      text: render(previewed, context.paint),
      exitCode: parked + previewed.parked.length > 0 ? 3 : 0,
      next: nextAfter(previewed, parked, config.push),
    };
  });
}

function render({ changes, adopted, parked, waiting }: PushPreview, paint: Paint): string[] {
  const lines = changes.flatMap(({ object, recordId, action, fields }) => [
    `${paint('bold', action)} ${printable(object)} ${printable(recordId)}`,
    ...fieldLines(
      action === 'create' ? fields.map(({ field, to }) => ({ field, to })) : fields,
      paint,
    ),
  ]);
  const known = adopted.map(
    ({ object, localId, id }) =>
      `${paint('bold', 'adopt')} ${printable(object)} ${printable(id)}, which ${printable(localId)} turns out to be`,
  );
  const held = parked.map(
    ({ entry, object, recordId, reason }) =>
      `${paint('bold', 'park')} ${printable(object)} ${printable(recordId)} (${entry}): ${printable(reason)}`,
  );
  const wait = waiting > 0 ? `, ${showPlural(waiting, 'change')} would wait` : '';
  const sent = `${showPlural(changes.length, 'record')} would be sent${wait}`;
  return [...known, ...lines, ...held, sent];
}

function nextAfter(
  { changes, waiting }: PushPreview,
  parked: number,
  isOn: boolean,
): string | null {
  if (changes.length > 0) {
    return isOn
      ? 'run `clarify-sync push` to send this'
      : 'set CLARIFY_SYNC_PUSH=on, then run `clarify-sync push` to send this';
  }
  return waiting + parked > 0 ? 'see `clarify-sync outbox list` for what waits' : null;
}
