import { stringifyJson } from '../domain/json.ts';
import type { Failure } from './failure.ts';
import { renderFailure } from './failure.ts';
import { prose } from './fit.ts';
import { type Screen, screenOf, type Terminal } from './terminal.ts';

/**
 * 0 all went well, 1 something failed, 2 wrong usage or configuration, 3 all went well but
 * something is left for a person.
 */
export type ExitCode = 0 | 1 | 2 | 3;

/** What a command came to, for both readers: the shell prints it, no command prints by itself. */
export interface Report {
  /** The document of `--json`, without `next`. */
  readonly json: Readonly<Record<string, unknown>>;
  /** What a person reads, line by line. */
  readonly text: readonly string[];
  /** What went wrong on the way, although the command went on. */
  readonly failures?: readonly Failure[];
  readonly exitCode: ExitCode;
  /** What to do next, one line; null where nothing is left to do. */
  readonly next: string | null;
}

/** `lines`: the command has told its progress in JSON lines, so the result says what it is. */
export function printReport(
  terminal: Terminal,
  report: Report,
  format: 'human' | 'document' | 'lines',
): void {
  if (format !== 'human') {
    const type = format === 'lines' ? { type: 'result' } : {};
    terminal.out.write(`${stringifyJson({ ...type, ...report.json, next: report.next })}\n`);
    return;
  }
  for (const line of report.text) terminal.out.write(`${line}\n`);
  for (const line of renderAdvice(report, screenOf(terminal.err))) terminal.err.write(`${line}\n`);
}

/** What went wrong, and what to do next unless that has said it. */
export function renderAdvice({ failures = [], next }: Report, screen: Screen): string[] {
  const isSaid = next === null || failures.some(({ hint }) => hint === next);
  return [
    ...failures.flatMap((failure) => renderFailure(failure, screen)),
    ...(isSaid ? [] : prose([`→ ${next}`], screen)),
  ];
}
