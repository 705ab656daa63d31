import * as z from 'zod';
import { action } from '../kernel/admin.ts';
import { bodyParts } from '../kernel/admin-body.ts';
import { invalid, notFound } from './api-error.ts';
import {
  addObject,
  type ContactSketch,
  contactAttribute,
  crmAttribute,
  recordAttribute,
} from './standard-schema.ts';
import type { Workspace } from './workspace.ts';

const { object } = bodyParts;
const name = z.string().min(1);
const labels = z.record(z.string(), z.string());

/** One of any kind of object; which members it may have is that kind's. */
const attribute = z.strictObject({
  name,
  type: z.string().default('text'),
  label: z.string().optional(),
  /** Key → label; of a contact's multiple choice the keys count alone. */
  options: labels.optional(),
  /** Value → label: makes a category of contacts. */
  enumeration: labels.optional(),
  category: z.enum(['transactional', 'calculated', 'global']).optional(),
  required: z.boolean().optional(),
  readOnly: z.boolean().optional(),
});
type Attribute = z.infer<typeof attribute>;

const contactTypes = z.enum(['text', 'date', 'float', 'id', 'boolean', 'multiple-choice', 'user']);
const crmTypes = z.enum([
  'text',
  'number',
  'date',
  'boolean',
  'user',
  'single-select',
  'multi-choice',
]);
const recordTypes = z.enum([
  'text',
  'number',
  'boolean',
  'date',
  'category',
  'multiple_category',
  'multiple_choice',
  'json',
]);

/** What people change about the schema. */
export const schemaBodies = {
  'add-object': z.strictObject({
    type: z.string().regex(/^[a-z0-9_]{1,32}$/),
    attributes: z.array(attribute),
    primary: z.string().nullable().optional(),
    associations: z.array(z.string()).optional(),
  }),
  'remove-object': z.strictObject({ object }),
  'add-attribute': z.strictObject({ object, attribute }),
  /** Values that stand are no longer shown. */
  'remove-attribute': z.strictObject({ object, name }),
  /** An option or a category, by key or value: made, given another label, or removed. */
  option: z.strictObject({
    object,
    attribute: name,
    key: name,
    label: z.string().optional(),
    removed: z.boolean().default(false),
  }),
  /** Given another name, or made. */
  stage: z.strictObject({ pipeline: name, stage: name, name }),
  list: z.strictObject({ name }),
} as const;

export function changeSchema(workspace: Workspace) {
  const bodies = schemaBodies;
  return {
    'add-object': action(bodies['add-object'], (b) => {
      if (workspace.objects.has(b.type)) throw invalid(`there is an object ${b.type} already`);
      const attributes = b.attributes.map((each) => ({
        ...each,
        key: each.name,
        type: recordTypes.parse(each.type),
      }));
      addObject(workspace, { ...b, attributes });
    }),
    'remove-object': action(bodies['remove-object'], (b) => {
      if (!workspace.objects.delete(b.object)) throw notFound(`There is no object ${b.object}`);
    }),
    'add-attribute': action(bodies['add-attribute'], (b) =>
      addAttribute(workspace, b.object, b.attribute),
    ),
    'remove-attribute': action(bodies['remove-attribute'], (b) =>
      removeAttribute(workspace, b.object, b.name),
    ),
    option: action(bodies.option, (b) => {
      changeOption(workspace, b);
    }),
    stage: action(bodies.stage, (b) => {
      const stages = workspace.pipelines.find(({ id }) => id === b.pipeline)?.stages;
      if (stages === undefined) throw notFound('There is no such pipeline');
      const stage = stages.find(({ id }) => id === b.stage);
      if (stage === undefined) stages.push({ id: b.stage, name: b.name });
      else stage.name = b.name;
    }),
    list: action(bodies.list, (b) => {
      const id = workspace.nextNumber('lists');
      workspace.lists.set(id, { id, name: b.name, folderId: 1, createdMs: workspace.now() });
      return { id };
    }),
  };
}

function namesOf(workspace: Workspace, of: string): string[] {
  const { contactAttributes, crm, objects } = workspace;
  if (of === 'contacts') return contactAttributes.map((each) => each.name);
  if (of === 'companies' || of === 'deals') return crm[of].attributes.map((each) => each.name);
  const found = objects.get(of);
  if (found === undefined) throw notFound(`There is no object ${of}`);
  return found.attributes.map(({ key }) => key);
}

function addAttribute(workspace: Workspace, of: string, given: Attribute): void {
  if (namesOf(workspace, of).includes(given.name)) {
    throw invalid(`${of} has an attribute ${given.name} already`);
  }
  if (of === 'contacts') {
    const type = contactTypes.parse(given.type);
    const sketch: ContactSketch = { ...given, type, options: Object.keys(given.options ?? {}) };
    workspace.contactAttributes.push(contactAttribute(sketch));
  } else if (of === 'companies' || of === 'deals') {
    const type = crmTypes.parse(given.type);
    workspace.crm[of].attributes.push(crmAttribute({ ...given, type }));
  } else {
    const type = recordTypes.parse(given.type);
    workspace.objects
      .get(of)
      ?.attributes.push(recordAttribute({ ...given, key: given.name, type }));
  }
}

function removeAttribute(workspace: Workspace, of: string, gone: string): void {
  const position = namesOf(workspace, of).indexOf(gone);
  if (position === -1) throw notFound(`${of} has no attribute ${gone}`);
  if (of === 'contacts') workspace.contactAttributes.splice(position, 1);
  else if (of === 'companies' || of === 'deals') workspace.crm[of].attributes.splice(position, 1);
  else workspace.objects.get(of)?.attributes.splice(position, 1);
}

interface OptionChange {
  readonly object: string;
  readonly attribute: string;
  readonly key: string;
  readonly label?: string | undefined;
  readonly removed: boolean;
}

function changeOption(workspace: Workspace, change: OptionChange): void {
  const { object: of, attribute: named, key, label = key, removed } = change;
  const position = namesOf(workspace, of).indexOf(named);
  if (position === -1) throw notFound(`${of} has no attribute ${named}`);
  const attributes =
    of === 'companies' || of === 'deals'
      ? workspace.crm[of].attributes
      : workspace.objects.get(of)?.attributes;
  const options = attributes?.[position]?.options;
  if (options !== undefined) {
    const found = options.findIndex((each) => each.key === key);
    changeIn(options, found, { key, label }, removed);
    return;
  }
  const {
    options: choices = [],
    enumeration = [],
    type,
  } = workspace.contactAttributes[position] ?? {};
  if (type === null) {
    const found = enumeration.findIndex(({ value }) => value === key);
    changeIn(enumeration, found, { value: key, label }, removed);
  } else if (removed) choices.splice(choices.indexOf(key), choices.includes(key) ? 1 : 0);
  else if (!choices.includes(key)) choices.push(key);
}

function changeIn<T extends { label: string }>(
  list: T[],
  position: number,
  wanted: T,
  removed: boolean,
): void {
  const found = list[position];
  if (found === undefined && !removed) list.push(wanted);
  if (found === undefined) return;
  if (removed) list.splice(position, 1);
  else found.label = wanted.label;
}
