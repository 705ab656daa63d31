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
} from '../kernel/sample-data/words.ts';
import type { Business, ObjectState } from './business.ts';
import { commitValues } from './commit.ts';
import type { Field } from './field.ts';
import { CONTACTS } from './objects.ts';
import { createRecord, moveRecord } from './records.ts';
import { channels, industries, interests, phases, tags } from './sketches.ts';
import { anyField, inAppValue } from './store.ts';

export type SampleSizes = Readonly<Record<string, number>>;

export const defaultSizes: SampleSizes = {
  companies: 60,
  [CONTACTS]: 250,
  deals: 120,
  projects: 25,
};

/** Records made later refer to records made earlier. */
const ORDER = ['companies', CONTACTS, 'deals', 'projects'] as const;
const SAMPLE_END_MS = Date.UTC(2026, 8, 1);
const DAY_MS = 86_400_000;

interface SampleContext {
  readonly random: Random;
  readonly index: number;
  readonly createdMs: number;
  readonly employee: string;
  readonly file: string;
  /** A record made before, or null where there is none. */
  readonly another: (object: string) => Json;
}

/** Fields of the `index`-th sample record, as the app takes them. */
type SampleFields = (context: SampleContext) => Fields;

const SAMPLES: Readonly<Record<(typeof ORDER)[number], SampleFields>> = {
  companies({ random, index, createdMs, employee, another }) {
    const name = companyName(index);
    return {
      name,
      owner: employee,
      website: maybe(random, 0.7, () => `https://${slug(name)}.example`),
      industry: maybe(random, 0.8, () => pick(random, industries)),
      employees: maybe(random, 0.7, () => 1 + random.int(5_000)),
      annual_revenue: maybe(random, 0.6, () => random.int(900_000_000) / 100),
      satisfaction: maybe(random, 0.5, () => 1 + random.int(5)),
      customer: maybe(random, 0.7, () => random.next() < 0.5),
      founded: maybe(random, 0.5, () => sampleDate(random, createdMs, 8_000)),
      phone: maybe(random, 0.5, () => phone(random)),
      labels: maybe(random, 0.3, () => [pick(random, tags)]),
      parent_company: maybe(random, 0.1, () => another('companies')),
      partners: maybe(random, 0.2, () => list(another('companies'))),
    };
  },
  [CONTACTS]({ random, index, createdMs, employee, another }) {
    const [first, last] = [pick(random, firstNames), pick(random, lastNames)];
    return {
      first_name: first,
      last_name: last,
      email: maybe(random, 0.95, () => `${slug(first)}.${slug(last)}.${index}@mail.example`),
      email_status: maybe(random, 0.8, () => 'Subscribed'),
      mobile_phone: maybe(random, 0.5, () => phone(random)),
      owner: employee,
      job_title: maybe(random, 0.8, () => pick(random, jobTitles)),
      titles: maybe(random, 0.2, () => pick(random, ['Dr.', 'Prof.', 'Mx.'])),
      tags: maybe(random, 0.3, () => [pick(random, tags)]),
      birthday: maybe(random, 0.3, () => sampleDate(random, Date.UTC(1985, 0, 1), 7_000)),
      timezone: maybe(random, 0.4, () => pick(random, ['America/Chicago', 'Europe/Berlin'])),
      interests: maybe(random, 0.4, () => [pick(random, interests)]),
      lead_score: maybe(random, 0.7, () => random.int(101)),
      consent: maybe(random, 0.6, () => pick(random, ['Yes', 'No', 'Maybe'])),
      last_visit: maybe(random, 0.5, () => sampleInstant(random, createdMs, 60)),
      notes: maybe(random, 0.3, () => `**Met** in ${pick(random, cities)[0]}.`),
      internal_code: maybe(random, 0.5, () => `C-${index + 1}`),
      company: maybe(random, 0.8, () => another('companies')),
    };
  },
  deals({ random, index, createdMs, employee, file, another }) {
    return {
      name: `${companyName(random.int(800))} – deal ${index + 1}`,
      owner: employee,
      entity_value: maybe(random, 0.9, () => random.int(25_000_000) / 100),
      estimated_close_date: maybe(random, 0.7, () => sampleDate(random, createdMs, 90)),
      channel: maybe(random, 0.7, () => pick(random, channels)),
      discount: maybe(random, 0.4, () => random.int(4_000) / 100),
      next_step: maybe(random, 0.5, () => 'Call back,\nthen send the offer.'),
      decision_at: maybe(random, 0.4, () => sampleInstant(random, createdMs, 90)),
      documents: maybe(random, 0.2, () => [file]),
      company: maybe(random, 0.9, () => another('companies')),
      contacts: maybe(random, 0.8, () => several(random, () => another(CONTACTS))),
    };
  },
  projects({ random, index, createdMs, employee, file, another }) {
    return {
      name: `Roll-out ${index + 1} for ${companyName(random.int(800))}`,
      code: `PRJ-${String(index + 1).padStart(4, '0')}`,
      summary: maybe(random, 0.5, () => 'New site.\n\nTwo floors.'),
      priority: maybe(random, 0.8, () => 1 + random.int(10)),
      active: maybe(random, 0.8, () => random.next() < 0.6),
      budget: maybe(random, 0.8, () => random.int(8_000_000) / 100),
      hours: maybe(random, 0.6, () => random.int(4_000) / 4),
      seats: maybe(random, 0.5, () => random.int(400)),
      starts_on: maybe(random, 0.7, () => sampleDate(random, createdMs, 60)),
      kickoff: maybe(random, 0.7, () => sampleInstant(random, createdMs, 60)),
      size: maybe(random, 0.6, () => pick(random, ['S', 'M', 'L'])),
      phase: maybe(random, 0.7, () => pick(random, phases)),
      skills: maybe(random, 0.6, () => [pick(random, ['Drilling', 'Wiring', 'Paint'])]),
      labels: maybe(random, 0.5, () => [pick(random, tags)]),
      approved: maybe(random, 0.6, () => pick(random, ['Yes', 'No', 'Maybe'])),
      lead: employee,
      site_timezone: maybe(random, 0.5, () => 'America/Denver'),
      plans: maybe(random, 0.3, () => [file]),
      support_email: maybe(random, 0.4, () => `help-${index + 1}@mail.example`),
      scorecard: maybe(random, 0.4, () => ({ score: random.int(100), parts: ['a', 'b'] })),
      members: several(random, () => another(CONTACTS)),
    };
  },
};

