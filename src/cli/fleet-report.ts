import PQueue from 'p-queue';
import type { FleetConfig, FleetEntry } from '../app/fleet/file.ts';
import { UsageError } from '../domain/errors.ts';
import { describeFailure, type Failure, renderFailure } from './failure.ts';
import { failureFor, reportFor } from './fleet-advice.ts';
import { type ExitCode, type Report, renderAdvice } from './report.ts';
import { printable, type Screen } from './terminal.ts';

/** What the command came to for one workspace. */
interface One {
  readonly name: string;
  readonly report: Report | null;
  readonly failure: Failure | null;
  readonly exitCode: ExitCode;
}

/** Their databases are asked side by side, and each opens connections of its own. */
const AT_ONCE = 4;

/** Runs a command for every workspace; one that fails is told of, and the others go on. */
export async function reportOnAll(
  { workspaces }: Pick<FleetConfig, 'workspaces'>,
  screen: Screen,
  work: (entry: FleetEntry) => Promise<Report>,
): Promise<Report> {
  const queue = new PQueue({ concurrency: AT_ONCE });
  const all = await queue.addAll(
    workspaces.map((entry) => async (): Promise<One> => {
      const { name } = entry;
      try {
        const report = reportFor(await work(entry), name);
        return { name, report, failure: null, exitCode: report.exitCode };
      } catch (error) {
        const exitCode = error instanceof UsageError ? 2 : 1;
        return { name, report: null, failure: failureFor(describeFailure(error), name), exitCode };
      }
    }),
  );
  const fromWorst = all.toSorted(
    (a, b) => BADNESS.indexOf(b.exitCode) - BADNESS.indexOf(a.exitCode),
  );
  const worst = fromWorst[0];
  const adviser = fromWorst.find((one) => nextOf(one) !== null);
  return {
    json: { workspaces: all.map(toJson) },
    text: all.flatMap((one) => [
      screen.paint('bold', printable(one.name)),
      ...linesOf(one, screen),
      '',
    ]),
    exitCode: worst?.exitCode ?? 0,
    next: adviser === undefined ? null : `${adviser.name}: ${nextOf(adviser)}`,
  };
}

/** From the best to the worst. */
const BADNESS: readonly ExitCode[] = [0, 3, 1, 2];

function nextOf({ report, failure }: One): string | null {
  return report?.next ?? failure?.hint ?? null;
}

function toJson({ name, report, failure }: One): Readonly<Record<string, unknown>> {
  return failure === null
    ? { name, ...report?.json, next: report?.next ?? null }
    : { name, error: failure, next: failure.hint };
}

function linesOf({ report, failure }: One, screen: Screen): readonly string[] {
  if (failure !== null) return renderFailure(failure, screen);
  return report === null ? [] : [...report.text, ...renderAdvice(report, screen)];
}
