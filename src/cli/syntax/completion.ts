import { Argument, type Command } from 'commander';
import { completionScript, type ShellName, shells } from '../completion.ts';
import type { CommonOptions, Shell } from '../shell.ts';

export function addCompletion(program: Command, shell: Shell): void {
  program
    .command('completion')
    .addArgument(new Argument('<shell>', 'which shell it is for').choices(shells))
    .summary('a script that completes commands and options in your shell')
    .description('Prints a script for your shell; its first lines say how to load it.')
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', '\nExample:\n  eval "$(clarify-sync completion bash)"')
    .action((name: ShellName, { json = false }: CommonOptions) => {
      const script = completionScript(name, program);
      const text = script.trimEnd().split('\n');
      const report = { json: { shell: name, script }, text, exitCode: 0, next: null } as const;
      shell.tell(report, { json, form: 'document' });
    });
}
