import type { Command } from 'commander';
import { reconcileAll } from '../../app/reconcile-all.ts';
import { countUnsettled } from '../../db/outbox/outbox.ts';
import { knownObjects } from '../object-names.ts';
import { showCount } from '../quantity.ts';
import type { Report } from '../report.ts';
import { describeLeft, type PassOutcome, reportPass, showState } from '../runs-report.ts';
import type { CommandContext, CommonOptions, Shell } from '../shell.ts';
import { renderTable } from '../table.ts';
import { printable, type Screen } from '../terminal.ts';

interface ReconcileOptions extends CommonOptions {
  readonly deep?: boolean;
  readonly approve?: boolean;
}

export function addReconcile(program: Command, shell: Shell): void {
  program
    .command('reconcile')
    .argument('[object...]', 'only these objects; all where left out')
    .summary('find and repair deleted, missing and re-linked records')
    .description(
      'Proves that both sides hold the same records, by counts, and repairs what differs. A row goes only once its own record answers 404; where many would go at once, or the API key has changed, nothing goes before --approve. Counts can hide one missing record behind one that is too many in the same range, and tell nothing of links: objects with link tables of their own are read whole, and the others with --deep.',
    )
    .option('--deep', 'read every record and compare every field')
    .option('--approve', 'let go what is proven to be gone, however many')
    .option('--json', 'progress and result as JSON lines on standard output')
    .addHelpText('after', '\nExample:\n  clarify-sync reconcile person --deep')
    .action((objects: string[], options: ReconcileOptions) =>
      shell.run(options, 'lines', (context) => reconcile(context, objects, options)),
    );
}

async function reconcile(
  context: CommandContext,
  given: readonly string[],
  { deep, approve }: ReconcileOptions,
): Promise<Report> {
  return await context.withSession(async (session) => {
    const objects = knownObjects(given, session.tables);
    const progress = context.progress();
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
