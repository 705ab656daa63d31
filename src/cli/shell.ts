import {
  type Config,
  crmInUse,
  describeUnknown,
  environment,
  fleetPath,
  loadConfig,
} from '../app/config/config.ts';
import { type FleetConfig, type FleetEntry, loadFleet } from '../app/fleet/file.ts';
import { createLog, type Logger } from '../app/log.ts';
import { type OpenDatabase, openDatabaseOnly, openSession, type Session } from '../app/session.ts';
import { UsageError } from '../domain/errors.ts';
import { stringifyJson } from '../domain/json.ts';
import { describeFailure, renderFailure, stackFrames } from './failure.ts';
import {
  checkLoneName,
  chooseWorkspace,
  failureFor,
  reportFor,
  reportOnAll,
} from './fleet-choice.ts';
import { openProgress, type Progress } from './progress.ts';
import { type ExitCode, printReport, type Report } from './report.ts';
import { type Paint, painter, type Screen, screenOf, type Terminal } from './terminal.ts';

/** Options every command has. */
export interface CommonOptions {
  readonly json?: boolean | undefined;
  /** Which workspace of a fleet is meant. */
  readonly workspace?: string | undefined;
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
  /** The file of the fleet; null where there is none. @throws UsageError naming every mistake. */
  fleet(): Promise<FleetConfig | null>;
  /**
   * Runs `work` for the workspace that is meant, or for each of the fleet where none is named, and
   * makes one report of all.
   */
  forEach(
    work: (context: CommandContext) => Promise<Report>,
    options?: { readonly remote?: boolean },
  ): Promise<Report>;
  /** Calls whenever the terminal hangs up, or somebody asks for settings to be read anew. */
  readonly onHangup: OnHangup;
}

/** @returns what ends it. */
export type OnHangup = (listener: () => void) => () => void;

interface ContextOptions {
  readonly json: boolean;
  readonly debug: { on: boolean };
  readonly workspace: string | undefined;
  /** Chosen already, of a fleet that was read. */
  readonly entry?: FleetEntry;
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
      const found = await work(this.#context({ json, debug, workspace }));
      if (found === null) return;
      const report = workspace === undefined ? found : reportFor(found, workspace);
      this.exitCode = report.exitCode;
      printReport(this.#terminal, report, json ? form : 'human');
    } catch (error) {
      this.fail(error, { json, form, debug: debug.on, workspace: options.workspace });
    }
  }

  fail(
    error: unknown,
    how: { json: boolean; form?: JsonForm; debug?: boolean; workspace?: string | undefined },
  ): void {
    const described = describeFailure(error);
    const failure = how.workspace === undefined ? described : failureFor(described, how.workspace);
    const { out, err } = this.#terminal;
    this.exitCode = error instanceof UsageError ? 2 : 1;
    for (const line of renderFailure(failure, painter(err))) err.write(`${line}\n`);
    if (how.debug === true) for (const frame of stackFrames(error)) err.write(`${frame}\n`);
    if (!how.json) return;
    const type = how.form === 'lines' ? { type: 'error' } : {};
    out.write(`${stringifyJson({ ...type, error: failure, next: failure.hint })}\n`);
  }

  #context(options: ContextOptions): CommandContext {
    const { json, debug, workspace } = options;
    const terminal = this.#terminal;
    const signal = this.#signal;
    const warn = (text: string) => {
      terminal.err.write(`${painter(terminal.err)('yellow', 'warning:')} ${text}\n`);
    };
    const readFleet = async (remote = true): Promise<FleetConfig | null> => {
      if (fleetPath() === null) return null;
      const fleet = await loadFleet({ env: environment(), remote });
      debug.on = isVerbose(fleet.process.logLevel);
      for (const name of fleet.unusedVariables) warn(`${name} is not used: ${FLEET} is set`);
      return fleet;
    };
    const config = async ({ remote = true }: { readonly remote?: boolean } = {}) => {
      if (options.entry !== undefined) return options.entry.config;
      const fleet = await readFleet(remote);
      if (fleet !== null) return chooseWorkspace(fleet, workspace).config;
      const loaded = await loadConfig({ remote });
      debug.on = isVerbose(loaded.logLevel);
      checkLoneName(loaded, workspace);
      for (const name of loaded.unknownVariables) warn(describeUnknown(name));
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
      async withSession(work, how) {
        const loaded = await config();
        const session = await openSession(loaded, { log: log(loaded), signal }, how);
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
      fleet: readFleet,
      forEach: async (work, { remote = true } = {}) => {
        const fleet = workspace === undefined ? await readFleet(remote) : null;
        if (fleet === null) return await work(this.#context(options));
        return await reportOnAll(fleet, painter(terminal.out), (entry) =>
          work(this.#context({ ...options, entry })),
        );
      },
      onHangup: this.#onHangup,
    };
  }
}

const FLEET = 'CLARIFY_SYNC_FLEET';

function isVerbose(level: Config['logLevel']): boolean {
  return level === 'debug' || level === 'trace';
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
