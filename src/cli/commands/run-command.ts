import type { FleetConfig } from '../../app/fleet/file.ts';
import { openLog } from '../../app/log.ts';
import type { Session } from '../../app/session.ts';
import { UsageError } from '../../domain/errors.ts';
import { collectWhenQuiet } from '../collect-when-quiet.ts';
import type { Report } from '../report.ts';
import type { CommandContext } from '../shell.ts';

const STOPPED: Report = { json: { stopped: true }, text: [], exitCode: 0, next: null };

export async function run(context: CommandContext): Promise<Report> {
  const endCollecting = collectWhenQuiet();
  try {
    return await serveAll(context);
  } finally {
    endCollecting();
  }
}

async function serveAll(context: CommandContext): Promise<Report> {
  const fleet = await context.fleet();
  if (fleet !== null) return await runAll(context, fleet);
  // Not with the program: scheduler and status server weigh on the memory of every other command.
  const { runDaemon } = await import('../../app/daemon/daemon.ts');
  let isReady = false;
  const serve = async (session: Session): Promise<Report> => {
    const { log, config } = session;
    await runDaemon(session, {
      signal: context.signal,
      onReady(statusUrl) {
        isReady = true;
        log.info({ push: config.push, objects: session.tables.length, statusUrl }, 'running');
      },
    });
    log.info('stopped');
    return STOPPED;
  };
  try {
    return await context.withSession(serve, { outlasts: true });
  } catch (error) {
    // Whoever stops a service that is still starting leaves nothing undone.
    if (isReady || !context.signal.aborted) throw error;
    return STOPPED;
  }
}

async function runAll(context: CommandContext, config: FleetConfig): Promise<Report> {
  const { runFleet } = await import('../../app/fleet/run-fleet.ts');
  const log = await openLog(config.process.logLevel);
  const { signal, onHangup } = context;
  await runFleet(config, {
    log,
    signal,
    onHangup,
    async reread() {
      const anew = await context.fleet();
      if (anew === null) throw new UsageError(['CLARIFY_SYNC_FLEET is not set any more']);
      return anew;
    },
    onReady: ({ fleet: { holder }, statusUrl }) =>
      log.info({ workspaces: config.workspaces.length, process: holder, statusUrl }, 'running'),
  });
  log.info('stopped');
  return STOPPED;
}
