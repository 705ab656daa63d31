import { type Config, loadConfig } from '../app/config/config.ts';
import { createLog, type Logger } from '../app/log.ts';
import { type OpenDatabase, openDatabaseOnly, openSession, type Session } from '../app/session.ts';
import { UsageError } from '../domain/errors.ts';
import { stringifyJson } from '../domain/json.ts';
import { describeFailure, renderFailure, stackFrames } from './failure.ts';
import { openProgress, type Progress } from './progress.ts';
import { type ExitCode, printReport, type Report } from './report.ts';
import { type Paint, painter, type Screen, screenOf, type Terminal } from './terminal.ts';

/** Options every command has. */
export interface CommonOptions {
  readonly json?: boolean | undefined;
}

/** What a command works with. */
export interface CommandContext {
  readonly terminal: Terminal;
  readonly json: boolean;
  /** Aborted by the first SIGINT or SIGTERM: finish what is under way, start nothing new. */
  readonly signal: AbortSignal;
  /** For what goes to `terminal.out`. */
  readonly paint: Paint;
  /** Likewise, for tables. */
  readonly screen: Screen;
  /** @throws UsageError naming every mistake. */
  config(options?: { readonly remote?: boolean }): Promise<Config>;
  log(config: Config): Logger;
  /** Runs `work` with everything open, and closes it again whatever happens. */
  withSession<T>(
    work: (session: Session) => Promise<T>,
    options?: { readonly outlasts?: boolean },
  ): Promise<T>;
  /** Likewise with the database alone: for what needs no CRM. */
  withDatabase<T>(work: (open: OpenDatabase, config: Config) => Promise<T>): Promise<T>;
  /** Opens the one progress display of a command. */
  progress(): Progress;
}

/** How a command tells its result to a script: one document, or the last of several lines. */
type JsonForm = 'document' | 'lines';

/** Runs commands, prints what they report, and keeps the exit code. */
export class Shell {
  exitCode: ExitCode = 0;
  readonly #terminal: Terminal;
  readonly #signal: AbortSignal;

  constructor(terminal: Terminal, signal: AbortSignal) {
    this.#terminal = terminal;
    this.#signal = signal;
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
      const report = await work(this.#context(json, debug));
      if (report === null) return;
      this.exitCode = report.exitCode;
      printReport(this.#terminal, report, json ? form : 'human');
    } catch (error) {
      this.fail(error, { json, form, debug: debug.on });
    }
  }

  fail(error: unknown, how: { json: boolean; form?: JsonForm; debug?: boolean }): void {
    const failure = describeFailure(error);
    const { out, err } = this.#terminal;
    this.exitCode = error instanceof UsageError ? 2 : 1;
    for (const line of renderFailure(failure, painter(err))) err.write(`${line}\n`);
    if (how.debug === true) for (const frame of stackFrames(error)) err.write(`${frame}\n`);
    if (!how.json) return;
    const type = how.form === 'lines' ? { type: 'error' } : {};
    out.write(`${stringifyJson({ ...type, error: failure, next: failure.hint })}\n`);
  }

  #context(json: boolean, debug: { on: boolean }): CommandContext {
    const terminal = this.#terminal;
    const signal = this.#signal;
    const config = async (options?: { readonly remote?: boolean }) => {
      const loaded = await loadConfig(options);
      debug.on = loaded.logLevel === 'debug' || loaded.logLevel === 'trace';
      for (const name of loaded.unknownVariables) {
        terminal.err.write(
          `${painter(terminal.err)('yellow', 'warning:')} ${name} is no setting\n`,
        );
      }
      return loaded;
    };
    const log = (loaded: Config) => createLog({ level: loaded.logLevel });
    return {
      terminal,
      json,
      signal,
      paint: painter(terminal.out),
      screen: screenOf(terminal.out),
      config,
      log,
      async withSession(work, options) {
        const loaded = await config();
        const session = await openSession(loaded, { log: log(loaded), signal }, options);
        announce(terminal, session);
        return await closing(session, work);
      },
      async withDatabase(work) {
        const loaded = await config({ remote: false });
        const open = await openDatabaseOnly(loaded, { log: log(loaded), signal });
        announce(terminal, open);
        return await closing(open, (opened) => work(opened, loaded));
      },
      progress: () => openProgress(terminal, { json }),
    };
  }
}

/** Nobody could join in without knowing where the embedded database listens. */
function announce(terminal: Terminal, open: OpenDatabase): void {
  if (open.embedded) terminal.err.write(`embedded Postgres: ${open.databaseUrl}\n`);
}

async function closing<Opened extends { stop(): Promise<void> }, T>(
  opened: Opened,
  work: (opened: Opened) => Promise<T>,
): Promise<T> {
  try {
    return await work(opened);
  } finally {
    await opened.stop();
  }
}
