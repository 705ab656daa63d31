import { type Random, uuid } from '../kernel/random.ts';
import type { Attribute, AttributeType } from './attribute.ts';
import type { Instant } from './instants.ts';
import { findAttribute, type ObjectState } from './workspace.ts';

/** What is said of an attribute; the rest is as most have it. */
export interface AttributeSketch {
  readonly slug: string;
  readonly type: AttributeType;
  readonly title?: string | undefined;
  readonly multi?: boolean | undefined;
  readonly required?: boolean | undefined;
  readonly unique?: boolean | undefined;
  readonly readOnly?: boolean | undefined;
  readonly system?: boolean | undefined;
  readonly options?: readonly string[] | undefined;
  readonly currency?: string | undefined;
  /** Slugs of the objects a reference may name. */
  readonly to?: readonly string[] | undefined;
}

export interface ObjectSketch {
  readonly slug: string | null;
  readonly singular: string;
  readonly plural: string;
  readonly attributes: readonly AttributeSketch[];
}

export const priorities = ['Low', 'Medium', 'High'];
export const categories = ['Automotive', 'B2B', 'Biotech', 'Energy', 'Food', 'Logistics', 'SAAS'];
export const stages = ['Lead', 'In Progress', 'Won 🎉', 'Lost'];
export const tags = ['imported', 'key account', 'on hold', 'renewal'];

const location = { slug: 'primary_location', type: 'location' } as const;

/** The three standard objects that every workspace has, and one of its own. */
export const standardObjects: readonly ObjectSketch[] = [
  {
    slug: 'people',
    singular: 'Person',
    plural: 'People',
    attributes: [
      { slug: 'name', type: 'personal-name' },
      { slug: 'email_addresses', type: 'email-address', multi: true, unique: true },
      { slug: 'description', type: 'text' },
      { slug: 'company', type: 'record-reference', to: ['companies'] },
      { slug: 'job_title', type: 'text' },
      { slug: 'avatar_url', type: 'text', readOnly: true },
      { slug: 'phone_numbers', type: 'phone-number', multi: true },
      location,
      { slug: 'linkedin', type: 'text' },
      { slug: 'last_email_interaction', type: 'interaction', readOnly: true },
      { slug: 'associated_deals', type: 'record-reference', multi: true, to: ['deals'] },
    ],
  },
  {
    slug: 'companies',
    singular: 'Company',
    plural: 'Companies',
    attributes: [
      { slug: 'domains', type: 'domain', multi: true, unique: true },
      { slug: 'name', type: 'text' },
      { slug: 'description', type: 'text' },
      { slug: 'team', type: 'record-reference', multi: true, to: ['people'] },
      { slug: 'categories', type: 'select', multi: true, options: categories },
      location,
      { slug: 'logo_url', type: 'text', readOnly: true },
      {
        slug: 'estimated_arr_usd',
        type: 'select',
        readOnly: true,
        options: ['$1M-$10M', '$10M-$50M'],
      },
      { slug: 'funding_raised_usd', type: 'currency', readOnly: true, currency: 'USD' },
      { slug: 'foundation_date', type: 'date' },
      { slug: 'associated_deals', type: 'record-reference', multi: true, to: ['deals'] },
    ],
  },
  {
    slug: 'deals',
    singular: 'Deal',
    plural: 'Deals',
    attributes: [
      { slug: 'name', type: 'text', required: true, system: true },
      { slug: 'stage', type: 'status', required: true, system: true, options: stages },
      { slug: 'owner', type: 'actor-reference', required: true, system: true },
      { slug: 'value', type: 'currency', currency: 'USD' },
      { slug: 'associated_people', type: 'record-reference', multi: true, to: ['people'] },
      { slug: 'associated_company', type: 'record-reference', to: ['companies'] },
    ],
  },
  {
    slug: 'projects',
    singular: 'Project',
    plural: 'Projects',
    attributes: [
      { slug: 'name', type: 'text', required: true, system: false },
      { slug: 'code', type: 'text', unique: true, system: false },
      { slug: 'priority', type: 'rating', system: false },
      { slug: 'active', type: 'checkbox', system: false },
      { slug: 'budget', type: 'currency', currency: 'EUR', system: false },
      { slug: 'hours', type: 'number', system: false },
      { slug: 'starts_on', type: 'date', system: false },
      { slug: 'kickoff', type: 'timestamp', system: false },
      { slug: 'tags', type: 'select', multi: true, options: tags, system: false },
      { slug: 'urgency', type: 'select', options: priorities, system: false },
      { slug: 'lead', type: 'actor-reference', system: false },
      { slug: 'customer', type: 'record-reference', to: ['companies', 'people'], system: false },
      { slug: 'members', type: 'record-reference', multi: true, to: ['people'], system: false },
    ],
  },
];

