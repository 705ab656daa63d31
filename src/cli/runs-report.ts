import type { ObjectRun } from '../app/pull-all.ts';
import type { PushOutcome } from '../app/push-once.ts';
import type { SyncOutcome } from '../app/sync-once.ts';
import type { Failure } from './failure.ts';
import { prose } from './fit.ts';
import { type LeftOver, needsPerson, nextForLeftOver } from './left-over.ts';
import { showCount, showPlural } from './quantity.ts';
import type { ExitCode, Report } from './report.ts';
import { renderTable } from './table.ts';
import { type Paint, printable, type Screen, type Style } from './terminal.ts';

const COUNTS = ['read', 'inserted', 'updated', 'removed', 'conflicts'] as const;
const COLOUR: Readonly<Record<ObjectRun['state'], Style>> = {
  ok: 'green',
  incomplete: 'yellow',
  failed: 'red',
};

/**
 * A CRM may list objects that have no records to read: the run says so, and nobody has to do
 * anything about it.
 */
export const OBJECT_UNAVAILABLE = 'object-unavailable';

function isUnavailable({ error }: ObjectRun): boolean {
  return error?.code === OBJECT_UNAVAILABLE;
}

/** Rows have lost their record, and a person has to say whether they may go. */
const NEEDS_APPROVAL: ReadonlySet<string> = new Set([
  'reconcile-mass-delete',
  'reconcile-no-witness',
]);

function needsApproval({ error }: ObjectRun): boolean {
  return isForApproval(error?.code ?? null);
}

/** Whether an error's code says that a person has to approve something. */
export function isForApproval(code: string | null): boolean {
  return code !== null && NEEDS_APPROVAL.has(code);
}

function isInterrupted({ error }: ObjectRun): boolean {
  return error?.code === 'interrupted';
}

/** What a pass over objects came to: whole, and what is left afterwards. */
export interface PassOutcome {
  readonly objects: readonly ObjectRun[];
  /** Undefined where the command sends nothing, null where push is off. */
  readonly push?: PushOutcome | null | undefined;
  readonly left: LeftOver;
  /** Of a pass that looks for what was deleted: rows that the CRM, by its title, does not show. */
  readonly unconfirmed?: SyncOutcome['unconfirmed'];
  readonly crm?: string;
  /** What to run for them again. */
  readonly command?: 'sync' | 'reconcile';
  readonly pushIsOn: boolean;
  readonly interrupted: boolean;
}

/** The report of `sync`, `pull`, `push`, `backfill` and, with a table of its own, `reconcile`. */
export function reportPass(
  outcome: PassOutcome,
  screen: Screen,
  render: (objects: readonly ObjectRun[], screen: Screen) => string[] = renderRuns,
): Report {
  const { objects, push, left, unconfirmed } = outcome;
  const whole = (unconfirmed ?? []).length === 0;
  const failures = [
    ...failuresOf(objects, outcome.interrupted),
    ...(push?.errors ?? []).map(({ object, ...error }) => {
      return { ...error, message: `push of ${object}: ${error.message}`, problems: [] };
    }),
  ];
  return {
    json: {
      objects,
      ...(push !== undefined && { push }),
      left,
      ...(unconfirmed !== undefined && { unconfirmed }),
    },
    text: [
      ...(objects.length > 0 ? render(objects, screen) : []),
      ...(push === undefined ? [] : [describePush(push, outcome.pushIsOn)]),
      ...describeLeft(left, whole && failures.length === 0, screen.paint),
      ...prose(describeUnconfirmed(outcome, screen.paint), screen),
    ],
    failures,
    exitCode: exitCodeOf(outcome),
    next: nextFor(outcome, failures),
  };
}

function exitCodeOf(outcome: PassOutcome): ExitCode {
  const { objects, push, left, interrupted } = outcome;
  const unsent = push
    ? push.errors.length > 0 || (push.failed + push.unclear > 0 && left.pending > 0)
    : false;
  if (unsent) return 1;
  const exitCode = exitCodeOfRuns(objects, interrupted);
  const person = needsPerson(left) || isHeldBack(outcome);
  return exitCode === 0 && person ? 3 : exitCode;
}

/** Push is on and yet nothing was sent: the database is a copy of another installation's. */
function isHeldBack({ push, pushIsOn }: PassOutcome): boolean {
  return push === null && pushIsOn;
}

function nextFor(outcome: PassOutcome, failures: readonly Failure[]): string | null {
  if (failures.length > 0) return nextForFailures(failures);
  if (isHeldBack(outcome)) return 'to push from this database, run `clarify-sync doctor --adopt`';
  const { unconfirmed: [first] = [], command = 'sync' } = outcome;
  const again = first && `run \`clarify-sync ${command} ${first.object}\` again${after(first)}`;
  return nextForLeftOver(outcome.left, outcome.pushIsOn) ?? again ?? null;
}

