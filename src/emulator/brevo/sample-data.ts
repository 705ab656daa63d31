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
import { makeList } from './list-routes.ts';
import {
  colours,
  features,
  industries,
  interests,
  languages,
  purposes,
  tiers,
} from './standard-schema.ts';
import type { Store } from './store.ts';
import type { Workspace } from './workspace.ts';

export type SampleSizes = Readonly<Record<string, number>>;

export const defaultSizes: SampleSizes = {
  contacts: 250,
  companies: 60,
  deals: 120,
  vehicle: 80,
  trip: 40,
};

/** Records made later refer to records made earlier. */
const ORDER = ['contacts', 'companies', 'deals', 'vehicle', 'trip'] as const;
const SAMPLE_END_MS = Date.UTC(2026, 8, 1);
const DAY_MS = 86_400_000;

interface Sample {
  readonly fields: Fields;
  readonly extId?: string;
  readonly lists?: readonly number[];
  readonly links?: Readonly<Record<string, readonly string[]>>;
}

interface SampleContext {
  readonly random: Random;
  readonly index: number;
  readonly createdMs: number;
  /** Up to so many ids of records made before. */
  readonly others: (object: string, most: number) => string[];
  readonly workspace: Workspace;
}

const SAMPLES: Readonly<Record<(typeof ORDER)[number], (context: SampleContext) => Sample>> = {
  contacts({ random, index, workspace }) {
    const [first, last] = [pick(random, firstNames), pick(random, lastNames)];
    return {
      fields: present({
        EMAIL: random.next() < 0.95 ? `${slug(first)}.${slug(last)}.${index}@mail.example` : null,
        SMS: index % 2 === 0 ? `3361${String(2_000_000 + index)}` : null,
        FIRSTNAME: first,
        LASTNAME: last,
        JOB_TITLE: maybe(random, 0.8, () => pick(random, jobTitles)),
        BIRTHDAY: maybe(random, 0.4, () => sampleDate(random, Date.UTC(1985, 5, 1), 6_000)),
        SCORE: maybe(random, 0.7, () => random.int(1_000) / 10),
        NEWSLETTER: maybe(random, 0.8, () => random.next() < 0.6),
        INTERESTS: maybe(random, 0.5, () => [pick(random, interests)]),
        TIER: maybe(random, 0.7, () => pick(random, Object.keys(tiers))),
        LANGUAGE: maybe(random, 0.7, () => pick(random, Object.keys(languages))),
        ORDERS_SUM: maybe(random, 0.3, () => random.int(100_000) / 100),
      }),
      // Who has neither an address nor a number is known by this.
      ...(index % 5 === 1 || index % 2 === 1 ? { extId: `crm-${index + 1}` } : {}),
      lists: [...workspace.lists.keys()].filter(() => random.next() < 0.3),
    };
  },
  companies({ random, index, createdMs, others }) {
    const name = companyName(index);
    return {
      fields: present({
        name,
        domain: `${slug(name)}.example`,
        owner: 'olive@demo.example',
        phone_number: maybe(random, 0.4, () => 33_140_000_000 + random.int(9_999_999)),
        industry: maybe(random, 0.7, () => pick(random, Object.keys(industries))),
        revenue: maybe(random, 0.6, () => random.int(90_000_000) / 100),
        founded: maybe(random, 0.5, () => sampleInstant(random, createdMs, 4_000)),
        partner: random.next() < 0.3,
      }),
      links: { contacts: others('contacts', 4) },
    };
  },
  deals({ random, index, createdMs, others, workspace }) {
    const pipeline = pick(random, workspace.pipelines);
    return {
      fields: present({
        deal_name: `${companyName(random.int(800))} – deal ${index + 1}`,
        deal_owner: 'olive@demo.example',
        amount: maybe(random, 0.9, () => random.int(25_000_000) / 100),
        pipeline: pipeline.id,
        deal_stage: pick(random, pipeline.stages).id,
        close_date: maybe(random, 0.6, () => sampleInstant(random, createdMs, 120)),
        topics: maybe(random, 0.4, () => [pick(random, ['renewal', 'new', 'service'])]),
      }),
      links: { contacts: others('contacts', 2), companies: others('companies', 1) },
    };
  },
  vehicle({ random, index, createdMs, others }) {
    return {
      extId: `VIN${String(index + 1).padStart(6, '0')}`,
      fields: present({
        plate: `${pick(random, ['AB', 'KT', 'ZR'])}-${String(index + 1).padStart(4, '0')}`,
        seats: 2 + random.int(6),
        price: maybe(random, 0.9, () => random.int(9_000_000) / 100),
        electric: random.next() < 0.4,
        registered_at: maybe(random, 0.8, () => sampleTime(random, createdMs, 900)),
        colour: maybe(random, 0.9, () => pick(random, Object.keys(colours))),
        features: maybe(random, 0.5, () => [pick(random, Object.keys(features))]),
        dimensions: maybe(random, 0.2, () => ({ length: 300 + random.int(200), unit: 'cm' })),
      }),
      // Now and then more than a list shows.
      links: {
        contacts: others('contacts', index % 10 === 0 ? 8 : 2),
        companies: others('companies', 1),
      },
    };
  },
  trip({ random, index, createdMs, others }) {
    return {
      ...(index % 3 === 0 ? {} : { extId: `trip-${index + 1}` }),
      fields: present({
        destination: pick(random, cities)[0],
        distance: maybe(random, 0.9, () => random.int(20_000) / 10),
        started_at: maybe(random, 0.9, () => sampleTime(random, createdMs, 60)),
        purposes: maybe(random, 0.6, () => [pick(random, Object.keys(purposes))]),
      }),
      links: { vehicle: others('vehicle', 1), contacts: others('contacts', 2) },
    };
  },
};

/**
 * Fills a new workspace: the same seed and sizes give the same records, ids and times, and none lies in
 * the future.
 */
export function fillWorkspace(
  workspace: Workspace,
  store: Store,
  seed: string,
  sizes: SampleSizes,
): void {
  const today = Math.floor(workspace.now() / DAY_MS) * DAY_MS;
  const endMs = Math.min(SAMPLE_END_MS, today);
  for (const name of ['Newsletter', 'Customers', 'Events']) makeList(workspace, name);
  const made = new Map<string, string[]>();
  for (const object of ORDER) {
    const random = seededRandom(`${seed} ${object}`);
    const count = sizes[object] ?? 0;
    const others = (of: string, most: number): string[] => {
      const ids = made.get(of) ?? [];
      const wanted = ids.length === 0 ? 0 : random.int(most + 1);
      return [...new Set(Array.from({ length: wanted }, () => pick(random, ids)))];
    };
    const ids: string[] = [];
    for (let index = 0; index < count; index += 1) {
      const { createdMs, updatedMs, edited } = sampleInstants(random, { index, count, endMs });
      const sample = SAMPLES[object]({ random, index, createdMs, others, workspace });
      const { fields, ...beside } = sample;
      const id = store.create(object, fields, { ...beside, at: createdMs });
      if (edited) store.touch(object, id, { at: updatedMs });
      ids.push(id);
    }
    made.set(object, ids);
  }
}

function present(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
}

function maybe(random: Random, share: number, value: () => Json): Json {
  return random.next() < share ? value() : null;
}

function sampleTime(random: Random, aroundMs: number, days: number): string {
  return `${sampleDate(random, aroundMs, days)}T${String(random.int(24)).padStart(2, '0')}:30:00Z`;
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