/** Ends of one relationship: a write of one changes the other. */
export const relationships: readonly (readonly [[string, string], [string, string]])[] = [
  [
    ['people', 'company'],
    ['companies', 'team'],
  ],
  [
    ['people', 'associated_deals'],
    ['deals', 'associated_people'],
  ],
  [
    ['companies', 'associated_deals'],
    ['deals', 'associated_company'],
  ],
];

const everyRecord: readonly [before: AttributeSketch, ...after: AttributeSketch[]] = [
  { slug: 'record_id', type: 'text', title: 'Record ID', unique: true, readOnly: true },
  { slug: 'created_at', type: 'timestamp', readOnly: true },
  { slug: 'created_by', type: 'actor-reference', readOnly: true },
];

/** References to other objects are settled once all of them are there. */
export function objectOf(
  random: Random,
  sketch: ObjectSketch,
  createdAt: Instant,
  objects: readonly ObjectState[] = [],
): ObjectState {
  const { slug, singular, plural } = sketch;
  const [first, ...last] = everyRecord;
  return {
    id: uuid(random),
    slug,
    singular,
    plural,
    createdAt,
    attributes: [first, ...sketch.attributes, ...last].map((each) =>
      attributeFrom(random, each, createdAt, objects),
    ),
    records: new Map(),
    listed: new Map(),
    waiting: [],
    past: new Map(),
    unique: new Map(),
    hidden: new Map(),
    merging: new Set(),
    nextOrder: 0,
    changes: 0,
    queries: 0,
    sorted: null,
  };
}

export function attributeFrom(
  random: Random,
  sketch: AttributeSketch,
  createdAt: Instant,
  objects: readonly ObjectState[] = [],
): Attribute {
  const { slug, type, to, system = true, readOnly = false } = sketch;
  const words = slug.replaceAll('_', ' ');
  return {
    id: uuid(random),
    slug,
    title: sketch.title ?? `${words.charAt(0).toUpperCase()}${words.slice(1)}`,
    description: null,
    type,
    system,
    writable: !readOnly,
    required: sketch.required ?? false,
    unique: sketch.unique ?? false,
    multi: sketch.multi ?? false,
    archived: false,
    createdAt,
    options: (sketch.options ?? []).map((title) => ({ id: uuid(random), title, archived: false })),
    currency: sketch.currency ?? null,
    allowed: to === undefined ? null : idsOf(objects, to),
    pair: null,
  };
}

function idsOf(objects: readonly ObjectState[], slugs: readonly string[]): string[] {
  return objects.filter(({ slug }) => slug !== null && slugs.includes(slug)).map(({ id }) => id);
}

/** Makes them all, with what refers from one to another. */
export function createObjects(random: Random, createdAt: Instant): ObjectState[] {
  const objects = standardObjects.map((sketch) => objectOf(random, sketch, createdAt));
  for (const [index, { attributes }] of standardObjects.entries()) {
    for (const { slug, to } of attributes) {
      const own = objects[index]?.attributes ?? [];
      const at = own.findIndex((each) => each.slug === slug);
      const attribute = own[at];
      if (attribute !== undefined && to !== undefined)
        own[at] = { ...attribute, allowed: idsOf(objects, to) };
    }
  }
  for (const [one, other] of relationships) pairUp(objects, one, other);
  return objects;
}

function pairUp(
  objects: readonly ObjectState[],
  one: readonly [string, string],
  other: readonly [string, string],
): void {
  const end = ([object, slug]: readonly [string, string]) => {
    const state = objects.find((each) => each.slug === object);
    const attribute = state === undefined ? null : findAttribute(state, slug);
    return state === undefined || attribute === null ? null : { state, attribute };
  };
  const [left, right] = [end(one), end(other)];
  if (left === null || right === null) return;
  left.attribute.pair = { object: right.state.id, attribute: right.attribute.id };
  right.attribute.pair = { object: left.state.id, attribute: left.attribute.id };
}