function after({ tellsAt }: Pick<SyncOutcome['unconfirmed'][number], 'tellsAt'>): string {
  return tellsAt === null ? '' : ` after ${tellsAt}`;
}

/** 1 where anything was not read whole, 3 where a person has to approve something. */
export function exitCodeOfRuns(runs: readonly ObjectRun[], interrupted: boolean): ExitCode {
  const isWhole = (run: ObjectRun) =>
    run.state === 'ok' || isUnavailable(run) || needsApproval(run);
  if (interrupted || !runs.every(isWhole)) return 1;
  return runs.some(needsApproval) ? 3 : 0;
}

/** What went wrong with each object, and that the command was stopped. */
export function failuresOf(runs: readonly ObjectRun[], interrupted: boolean): readonly Failure[] {
  const failures = runs
    .filter((run) => !isUnavailable(run) && !(interrupted && isInterrupted(run)))
    .flatMap(toFailure);
  if (!interrupted) return failures;
  const hint = 'run the command again: it goes on where it stopped';
  return [...failures, { code: 'interrupted', message: 'stopped early', hint, problems: [] }];
}

/** How an object's run ended, in one word or two. */
export function showState(run: ObjectRun, paint: Paint): string {
  if (isUnavailable(run)) return paint('dim', 'no records');
  if (needsApproval(run)) return paint('yellow', 'waits for you');
  return paint(COLOUR[run.state], run.state);
}

function renderRuns(objects: readonly ObjectRun[], screen: Screen): string[] {
  const columns = [
    { title: 'object', least: 16 },
    { title: 'result' },
    ...COUNTS.map((title) => ({ title, align: 'right' as const })),
  ];
  const rows = objects.map((run) => [
    printable(run.object),
    showState(run, screen.paint),
    ...COUNTS.map((name) => showCount(run.counts[name] ?? 0)),
  ]);
  return renderTable(columns, rows, screen);
}

function describePush(push: PushOutcome | null, pushIsOn: boolean): string {
  if (push === null) return pushIsOn ? 'push: held back, this database is a copy' : 'push: off';
  if (push.delegatedTo !== null) {
    return `push: left to the running service (${printable(push.delegatedTo)})`;
  }
  const parts = [
    `${showCount(push.delivered)} delivered`,
    ...(['refused', 'gone', 'failed', 'unclear'] as const)
      .filter((name) => push[name] > 0)
      .map((name) => `${showCount(push[name])} ${name}`),
  ];
  return `push: ${parts.join(', ')}`;
}

function describeLeft(left: LeftOver, whole: boolean, paint: Paint): string[] {
  const parts = [
    [left.pending, showPlural(left.pending, 'change waiting', 'changes waiting')],
    [left.blocked, `${showCount(left.blocked)} blocked`],
    [left.parked, `${showCount(left.parked)} parked`],
    [left.openConflicts, showPlural(left.openConflicts, 'open conflict')],
    [left.setAside, `${showPlural(left.setAside, 'row')} put aside`],
  ] as const;
  const shown = parts.flatMap(([count, text]) => (count > 0 ? [text] : []));
  if (shown.length > 0) return [paint('yellow', `left: ${shown.join(', ')}`)];
  // Of what was not read nobody knows.
  return whole ? [paint('green', 'nothing is left to do')] : [];
}

/** `2 rows of deals are not shown by the CRM: another reading tells whether they are gone after …` */
function describeUnconfirmed(outcome: PassOutcome, paint: Paint): string[] {
  const { objects, unconfirmed = [], crm = '' } = outcome;
  // What kept a reading from telling is said by itself.
  const failed = new Set(objects.flatMap(({ object, error }) => (error === null ? [] : [object])));
  const unsaid = unconfirmed.filter(({ object }) => !failed.has(object));
  return unsaid.map((one) => {
    const { object, rows } = one;
    const what = `${showPlural(rows, 'row')} of ${printable(object)} ${rows === 1 ? 'is' : 'are'}`;
    const told = `another reading tells whether ${rows === 1 ? 'it is' : 'they are'} gone${after(one)}`;
    return paint('yellow', `${what} not shown by ${crm}: ${told}`);
  });
}

function toFailure({ object, error }: ObjectRun): Failure[] {
  if (error === null) return [];
  const { code, message, hint } = error;
  const named = message.startsWith(object) ? message : `${object}: ${message}`;
  return [{ code, message: named, hint: hint ?? null, problems: [] }];
}

export function nextForFailures(failures: readonly Failure[]): string {
  const again = 'run the command again: it goes on where it stopped';
  return failures.find(({ hint }) => hint !== null)?.hint ?? again;
}
