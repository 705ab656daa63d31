import type { Json } from '../../../domain/json.ts';
import type { Fields } from '../../kernel/fields.ts';
import { pick, type Random } from '../../kernel/random.ts';
import { sampleDate, sampleInstant } from '../../kernel/sample-data/instants.ts';
import {
  cities,
  companyKinds,
  companyWords,
  firstNames,
  jobTitles,
  lastNames,
  meetingKinds,
  streets,
  taskVerbs,
} from '../../kernel/sample-data/words.ts';
import {
  industries,
  interests,
  lifecycles,
  priorities,
  projectStates,
  skills,
  stages,
  taskStates,
} from '../built-in-objects.ts';
import type { Dialect } from '../switches.ts';

export interface SampleContext {
  readonly random: Random;
  readonly index: number;
  readonly createdMs: number;
  readonly dialect: Dialect;
  /** A record of the object made before, or null where there is none. */
  readonly another: (object: string) => string | null;
}

const SALES = 'user_01HXSALES00000000000000000';

const HOST = {
  email: 'sam@demo.example',
  name: 'Sam Sales',
  phone_number: null,
  status: 'yes',
  organizer: true,
};

type SampleFields = (context: SampleContext) => Fields;

/** Fields of the `index`-th sample record of each object. */
export const sampleFields: Readonly<Record<string, SampleFields>> = {
  company({ random, index, another }) {
    const name = companyName(index);
    const [city, country] = pick(random, cities);
    return {
      name,
      domains: items(`${slug(name)}.example`),
      address: maybe(random, 0.8, () => ({
        street: `${1 + random.int(199)} ${pick(random, streets)}`,
        city,
        postal_code: String(10000 + random.int(89999)),
        country,
      })),
      employee_count: maybe(random, 0.8, () => 2 + random.int(4000)),
      industry: maybe(random, 0.9, () => pick(random, industries)),
      annual_revenue: maybe(random, 0.6, () => amount(random, 90_000_000)),
      description: maybe(random, 0.3, () => richText(`${name}, of ${city}.`)),
      parent_id: maybe(random, 0.05, () => another('company')),
    };
  },
  person({ random, index, createdMs, dialect, another }) {
    const [first, last] = [pick(random, firstNames), pick(random, lastNames)];
    const full = `${first} ${last}`;
    const handle = `${SLUGS.get(first)}-${SLUGS.get(last)}`;
    const title = maybe(random, 0.8, () => pick(random, jobTitles));
    const nameless = random.next() < 0.01;
    const address = (host: string): string => `${handle}.${index}@${host}`;
    const emails =
      random.next() < 0.1
        ? [address('mail.example'), address('home.example')]
        : [address('mail.example')];
    const who =
      dialect === 'classic'
        ? { name: full, title, company_name: maybe(random, 0.7, () => companyName(random.int(60))) }
        : {
            name: nameless ? null : { first_name: first, last_name: last, full_name: full },
            job_title: title,
            company_id: maybe(random, 0.8, () => another('company')),
          };
    // Spread into a literal these would make a dictionary, at twice the time and memory.
    return Object.assign(who, {
      email_addresses: maybe(random, 0.95, () => ({ items: emails })),
      phone_numbers: maybe(random, 0.5, () =>
        items(`+1415555${String(random.int(10000)).padStart(4, '0')}`),
      ),
      birthday: maybe(random, 0.2, () => sampleDate(random, Date.UTC(1980, 0, 1), 7000)),
      linkedin_url: maybe(random, 0.3, () => `https://linkedin.example/in/${handle}-${index}`),
      last_contacted_at: maybe(random, 0.5, () => sampleInstant(random, createdMs, 90)),
      do_not_contact: maybe(random, 0.9, () => random.next() < 0.05),
      lifecycle: maybe(random, 0.9, () => pick(random, lifecycles)),
      interests: maybe(random, 0.4, () => some(random, interests)),
      lead_score: maybe(random, 0.6, () => random.int(101)),
    });
  },
  deal({ random, index, createdMs, another }) {
    return {
      name: `${companyName(random.int(800))} – deal ${index + 1}`,
      amount: maybe(random, 0.9, () => amount(random, 250_000)),
      stage: pick(random, stages),
      close_date: maybe(random, 0.8, () => sampleDate(random, createdMs, 120)),
      probability: maybe(random, 0.7, () => random.int(10_001) / 10_000),
      owner_id: maybe(random, 0.6, () => SALES),
      company_id: maybe(random, 0.9, () => another('company')),
    };
  },
  task({ random, index, createdMs, another }) {
    const done = random.next() < 0.5;
    const title = `${pick(random, taskVerbs)} ${pick(random, firstNames)} ${pick(random, lastNames)}`;
    return {
      title,
      description: maybe(random, 0.3, () => richText(`${title} before the week is over.`)),
      status: done ? 'Done' : pick(random, taskStates),
      priority: maybe(random, 0.7, () => pick(random, priorities)),
      due_date: maybe(random, 0.8, () => sampleDate(random, createdMs, 30)),
      completed_at: done ? sampleInstant(random, createdMs, 20) : null,
      assignee_id: index % 2 === 0 ? SALES : null,
      person_id: maybe(random, 0.6, () => another('person')),
      company_id: null,
      deal_id: maybe(random, 0.4, () => another('deal')),
      meeting_id: null,
    };
  },
  meeting({ random, index, createdMs }) {
    const start = sampleInstant(random, createdMs, 30);
    const guest = participant(random);
    const title = `${pick(random, meetingKinds)} ${companyName(random.int(800))}`;
    const location = maybe(random, 0.4, () => pick(random, cities)[0]);
    const fromCalendar = random.next() < 0.4;
    return {
      title,
      start,
      end: new Date(Date.parse(start) + 1_800_000).toISOString(),
      all_day: false,
      visibility: 'default',
      location,
      event_id: fromCalendar ? `cal-${index + 1}` : `adhoc-${index + 1}`,
      ical_uid: fromCalendar ? `cal-${index + 1}@calendar.example` : null,
      summary: index % 2 === 0 ? `${title} went well.` : null,
      notes: null,
      recording_enabled: random.next() < 0.3,
      participants: { items: [HOST, guest] },
    };
  },
  meeting_recording({ random, index, createdMs, another }) {
    const start = sampleInstant(random, createdMs, 1);
    return {
      meeting_id: another('meeting'),
      recording_source: pick(random, ['bot', 'bot', 'manual_upload']),
      status: index % 4 === 3 ? 'processing' : 'done',
      start_at: start,
      end_at: new Date(Date.parse(start) + 1_800_000).toISOString(),
    };
  },
  message({ random, createdMs, another }) {
    return {
      subject: `Re: ${pick(random, meetingKinds)}`,
      direction: pick(random, ['Inbound', 'Outbound']),
      snippet: maybe(
        random,
        0.9,
        () => `Hello ${pick(random, firstNames)},\nthank you for "yesterday".`,
      ),
      sent_at: sampleInstant(random, createdMs, 1),
      person_id: another('person'),
    };
  },
  c_project({ random, index, createdMs, another }) {
    return {
      name: `${pick(random, skills)} for ${companyName(random.int(800))}`,
      code: `PRJ-${String(index + 1).padStart(4, '0')}`,
      status: pick(random, projectStates),
      skills: maybe(random, 0.7, () => some(random, skills)),
      labels: maybe(random, 0.4, () => ['imported', `wave ${1 + random.int(9)}`]),
      budget: maybe(random, 0.8, () => amount(random, 80_000)),
      order: index + 1,
      kickoff_at: maybe(random, 0.7, () => sampleInstant(random, createdMs, 60)),
      company_id: maybe(random, 0.8, () => another('company')),
    };
  },
};

