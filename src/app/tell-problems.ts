import type { MirrorChange } from '../db/mirror/apply.ts';
import type { MirrorProblem } from '../db/mirror/problem.ts';
import type { Logger } from './log.ts';

type Log = Pick<Logger, 'info' | 'warn'>;

/** Each problem once, when it is new, and once more when it is gone. */
export function tellProblems(
  log: Log,
  before: Pick<MirrorChange, 'problems'>,
  now: Pick<MirrorChange, 'problems'>,
): void {
  const known = new Set(before.problems.map(nameOf));
  const standing = new Set(now.problems.map(({ object }) => object));
  for (const problem of now.problems) if (!known.has(nameOf(problem))) tellProblem(log, problem);
  for (const { object, code, stops } of before.problems) {
    if (standing.has(object)) continue;
    log.info({ object, code }, stops ? 'object mirrored again' : 'object follows its schema again');
  }
}

function nameOf({ message, stops }: MirrorProblem): string {
  return `${stops} ${message}`;
}

function tellProblem(log: Log, { object, code, message, error, stops }: MirrorProblem): void {
  const { hint } = error;
  const what = stops ? 'object not mirrored' : 'object mirrored as it was before';
  log.warn({ object, code, ...(hint !== undefined && { hint }) }, `${what}: ${message}`);
}
