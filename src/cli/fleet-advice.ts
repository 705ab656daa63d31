import type { Failure } from './failure.ts';
import type { Report } from './report.ts';

/** A command that takes `--workspace`, as it is quoted to people who have to run it. */
const QUOTED_COMMAND =
  /`clarify-sync (?!(?:run|emulator|demo|completion)\b)(?![^`]* --workspace )[^`]+(?=`)/g;

/** The same advice to somebody who has a fleet: each command in it says which workspace it is for. */
export function forWorkspace(advice: string, name: string): string {
  const word = /^[\w.-]+$/.test(name) ? name : `'${name}'`;
  return advice.replaceAll(QUOTED_COMMAND, (command) => `${command} --workspace ${word}`);
}

/** A report to somebody who has a fleet, likewise. */
export function reportFor(report: Report, name: string): Report {
  const { next, failures } = report;
  return {
    ...report,
    ...(failures && { failures: failures.map((one) => failureFor(one, name)) }),
    next: next === null ? null : forWorkspace(next, name),
  };
}

export function failureFor(failure: Failure, name: string): Failure {
  const { hint } = failure;
  return hint === null ? failure : { ...failure, hint: forWorkspace(hint, name) };
}
