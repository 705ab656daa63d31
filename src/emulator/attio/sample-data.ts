import type { Json } from '../../domain/json.ts';
import type { Fields } from '../kernel/fields.ts';
import { pick, type Random, seededRandom } from '../kernel/random.ts';
import { sampleDate, sampleInstant, sampleInstants } from '../kernel/sample-data/instants.ts';
import {
  cities,
  companyKinds,
  companyWords,
  firstNames,
  jobTitles,
  lastNames,
  streets,
} from '../kernel/sample-data/words.ts';
import type { Attribute } from './attribute.ts';
import { commitValues } from './commit.ts';
import { readValues } from './read-value.ts';
import { createRecord, draftedAt } from './records.ts';
import { categories, priorities, stages, tags } from './standard-objects.ts';
import { anyMember, attributeOf, type ObjectState, type Workspace } from './workspace.ts';

export type SampleSizes = Readonly<Record<string, number>>;

export const defaultSizes: SampleSizes = { companies: 60, people: 250, deals: 120, projects: 25 };

/** Records made later refer to records made earlier. */
const ORDER = ['companies', 'people', 'deals', 'projects'] as const;
const SAMPLE_END_MS = Date.UTC(2026, 8, 1);
const DAY_MS = 86_400_000;

interface SampleContext {
  readonly random: Random;
  readonly index: number;
  readonly createdMs: number;
  readonly member: string;
  /** A reference to a record made before, or null where there is none. */
  readonly another: (object: string) => Json;
}

/** Fields of the `index`-th sample record, as a write takes them. */
type SampleFields = (context: SampleContext) => Fields;

const SAMPLES: Readonly<Record<(typeof ORDER)[number], SampleFields>> = {
  companies({ random, index, createdMs }) {
    const name = companyName(index);
    return {
      name,
      domains: [`${slug(name)}.example`],
      description: maybe(random, 0.4, () => `${name}, of ${pick(random, cities)[0]}.`),
      categories: maybe(random, 0.6, () => [pick(random, categories)]) ?? [],
      primary_location: maybe(random, 0.8, () => place(random)),
      foundation_date: maybe(random, 0.5, () => sampleDate(random, createdMs, 4_000)),
    };
  },
  people({ random, index, another }) {
    const [first, last] = [pick(random, firstNames), pick(random, lastNames)];
    const handle = `${slug(first)}-${slug(last)}`;
    return {
      name: { first_name: first, last_name: last, full_name: `${first} ${last}` },
      email_addresses: random.next() < 0.95 ? [`${handle}.${index}@mail.example`] : [],
      job_title: maybe(random, 0.8, () => pick(random, jobTitles)),
      phone_numbers:
        random.next() < 0.5 ? [`+1415555${String(random.int(10_000)).padStart(4, '0')}`] : [],
      linkedin: maybe(random, 0.3, () => `https://linkedin.example/in/${handle}-${index}`),
      primary_location: maybe(random, 0.4, () => place(random)),
      company: maybe(random, 0.8, () => another('companies')),
    };
  },
  deals({ random, index, member, another }) {
    return {
      name: `${companyName(random.int(800))} – deal ${index + 1}`,
      stage: pick(random, stages),
      owner: { referenced_actor_type: 'workspace-member', referenced_actor_id: member },
      value: maybe(random, 0.9, () => random.int(25_000_000) / 100),
      associated_company: maybe(random, 0.9, () => another('companies')),
      associated_people: several(random, () => another('people')),
    };
  },
  projects({ random, index, createdMs, member, another }) {
    return {
      name: `Roll-out for ${companyName(random.int(800))}`,
      code: `PRJ-${String(index + 1).padStart(4, '0')}`,
      priority: maybe(random, 0.8, () => random.int(6)),
      active: random.next() < 0.6,
      budget: maybe(random, 0.8, () => random.int(8_000_000) / 100),
      hours: maybe(random, 0.6, () => random.int(4_000) / 4),
      starts_on: maybe(random, 0.7, () => sampleDate(random, createdMs, 60)),
      kickoff: maybe(random, 0.7, () => sampleInstant(random, createdMs, 60)),
      tags: random.next() < 0.5 ? [pick(random, tags)] : [],
      urgency: maybe(random, 0.6, () => pick(random, priorities)),
      lead: { referenced_actor_type: 'workspace-member', referenced_actor_id: member },
      customer: maybe(random, 0.7, () => another(pick(random, ['companies', 'people']))),
      members: several(random, () => another('people')),
    };
  },
};