/**
 * Fills a new business: the same seed and sizes give the same records, ids and times, and none lies in
 * the future.
 */
export function fillBusiness(business: Business, seed: string, sizes: SampleSizes): void {
  const today = Math.floor(business.now() / DAY_MS) * DAY_MS;
  const endMs = Math.min(SAMPLE_END_MS, today);
  const made = new Map<string, string[]>();
  const switches = {
    ...business.switches,
    relationWrites: 'either',
    relationBumps: 'none',
  } as const;
  const quiet: Business = { ...business, switches };
  for (const object of ORDER) {
    const state = business.objects.find(({ name }) => name === object);
    if (state === undefined) continue;
    const random = seededRandom(`${seed} ${object}`);
    const count = sizes[object] ?? 0;
    const ids: string[] = [];
    made.set(object, ids);
    const another = (target: string): Json => {
      const known = made.get(target) ?? [];
      return known.length === 0 ? null : pick(random, known);
    };
    for (let index = 0; index < count; index += 1) {
      ids.push(fillRecord(quiet, state, { random, count, endMs, another, index }, SAMPLES[object]));
    }
  }
}

interface Filling extends Pick<SampleContext, 'random' | 'index' | 'another'> {
  readonly count: number;
  readonly endMs: number;
}

function fillRecord(
  business: Business,
  state: ObjectState,
  filling: Filling,
  fieldsOf: SampleFields,
): string {
  const { random } = filling;
  const { createdMs, updatedMs, edited } = sampleInstants(random, filling);
  const employee = pick(random, business.employees).id;
  const file = pick(random, [...business.files.keys()]);
  const values = new Map<Field, Json>();
  const later = new Map<Field, Json>();
  const sample = fieldsOf({ ...filling, createdMs, employee, file });
  for (const [name, given] of Object.entries(sample)) {
    const field = anyField(state, name);
    // As it was entered, or filled in by a later edit.
    const into = edited && !field.required && random.next() < 0.3 ? later : values;
    const value = inAppValue(business, field, given);
    if (value !== null) into.set(field, value);
  }
  const id = createRecord(business, state, values, business.stamp(createdMs));
  const [stage, record] = [state.stages.at(random.int(6)), state.records.get(id)];
  if (stage !== undefined && record !== undefined)
    moveRecord(business, state, record, stage, business.stamp(updatedMs));
  if (later.size > 0) commitValues(business, state, id, later, business.stamp(updatedMs));
  return id;
}

function maybe(random: Random, share: number, value: () => Json): Json {
  return random.next() < share ? value() : null;
}

function list(value: Json): Json {
  return value === null ? null : [value];
}

function several(random: Random, value: () => Json): Json {
  const all = Array.from({ length: random.int(4) }, value).filter((each) => each !== null);
  return all.length === 0 ? null : all;
}

function phone(random: Random): string {
  return `+1415555${String(random.int(10_000)).padStart(4, '0')}`;
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