function maybe(random: Random, share: number, value: () => Json): Json {
  return random.next() < share ? value() : null;
}

function items(...texts: string[]): Json {
  return { items: texts };
}

function some(random: Random, options: readonly string[]): Json {
  const start = random.int(options.length);
  return { items: options.slice(start, start + 1 + random.int(3)) };
}

function amount(random: Random, most: number): number {
  return random.int(most * 100) / 100;
}

function richText(text: string): Json {
  return { text: [{ type: 'paragraph', content: [{ type: 'text', text, styles: {} }] }] };
}

function participant(random: Random): Json {
  const [first, last] = [pick(random, firstNames), pick(random, lastNames)];
  return {
    email: `${SLUGS.get(first)}-${SLUGS.get(last)}@mail.example`,
    name: `${first} ${last}`,
    phone_number: null,
    status: 'yes',
    organizer: false,
  };
}

/** A name no other company has. */
function companyName(index: number): string {
  const word = companyWords[index % companyWords.length] ?? '';
  const round = Math.floor(index / companyWords.length);
  const kind = companyKinds[round % companyKinds.length] ?? '';
  const lap = Math.floor(round / companyKinds.length);
  return lap === 0 ? `${word} ${kind}` : `${word} ${kind} ${lap + 1}`;
}

function slug(name: string): string {
  return name
    .normalize('NFD')
    .replace(/[^a-zA-Z0-9 ]/g, '')
    .toLowerCase()
    .replaceAll(' ', '-');
}

const SLUGS: ReadonlyMap<string, string> = new Map(
  [...firstNames, ...lastNames].map((name) => [name, slug(name)]),
);
