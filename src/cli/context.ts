import { type Config, describeUnknown, loadConfig } from '../app/config/config.ts';
import { environment, fleetPath } from '../app/config/variables.ts';
import type { FleetConfig, FleetEntry } from '../app/fleet/file.ts';
import type { Logger } from '../app/log.ts';
import { type OpenDatabase, openDatabaseOnly } from '../app/open-database.ts';
import type { Session } from '../app/session.ts';
import { checkLoneName, chooseWorkspace } from './fleet-choice.ts';
import type { Progress } from './progress.ts';
import type { Report } from './report.ts';
import { type Paint, painter, type Screen, screenOf, type Terminal } from './terminal.ts';

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
  log(config: Config): Promise<Logger>;
  /** Runs `work` with everything open, and closes it again whatever happens. */
  withSession<T>(
    work: (session: Session) => Promise<T>,
    options?: { readonly outlasts?: boolean },
  ): Promise<T>;
  /** Likewise with the database alone: for what needs no CRM. */
  withDatabase<T>(work: (open: OpenDatabase, config: Config) => Promise<T>): Promise<T>;
  /** Opens the one progress display of a command. */
  progress(): Promise<Progress>;
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

export interface ContextOptions {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly onHangup: OnHangup;
  readonly json: boolean;
  /** Switched on where the configuration asks for more than errors alone. */
  readonly debug: { on: boolean };
  readonly workspace: string | undefined;
  /** Chosen already, of a fleet that was read. */
  readonly entry?: FleetEntry;
}

export function createContext(options: ContextOptions): CommandContext {
  const { terminal, signal, onHangup, json, debug, workspace } = options;
  const warn = (text: string) => {
    terminal.err.write(`${painter(terminal.err)('yellow', 'warning:')} ${text}\n`);
  };
  const readFleet = async (remote = true): Promise<FleetConfig | null> => {
    if (fleetPath() === null) return null;
    // Late, like all that not every command needs: what is loaded is waited for.
    const { loadFleet } = await import('../app/fleet/file.ts');
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
  const log = async ({ logLevel }: Pick<Config, 'logLevel'>) => {
    const { openLog } = await import('../app/log.ts');
    return await openLog(logLevel);
  };
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
      const { openSession } = await import('../app/session.ts');
      const session = await openSession(loaded, { log: await log(loaded), signal }, how);
      announce(terminal, session);
      return await closing(session, work);
    },
    async withDatabase(work) {
      const loaded = await config({ remote: false });
      const open = await openDatabaseOnly(loaded, { log: lateLog(() => log(loaded)) });
      announce(terminal, open);
      return await closing(open, (opened) => work(opened, loaded));
    },
    async progress() {
      const { openProgress } = await import('./progress.ts');
      return openProgress(terminal, { json });
    },
    fleet: readFleet,
    forEach: async (work, { remote = true } = {}) => {
      const fleet = workspace === undefined ? await readFleet(remote) : null;
      if (fleet === null) return await work(createContext(options));
      const { reportOnAll } = await import('./fleet-report.ts');
      return await reportOnAll(fleet, screenOf(terminal.out), (entry) =>
        work(createContext({ ...options, entry })),
      );
    },
    onHangup,
  };
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

/** Of what looks at the database for a moment, there is hardly ever anything to log. */
function lateLog(open: () => Promise<Logger>) {
  return {
    warn(fields: object, message: string): void {
      void open().then((log) => log.warn(fields, message));
    },
  };
}
