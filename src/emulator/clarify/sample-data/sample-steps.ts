import type { Json } from '../../../domain/json.ts';
import { type Fields, fieldOf, isObject } from '../../kernel/fields.ts';
import { pick, type Random } from '../../kernel/random.ts';
import { jobTitles, lastNames } from '../../kernel/sample-data/words.ts';
import { lifecycles, projectStates, stages, taskStates } from '../built-in-objects.ts';
import { itemsOf } from '../object-state.ts';
import { workspaceUsers } from '../users.ts';

/** Values that fields had before an edit, given all that they had after it. */
export type Step = (after: Fields) => readonly (readonly [field: string, was: Json])[];

type Steps = (random: Random, last: Fields) => Step[];

const DAY_MS = 86_400_000;

/** The edits that led to what a record of the sample data holds, the last one first. */
export function sampleSteps(object: string, random: Random, last: Fields): Step[] {
  return STEPS[object]?.(random, last) ?? [];
}

const STEPS: Readonly<Record<string, Steps>> = {
  deal(random, last) {
    const steps: Step[] = [];
    if (random.next() < 0.3) steps.push(dealEdit(random));
    for (const stage of stagesBefore(random, fieldOf(last, 'stage'))) {
      const edit = random.next() < 0.7 ? dealEdit(random) : null;
      // Some change a deal's stage and its figures at once, some one after the other.
      if (edit !== null && random.next() < 0.5) {
        steps.push((after) => [['stage', stage], ...edit(after)]);
        continue;
      }
      steps.push(() => [['stage', stage]]);
      if (edit !== null) steps.push(edit);
    }
    return steps.length > 0 ? steps : [dealEdit(random)];
  },
  person(random, last) {
    const before = upTo(lifecycles, fieldOf(last, 'lifecycle'));
    const steps = before.map(
      (lifecycle): Step =>
        () => [['lifecycle', lifecycle]],
    );
    if (random.next() < 0.5 || steps.length === 0) {
      steps.splice(random.int(steps.length + 1), 0, personEdit(random));
    }
    return steps;
  },
  company: (random) => [
    (after) => [
      scaled(random, after, 'employee_count', 1),
      scaled(random, after, 'annual_revenue', 100),
    ],
  ],
  task(random, last) {
    const status = fieldOf(last, 'status');
    const steps: Step[] = [];
    if (status === 'Done') {
      steps.push(() => [
        ['status', 'In Progress'],
        ['completed_at', null],
      ]);
    }
    if (status === 'Done' || status === 'In Progress' || status === 'Canceled') {
      steps.push(() => [['status', taskStates[0]]]);
    }
    if (random.next() < 0.3 || steps.length === 0) {
      steps.push((after) => [postponed(random, after, 'due_date')]);
    }
    return steps;
  },
  meeting: () => [(after) => [[fieldOf(after, 'summary') === null ? 'location' : 'summary', null]]],
  meeting_recording: () => [
    (after) => [
      ['status', fieldOf(after, 'status') === 'done' ? 'processing' : 'recording'],
      ['end_at', null],
    ],
  ],
  c_project: (random, last) => [
    ...upTo(projectStates, fieldOf(last, 'status')).map(
      (status): Step =>
        () => [['status', status]],
    ),
    (after) => [scaled(random, after, 'budget', 100)],
  ],
};

/** Stages that a deal went through before this one, the last one first. */
function stagesBefore(random: Random, stage: Json): string[] {
  const [discovery, proposal, negotiation, , lost] = stages;
  const open: readonly string[] = [discovery, proposal, negotiation];
  const at = open.findIndex((each) => each === stage);
  if (at < 0) {
    // A deal that is lost need not have got far, and one that is closed may have been lost before.
    const reached = stage === lost ? random.int(open.length) : open.length - 1;
    const again = random.next() < 0.1 ? [negotiation, lost] : [];
    return [...again, ...climb(random, open, reached)];
  }
  if (random.next() >= 0.25) return climb(random, open, at - 1);
  return at + 1 < open.length ? climb(random, open, at + 1) : [lost, ...climb(random, open, at)];
}

/** The way up to a stage, it first; now and then a deal falls back by one and gets up again. */
function climb(random: Random, stagesUp: readonly string[], to: number): string[] {
  const path: string[] = [];
  for (let step = to; step >= 0; step -= 1) {
    const [here = '', below] = [stagesUp[step], stagesUp[step - 1]];
    path.push(here);
    if (below !== undefined && random.next() < 0.15) path.push(below, here);
  }
  return path;
}

/** Amount, close date, probability or owner. */
function dealEdit(random: Random): Step {
  const kind = random.int(8);
  return (after) => {
    if (kind < 2) return [scaled(random, after, 'amount', 100)];
    if (kind < 6) return [postponed(random, after, 'close_date')];
    if (kind === 6) return [scaled(random, after, 'probability', 10_000, 1)];
    return [['owner_id', pick(random, workspaceUsers).id]];
  };
}

/** A title, a family name, an employer that nobody knew, or a second address. */
function personEdit(random: Random): Step {
  const kind = random.int(4);
  return (after) => {
    const [name, emails] = [fieldOf(after, 'name'), itemsOf(fieldOf(after, 'email_addresses'))];
    if (kind === 0 && isObject(name) && typeof name.first_name === 'string') {
      const last = pick(random, lastNames);
      const full = `${name.first_name} ${last}`;
      return [['name', { ...name, last_name: last, full_name: full }]];
    }
    if (kind === 1 && emails.length > 1)
      return [['email_addresses', { items: emails.slice(0, 1) }]];
    if (kind === 2 && fieldOf(after, 'company_id') !== null) return [['company_id', null]];
    const title = 'job_title' in after ? 'job_title' : 'title';
    return [[title, pick(random, jobTitles)]];
  };
}

/** The options that come before this one, the last one first. */
function upTo(options: readonly string[], value: Json): string[] {
  const at = options.findIndex((each) => each === value);
  return options.slice(0, Math.max(at, 0)).toReversed();
}

/** A number was 60 to 130 % of what it became. */
function scaled(
  random: Random,
  after: Fields,
  field: string,
  perUnit: number,
  most = Number.POSITIVE_INFINITY,
): readonly [string, Json] {
  const value = fieldOf(after, field);
  if (typeof value !== 'number') return [field, value];
  const was = Math.round(value * (0.6 + random.next() * 0.7) * perUnit) / perUnit;
  return [field, Math.min(was, most)];
}

/** A date was up to two months earlier than it became, and now and then later. */
function postponed(random: Random, after: Fields, field: string): readonly [string, Json] {
  const value = fieldOf(after, field);
  if (typeof value !== 'string') return [field, value];
  const days = 15 - random.int(75) || 1;
  return [field, new Date(Date.parse(value) + days * DAY_MS).toISOString().slice(0, 10)];
}
