import type { Command } from 'commander';
import type { ReconcileOptions } from '../commands/reconcile-command.ts';
import type { Shell } from '../shell.ts';

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
      shell.run(options, 'lines', async (context) => {
        const { reconcile } = await import('../commands/reconcile-command.ts');
        return await reconcile(context, objects, options);
      }),
    );
}
