import { crmInUse } from '../app/config/variables.ts';
import { UsageError } from '../domain/errors.ts';
import { stringifyJson } from '../domain/json.ts';
import type { CommandContext, OnHangup } from './context.ts';
import { describeFailure, renderFailure, stackFrames } from './failure.ts';
import { failureFor, reportFor } from './fleet-advice.ts';
import { type ExitCode, printReport, type Report } from './report.ts';
import { screenOf, type Terminal } from './terminal.ts';

export type { CommandContext, OnHangup };

/** Options every command has. */
export interface CommonOptions {
  readonly json?: boolean | undefined;
  /** Which workspace of a fleet is meant. */
  readonly workspace?: string | undefined;
}

/** How a command tells its result to a script: one document, or the last of several lines. */
type JsonForm = 'document' | 'lines';

/** Runs commands, prints what they report, and keeps the exit code. */
export class Shell {
  exitCode: ExitCode = 0;
  /** The CRM in use, for help. */
  readonly crm = crmInUse();
  readonly #terminal: Terminal;
  readonly #signal: AbortSignal;
  readonly #onHangup: OnHangup;

  constructor(terminal: Terminal, signal: AbortSignal, onHangup: OnHangup = () => () => {}) {
    this.#terminal = terminal;
    this.#signal = signal;
    this.#onHangup = onHangup;
  }

  /**
   * Runs one command to its end; every error ends here, as one clear line. A command that has
   * said everything itself reports null.
   */
  async run(
    options: CommonOptions,
    form: JsonForm,
    work: (context: CommandContext) => Promise<Report | null>,
  ): Promise<void> {
    const json = options.json === true;
    const debug = { on: false };
    try {
      const { workspace } = options;
      // Not with the shell: help would wait for all that a command works with.
      const { createContext } = await import('./context.ts');
      const context = createContext({
        terminal: this.#terminal,
        signal: this.#signal,
        onHangup: this.#onHangup,
        json,
        debug,
        workspace,
      });
      const found = await work(context);
      if (found === null) return;
      this.tell(workspace === undefined ? found : reportFor(found, workspace), { json, form });
    } catch (error) {
      this.fail(error, { json, form, debug: debug.on, workspace: options.workspace });
    }
  }

  /** What a command has to say that works with nothing. */
  tell(report: Report, { json, form }: { readonly json: boolean; readonly form: JsonForm }): void {
    this.exitCode = report.exitCode;
    printReport(this.#terminal, report, json ? form : 'human');
  }

  fail(
    error: unknown,
    how: { json: boolean; form?: JsonForm; debug?: boolean; workspace?: string | undefined },
  ): void {
    const described = describeFailure(error);
    const failure = how.workspace === undefined ? described : failureFor(described, how.workspace);
    const { out, err } = this.#terminal;
    this.exitCode = error instanceof UsageError ? 2 : 1;
    for (const line of renderFailure(failure, screenOf(err))) err.write(`${line}\n`);
    if (how.debug === true) for (const frame of stackFrames(error)) err.write(`${frame}\n`);
    if (!how.json) return;
    const type = how.form === 'lines' ? { type: 'error' } : {};
    out.write(`${stringifyJson({ ...type, error: failure, next: failure.hint })}\n`);
  }
}
