import { describeAccess, objectSettings } from '../../app/config/config.ts';
import {
  type ActivityStanding,
  type BudgetStanding,
  type CommentStanding,
  type HeldChanges,
  type ObjectStanding,
  readStatus,
  type SideStanding,
  type Status,
  type Sweep,
  totalStanding,
} from '../../app/status.ts';
import { prose } from '../fit.ts';
import { needsPerson, nextForLeftOver } from '../left-over.ts';
import { showCount, showPlural, showSeconds } from '../quantity.ts';
import type { Report } from '../report.ts';
import { isForApproval, OBJECT_UNAVAILABLE } from '../runs-report.ts';
import type { CommandContext } from '../shell.ts';
import { renderTable } from '../table.ts';
import { type Paint, printable, type Screen } from '../terminal.ts';

export async function status(context: CommandContext): Promise<Report> {
  return await context.withDatabase(async ({ db }, config) => {
    const { push, access } = config;
    const standing = await readStatus(db);
    const left = totalStanding(standing.objects);
    const activities = standing.activities.filter(
      ({ object }) => objectSettings(config, object).activities,
    );
    const next = nextFor(standing, config.crm.title, nextForLeftOver(left, push));
    const said = [
      ...describeTroubles(standing.objects, context.paint),
      describeLeader(standing),
      ...describeProblems(standing.objects, next),
      ...standing.held.map(describeHeld),
      ...activities.map(describeActivities),
      ...standing.sides.map(describeSide),
      ...standing.comments.map(describeComments),
      ...standing.budgets.map((budget) => describeBudget(budget, config.crm.title)),
      `crm: ${config.crm.title}`,
      `access: ${describeAccess(access)}`,
    ];
    return {
      json: {
        objects: standing.objects.map(toJson),
        leader: standing.leader,
        held: standing.held,
        sides: standing.sides,
        comments: standing.comments,
        budgets: standing.budgets,
        activities: activities.map(({ object, records, read, whole, waiting, failed, error }) => {
          return { object, records, read, whole, waiting, failed, error };
        }),
        scans: standing.sweeps.flatMap(({ object, startedAt, finishedAt, dueAt }) =>
          dueAt === null ? [] : [{ object, startedAt, finishedAt, dueAt }],
        ),
        access,
        ...detailsOf(standing.objects),
      },
      text: [...renderObjects(standing, context.screen), ...prose(said, context.screen)],
      exitCode: needsPerson(left) || waitsForSomebody(standing) ? 3 : 0,
      next,
    };
  });
}

function waitsForSomebody({ objects, comments }: Status): boolean {
  if (comments.some(({ parked }) => parked > 0)) return true;
  return objects.some(
    ({ lastError, problem }) =>
      isForApproval(lastError) || (problem !== null && lastError !== 'schema-lock-timeout'),
  );
}

function describeBudget(
  { name, limit, remaining, resetsAt, isOver }: BudgetStanding,
  crm: string,
): string {
  const left = isOver
    ? `full again since`
    : `${showCount(remaining)} of ${showCount(limit)} requests left until`;
  return `budget of ${crm}, ${printable(name)}: ${left} ${resetsAt}`;
}

function describeActivities(standing: ActivityStanding): string {
  const { object, read, records, waiting, failed, error } = standing;
  const said = [
    `activities of ${showCount(read)} of ${showCount(records)} records read`,
    ...(waiting > 0 ? [`${showCount(waiting)} to read`] : []),
    ...(failed > 0 ? [`${showCount(failed)} failed (${printable(error ?? '')})`] : []),
  ];
  return `${printable(object)}: ${said.join(', ')}`;
}

/** `attachment of company: 1,200 of 4,000 read, 3 failed (remote-unavailable)` */
function describeSide({ part, object, ...side }: SideStanding): string {
  const { units, read, failed, error, nextAttemptAt } = side;
  const of = object === null ? part : `${part} of ${printable(object)}`;
  const failures = failed === 0 ? '' : `, ${showCount(failed)} failed`;
  const why = error === null ? '' : ` (${error})`;
  const stopped = nextAttemptAt === null ? '' : `, stopped, again at ${nextAttemptAt}`;
  return `${of}: ${showCount(read)} of ${showCount(units)} read${failures}${stopped}${why}`;
}

/** `comments on deal: 2 to send, 1 refused: see last_error in comment_outbox` */
function describeComments({ object, waiting, parked }: CommentStanding): string {
  const said = [
    ...(waiting > 0 ? [`${showCount(waiting)} to send`] : []),
    ...(parked > 0 ? [`${showCount(parked)} refused: see last_error in comment_outbox`] : []),
  ];
  return `comments on ${printable(object)}: ${said.join(', ')}`;
}

/** What to do is said of each but the one that `next` is about. */
function describeProblems(objects: readonly ObjectStanding[], next: string | null): string[] {
  return objects.flatMap(({ object, problem }) => {
    if (problem === null) return [];
    const { code, message, hint } = problem;
    const advice = hint === null || next === adviceFor(object, hint) ? [] : [hint];
    return [printable([`${message} [${code}]`, ...advice].join(': '))];
  });
}

function adviceFor(object: string, hint: string): string {
  return `${object}: ${hint}`;
}

function describeTroubles(objects: readonly ObjectStanding[], paint: Paint): string[] {
  return objects.flatMap(({ object, troubles }) =>
    troubles.map(({ part, code, message, since, nextAttemptAt }) => {
      const why = `${printable(message)} [${code}]`;
      return `${paint('red', `${printable(object)}: ${part} stopped`)} since ${since}, again at ${nextAttemptAt}: ${why}`;
    }),
  );
}