/**
 * Fills a new workspace: the same seed and sizes give the same records, ids and times, and none lies in
 * the future.
 */
export function fillWorkspace(workspace: Workspace, seed: string, sizes: SampleSizes): void {
  const today = Math.floor(workspace.now() / DAY_MS) * DAY_MS;
  const endMs = Math.min(SAMPLE_END_MS, today);
  const made = new Map<string, string[]>();
  for (const object of ORDER) {
    const state = workspace.objects.find(({ slug: each }) => each === object);
    if (state === undefined) continue;
    const random = seededRandom(`${seed} ${object}`);
    const count = sizes[object] ?? 0;
    const another = (target: string): Json => {
      const ids = made.get(target) ?? [];
      return ids.length === 0
        ? null
        : { target_object: target, target_record_id: pick(random, ids) };
    };
    const filling = { random, count, endMs, another };
    const ids: string[] = [];
    for (let index = 0; index < count; index += 1) {
      ids.push(fillRecord(workspace, state, { ...filling, index }, SAMPLES[object]));
    }
    made.set(object, ids);
  }
}

interface Filling extends Pick<SampleContext, 'random' | 'index' | 'another'> {
  readonly count: number;
  readonly endMs: number;
}

function fillRecord(
  workspace: Workspace,
  state: ObjectState,
  filling: Filling,
  fieldsOf: SampleFields,
): string {
  const { random } = filling;
  const { createdMs, updatedMs, edited } = sampleInstants(random, filling);
  const member = anyMember(workspace);
  const actor = { type: 'workspace-member', id: member.id } as const;
  const values = new Map<Attribute, Fields[]>();
  const later = new Map<Attribute, Fields[]>();
  for (const [name, given] of Object.entries(
    fieldsOf({ ...filling, createdMs, member: member.id }),
  )) {
    const attribute = attributeOf(state, name);
    // As it was entered, or filled in by a later edit.
    const into = edited && !attribute.required && random.next() < 0.3 ? later : values;
    if (given !== null) into.set(attribute, readValues(workspace, attribute, given));
  }
  const author = { actor, at: workspace.stamp(createdMs), quiet: true };
  const createdAt = draftedAt(workspace, random, author.at);
  const id = createRecord(workspace, state, { changes: values, author, createdAt });
  commitValues(workspace, state, id, later, { ...author, at: workspace.stamp(updatedMs) });
  return id;
}

function maybe(random: Random, share: number, value: () => Json): Json {
  return random.next() < share ? value() : null;
}

function several(random: Random, value: () => Json): Json {
  return Array.from({ length: random.int(4) }, value).filter((each) => each !== null);
}

function companyName(index: number): string {
  const word = companyWords[index % companyWords.length] ?? 'Alder';
  const kind =
    companyKinds[Math.floor(index / companyWords.length) % companyKinds.length] ?? 'Labs';
  const round = Math.floor(index / (companyWords.length * companyKinds.length));
  return round === 0 ? `${word} ${kind}` : `${word} ${kind} ${round + 1}`;
}

function slug(text: string): string {
  return text
    .normalize('NFD')
    .replace(/[^a-zA-Z0-9]+/g, '')
    .toLowerCase();
}

function place(random: Random): Json {
  const [city, country] = pick(random, cities);
  return {
    line_1: `${1 + random.int(199)} ${pick(random, streets)}`,
    line_2: null,
    line_3: null,
    line_4: null,
    locality: city,
    region: null,
    postcode: String(10_000 + random.int(89_999)),
    country_code: country,
    latitude: null,
    longitude: null,
  };
}
