import type { ObjectRun } from '../../app/pull-all.ts';
import { reconcilePass } from '../../app/reconcile-pass.ts';
import { countUnsettled } from '../../db/outbox/outbox.ts';
import { knownObjects } from '../object-names.ts';
import { showCount } from '../quantity.ts';
import type { Report } from '../report.ts';
import { reportPass, showState } from '../runs-report.ts';
import type { CommandContext, CommonOptions } from '../shell.ts';
import { renderTable } from '../table.ts';
import { printable, type Screen } from '../terminal.ts';

export interface ReconcileOptions extends CommonOptions {
  readonly deep?: boolean;
  readonly approve?: boolean;
}

export async function reconcile(
  context: CommandContext,
  given: readonly string[],
  { deep, approve }: ReconcileOptions,
): Promise<Report> {
  return await context.withSession(async (session) => {
    const objects = knownObjects(given, session.tables, session.problems);
    const progress = await context.progress();
    try {
      const { signal } = context;
      const onProgress = progress.update;
      const reading = { objects, signal, priority: 'pull', onProgress } as const;
      const compared = await reconcilePass(session, { ...reading, deep, approve });
      progress.stop();
      const left = await countUnsettled(session.db, objects);
      return reportPass(
        {
          ...compared,
          crm: session.config.crm.title,
          command: 'reconcile',
          left: { ...left, pending: left.pending + left.sending },
          pushIsOn: session.config.push,
          interrupted: signal.aborted,
        },
        context.screen,
        renderComparisons,
      );
    } finally {
      progress.stop();
    }
  });
}

const COLUMNS = [
  'requests',
  'read',
  'missing',
  'differed',
  'linked',
  'unlinked',
  'deleted',
  'merged',
  'waiting',
] as const;

function renderComparisons(objects: readonly ObjectRun[], screen: Screen): string[] {
  const columns = [
    { title: 'object', least: 16 },
    { title: 'result' },
    ...COLUMNS.map((title, spareZero) => ({ title, align: 'right' as const, spareZero })),
  ];
  const rows = objects.map((run) => [
    printable(run.object),
    showState(run, screen.paint),
    ...COLUMNS.map((name) => showCount(run.counts[name] ?? 0)),
  ]);
  return renderTable(columns, rows, screen);
}
