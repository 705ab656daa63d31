import { Command, CommanderError } from 'commander';
import { packageVersion } from '../crm/wire/user-agent.ts';
import { UsageError } from '../domain/errors.ts';
import type { ExitCode } from './report.ts';
import { type OnHangup, Shell } from './shell.ts';
import { addBackfill } from './syntax/backfill.ts';
import { addCompletion } from './syntax/completion.ts';
import { addConflicts } from './syntax/conflicts.ts';
import { addDemo } from './syntax/demo.ts';
import { addDoctor } from './syntax/doctor.ts';
import { addEmulator } from './syntax/emulator.ts';
import { addForget } from './syntax/forget.ts';
import { addLogin } from './syntax/login.ts';
import { addMigrate } from './syntax/migrate.ts';
import { addOutbox } from './syntax/outbox.ts';
import { addPull } from './syntax/pull.ts';
import { addPush } from './syntax/push.ts';
import { addReconcile } from './syntax/reconcile.ts';
import { addRun } from './syntax/run.ts';
import { addSchema } from './syntax/schema.ts';
import { addStatus } from './syntax/status.ts';
import { addSync } from './syntax/sync.ts';
import type { Terminal } from './terminal.ts';

export interface ProgramOptions {
  /** Without the interpreter and the script. */
  readonly args: readonly string[];
  readonly terminal: Terminal;
  /** Aborting it drains. */
  readonly signal: AbortSignal;
  /** Calls whenever settings are to be read anew; default never. @returns what ends it. */
  readonly onHangup?: OnHangup;
}

/** Runs the command line given. Never throws: what goes wrong is printed. @returns the exit code. */
export async function runProgram(options: ProgramOptions): Promise<ExitCode> {
  const { args, terminal, signal, onHangup } = options;
  const shell = new Shell(terminal, signal, onHangup);
  const program = buildProgram(shell, terminal);
  const json = args.includes('--json');
  try {
    if (args.length === 0) {
      program.outputHelp();
      return 0;
    }
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) shell.fail(error, { json });
    // A command of commands alone shows its help, which says all there is to say.
    else if (error.code === 'commander.help') shell.exitCode = 2;
    // Help that was asked for, and the version, end the same way with 0.
    else if (error.exitCode !== 0) shell.fail(toUsageError(error), { json });
  }
  return shell.exitCode;
}

function buildProgram(shell: Shell, terminal: Terminal): Command {
  const program = new Command('clarify-sync')
    .description(
      `Two-way sync between a ${shell.crm.title} CRM workspace and a Postgres warehouse.`,
    )
    .version(packageVersion(), '--version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.err.write(text),
      // Printed with its hint like every other error.
      outputError: () => {},
    })
    .addHelpText(
      'after',
      '\nExit codes: 0 success, 1 failure, 2 wrong usage or configuration,\n3 all went well but something is left for a person.\n\nExample:\n  clarify-sync demo',
    );
  for (const add of COMMANDS) add(program, shell);
  for (const command of program.commands) {
    if (!WITHOUT_WORKSPACE.has(command.name())) addWorkspaceOption(command);
  }
  return program;
}

/** They serve all, or none. */
const WITHOUT_WORKSPACE: ReadonlySet<string> = new Set(['run', 'emulator', 'demo', 'completion']);

function addWorkspaceOption(command: Command): void {
  if (command.commands.length > 0) return command.commands.forEach(addWorkspaceOption);
  command.option('--workspace <name>', 'the workspace of a fleet that is meant');
}

/** In the order in which help lists them. */
const COMMANDS = [
  addRun,
  addSync,
  addPull,
  addPush,
  addBackfill,
  addReconcile,
  addStatus,
  addOutbox,
  addConflicts,
  addSchema,
  addDoctor,
  addMigrate,
  addForget,
  addLogin,
  addEmulator,
  addDemo,
  addCompletion,
];

/** `error: unknown option '--x'\n(Did you mean --y?)` without its decoration. */
function toUsageError(error: CommanderError): UsageError {
  const message = error.message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  return new UsageError([message], 'run `clarify-sync --help`, or `clarify-sync help <command>`');
}
