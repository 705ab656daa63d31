import { reconcileAll } from '../../app/reconcile-all.ts';
import { countUnsettled } from '../../db/outbox/outbox.ts';
import { knownObjects } from '../object-names.ts';
import { showCount } from '../quantity.ts';
import type { Report } from '../report.ts';
import { describeLeft, type PassOutcome, reportPass, showState } from '../runs-report.ts';
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
      const runs = await reconcileAll(session, { ...reading, deep, approve });
      progress.stop();
      const left = await countUnsettled(session.db, objects);
      return report(
        {
          objects: runs,
          left: { ...left, pending: left.pending + left.sending },
          pushIsOn: session.config.push,
          interrupted: signal.aborted,
        },
        context.screen,
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

function report(outcome: PassOutcome, screen: Screen): Report {
  const { objects, left } = outcome;
  const columns = [
    { title: 'object' },
    { title: 'result' },
    ...COLUMNS.map((title) => ({ title, align: 'right' as const })),
  ];
  const rows = objects.map((run) => [
    printable(run.object),
    showState(run, screen.paint),
    ...COLUMNS.map((name) => showCount(run.counts[name] ?? 0)),
  ]);
  const pass = reportPass(outcome, screen);
  const whole = (pass.failures ?? []).length === 0;
  const text = [...renderTable(columns, rows, screen), ...describeLeft(left, whole, screen.paint)];
  return { ...pass, text };
}