function describeLeader({ leader }: Status): string {
  if (leader === null) return 'no service runs';
  return `leader: ${printable(leader.holder)}, epoch ${leader.epoch}`;
}

function describeHeld({ object, changes, reason }: HeldChanges): string {
  return `${printable(object)}: ${showPlural(changes, 'change waits', 'changes wait')}: ${printable(reason)}`;
}

function toJson(object: ObjectStanding): Record<string, unknown> {
  const { rows, pending, blocked, parked, openConflicts } = object;
  const { lagSeconds, lastPulledAt, lastError } = object;
  return {
    object: object.object,
    rows,
    pending,
    blocked,
    parked,
    openConflicts,
    lagSeconds: lagSeconds === null ? null : Math.round(lagSeconds * 1_000) / 1_000,
    lastPulledAt,
    lastError,
  };
}

/** What is said of some objects only, beside the list that has the same members for all. */
function detailsOf(objects: readonly ObjectStanding[]): Record<string, unknown> {
  return {
    setAside: objects.flatMap(({ object, setAside }) =>
      setAside === 0 ? [] : [{ object, rows: setAside }],
    ),
    problems: objects.flatMap(({ object, problem }) =>
      problem === null ? [] : [{ object, ...problem }],
    ),
    troubles: objects.flatMap(({ object, troubles }) =>
      troubles.map(({ part, code, message, hint, since, attempts, nextAttemptAt }) => {
        return { object, part, code, message, hint, since, attempts, nextAttemptAt };
      }),
    ),
  };
}

function nextFor({ objects }: Status, crm: string, left: string | null): string | null {
  if (objects.length === 0) return 'nothing is mirrored yet: run `clarify-sync sync`';
  if (left !== null) return left;
  const hint = objects.flatMap(({ troubles }) => troubles).find((one) => one.hint !== null)?.hint;
  if (hint != null) return hint;
  const readable = objects.filter(({ lastError }) => lastError !== OBJECT_UNAVAILABLE);
  const broken = readable.find(({ lastError }) => lastError !== null);
  if (broken?.lastError?.startsWith('reconcile-')) {
    return `${broken.object} differs from ${crm}: run \`clarify-sync reconcile ${broken.object}\``;
  }
  if (broken?.problem?.hint != null) return adviceFor(broken.object, broken.problem.hint);
  if (broken !== undefined) {
    return `${broken.object} was not read whole: run \`clarify-sync pull ${broken.object}\``;
  }
  const unread = readable.find(({ lastPulledAt }) => lastPulledAt === null);
  return unread === undefined
    ? null
    : `${unread.object} was not read yet: run \`clarify-sync sync\``;
}

const COLUMNS = [
  { title: 'object', least: 16 },
  { title: 'rows', align: 'right' },
  { title: 'lag', align: 'right' },
  { title: 'pending', align: 'right' },
  { title: 'blocked', align: 'right', spareZero: 4 },
  { title: 'parked', align: 'right', spareZero: 6 },
  { title: 'conflicts', align: 'right', spareZero: 5 },
  { title: 'aside', align: 'right', spareZero: 3 },
  { title: 'watermark', spare: 1 },
  { title: 'sweep', spare: 2 },
  { title: 'last run', least: 12 },
] as const;

function renderObjects({ objects, sweeps }: Status, screen: Screen): string[] {
  const { paint } = screen;
  const flagged = (count: number) =>
    count === 0 ? paint('dim', '0') : paint('yellow', showCount(count));
  const rows = objects.map((object) => [
    printable(object.object),
    showCount(object.rows),
    object.lagSeconds === null ? '-' : showSeconds(object.lagSeconds),
    showCount(object.pending),
    flagged(object.blocked),
    flagged(object.parked),
    flagged(object.openConflicts),
    flagged(object.setAside),
    object.watermark ?? '-',
    describeSweep(
      sweeps.find((sweep) => sweep.object === object.object),
      paint,
    ),
    describeRun(object, paint),
  ]);
  return rows.length > 0 ? renderTable(COLUMNS, rows, screen) : [];
}

/** How far the round has come that finds what bumps no timestamp, or how old the last one is. */
function describeSweep(sweep: Sweep | undefined, paint: Paint): string {
  if (sweep === undefined || sweep.startedAt === null) return '-';
  const { finishedAt, pages, totalPages, problem, dueAt, nowMs } = sweep;
  const share = Math.floor((100 * pages) / Math.max(1, totalPages ?? 1, pages));
  const dueInMs = dueAt === null || finishedAt === null ? null : Date.parse(dueAt) - nowMs;
  const next =
    dueInMs === null ? '' : `, next ${dueInMs <= 0 ? 'now' : `in ${showSeconds(dueInMs / 1000)}`}`;
  const progress =
    finishedAt === null
      ? `${share}%`
      : `${showSeconds((nowMs - Date.parse(finishedAt)) / 1000)} ago${next}`;
  return problem === null ? progress : `${progress} ${paint('yellow', `(${printable(problem)})`)}`;
}

function describeRun({ lastRun, lastError }: ObjectStanding, paint: Paint): string {
  if (lastRun === null) return '-';
  if (lastError === OBJECT_UNAVAILABLE) return paint('dim', 'no records');
  const { kind, state } = lastRun;
  const colour = state === 'ok' ? 'green' : state === 'failed' ? 'red' : 'yellow';
  const error = lastError === null ? '' : ` (${printable(lastError)})`;
  return `${kind} ${paint(colour, state)}${error}`;
}
