import type { Command } from 'commander';
import { discoverWorkspace, planWorkspace, type SchemaPlan } from '../../app/workspace-schema.ts';
import type { Field, ObjectSchema } from '../../domain/schema.ts';
import { showPlural } from '../quantity.ts';
import type { Report } from '../report.ts';
import type { CommandContext, CommonOptions, Shell } from '../shell.ts';
import { renderTable } from '../table.ts';
import { type Paint, printable } from '../terminal.ts';

interface SchemaFlags extends CommonOptions {
  readonly sql?: boolean;
}

export function addSchema(program: Command, shell: Shell): void {
  program
    .command('schema')
    .summary('the objects and fields of the workspace')
    .description(
      'The objects and fields that the workspace has, as it describes them now. With --sql the\nstatements that would bring the mirror tables up to it; none is run.',
    )
    .option('--sql', 'the statements a sync would run; needs the database as well')
    .option('--json', 'one JSON document on standard output')
    .addHelpText('after', '\nExample:\n  clarify-sync schema --sql > mirror.sql')
    .action((flags: SchemaFlags) =>
      shell.run(flags, 'document', (context) => schema(context, flags.sql === true)),
    );
}

async function schema(context: CommandContext, withSql: boolean): Promise<Report> {
  const config = await context.config();
  const deps = { log: context.log(config), signal: context.signal };
  const schemas = await discoverWorkspace(config, deps);
  if (withSql) return reportPlan(await planWorkspace(config, deps, schemas));
  return {
    json: { objects: schemas },
    text: schemas.flatMap((each) => [...renderObject(each, context.paint), '']),
    exitCode: 0,
    next: null,
  };
}

function reportPlan({ steps, problems }: SchemaPlan): Report {
  return {
    json: {
      steps,
      problems: problems.map(({ object, code, message }) => ({ object, code, message })),
    },
    text:
      steps.length === 0
        ? ['-- the mirror tables are up to date']
        : steps.map(({ description, sql }) => `-- ${printable(description)}\n${sql};`),
    failures: problems.map(({ object, code, message, error }) => ({
      code,
      message: `${object}: ${message}`,
      hint: error.hint ?? null,
      problems: [],
    })),
    exitCode: problems.length > 0 ? 1 : 0,
    next:
      steps.length === 0
        ? null
        : `\`clarify-sync sync\` runs ${showPlural(steps.length, 'statement')}`,
  };
}

const COLUMNS = [{ title: '  field' }, { title: 'kind' }, { title: 'about' }] as const;

function renderObject({ object, label, identity, fields, readOnly }: ObjectSchema, paint: Paint) {
  const facts = [
    printable(label.plural),
    ...(identity === null ? [] : [`known by ${printable(identity)}`]),
    ...(readOnly === null ? [] : [`read-only: ${printable(readOnly)}`]),
  ];
  const rows = fields.map((field) => [`  ${printable(field.name)}`, field.kind, about(field)]);
  return [
    `${paint('bold', printable(object))} (${facts.join(', ')})`,
    ...renderTable(COLUMNS, rows, paint),
  ];
}

function about({ label, unique, relationship, parts }: Field): string {
  const facts = [
    ...(label === null ? [] : [label]),
    ...(unique ? ['unique'] : []),
    ...(relationship === null ? [] : [`${relationship.kind} ${relationship.object}`]),
    ...(parts.length === 0 ? [] : [`with ${parts.map(({ name }) => name).join(', ')}`]),
  ];
  return printable(facts.join(', '));
}
