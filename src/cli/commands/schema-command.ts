import {
  describeUndescribed,
  discoverWorkspace,
  planWorkspace,
  planWorkspaceModule,
  type SchemaPlan,
} from '../../app/workspace-schema.ts';
import type { Field, ObjectSchema } from '../../domain/schema.ts';
import type { Failure } from '../failure.ts';
import { showPlural } from '../quantity.ts';
import type { Report } from '../report.ts';
import type { CommandContext, CommonOptions } from '../shell.ts';
import { renderTable } from '../table.ts';
import { printable, type Screen } from '../terminal.ts';

export interface SchemaFlags extends CommonOptions {
  readonly sql?: boolean;
  readonly drizzle?: boolean;
}

export async function schema(
  context: CommandContext,
  { sql, drizzle }: SchemaFlags,
): Promise<Report> {
  const config = await context.config();
  const deps = { log: await context.log(config), signal: context.signal };
  const described = await discoverWorkspace(config, deps);
  if (sql === true) return reportPlan(await planWorkspace(config, deps, described));
  if (drizzle === true) return reportModule(await planWorkspaceModule(config, deps, described));
  const { schemas, undescribed = new Map() } = described;
  const problems = describeUndescribed(undescribed);
  return {
    json: { objects: schemas, problems: withoutErrors(problems) },
    text: schemas.flatMap((each) => [...renderObject(each, context.screen), '']),
    failures: failuresOf(problems),
    exitCode: problems.length > 0 ? 1 : 0,
    next: null,
  };
}

function reportPlan({ steps, problems }: SchemaPlan): Report {
  return {
    json: {
      steps,
      problems: withoutErrors(problems),
    },
    text:
      steps.length === 0
        ? ['-- the mirror tables are up to date']
        : steps.map(({ description, sql }) => `-- ${printable(description)}\n${sql};`),
    failures: failuresOf(problems),
    exitCode: problems.length > 0 ? 1 : 0,
    next:
      steps.length === 0
        ? null
        : `\`clarify-sync sync\` runs ${showPlural(steps.length, 'statement')}`,
  };
}

function reportModule(planned: Awaited<ReturnType<typeof planWorkspaceModule>>): Report {
  const { module, problems } = planned;
  return {
    json: { module, problems: withoutErrors(problems) },
    text: module.trimEnd().split('\n'),
    failures: failuresOf(problems),
    exitCode: problems.length > 0 ? 1 : 0,
    next: 'write it to a file of your project, which needs drizzle-orm; make it anew when fields change',
  };
}

function withoutErrors(problems: SchemaPlan['problems']) {
  return problems.map(({ object, code, message }) => ({ object, code, message }));
}

function failuresOf(problems: SchemaPlan['problems']): Failure[] {
  return problems.map(({ object, code, message, error }) => ({
    code,
    message: message.startsWith(object) ? message : `${object}: ${message}`,
    hint: error.hint ?? null,
    problems: [],
  }));
}

const COLUMNS = [{ title: '  field' }, { title: 'kind' }, { title: 'about', wraps: true }] as const;

function renderObject({ object, label, identity, fields, readOnly }: ObjectSchema, screen: Screen) {
  const facts = [
    printable(label.plural),
    ...(identity === null ? [] : [`known by ${printable(identity)}`]),
    ...(readOnly === null ? [] : [`read-only: ${printable(readOnly)}`]),
  ];
  const rows = fields.map((field) => [`  ${printable(field.name)}`, field.kind, about(field)]);
  return [
    `${screen.paint('bold', printable(object))} (${facts.join(', ')})`,
    ...renderTable(COLUMNS, rows, screen),
  ];
}

function about({ label, unique, relationship, parts, readOnly }: Field): string {
  const facts = [
    ...(label === null ? [] : [label]),
    ...(unique ? ['unique'] : []),
    ...(readOnly === true ? ['read-only'] : []),
    ...(relationship === null ? [] : [`${relationship.kind} ${relationship.object}`]),
    ...(parts.length === 0 ? [] : [`with ${parts.map(({ name }) => name).join(', ')}`]),
  ];
  return printable(facts.join(', '));
}
