import type { Json } from '../../domain/json.ts';
import { type Demo, since } from './demo.ts';
import { LONGEST_WAIT_MS, NotArrived, one, until } from './waiting.ts';

/** What one scene came to. */
export interface SceneResult {
  readonly title: string;
  /** Whether it arrived on the other side. */
  readonly arrived: boolean;
  /** From the write to its arrival. */
  readonly ms: number;
}

export interface ScriptOptions {
  readonly signal: AbortSignal;
  readonly say: (line: string) => void;
}

type Side = 'Clarify' | 'SQL';

/** One scene: somebody writes on one side, and we wait for it on the other. */
interface Scene {
  readonly title: string;
  play(stage: Stage): Promise<void>;
}

/** What a scene may do, told as it does it. */
interface Stage {
  readonly demo: Demo;
  did(side: Side, what: string): void;
  tells(side: Side, what: string): void;
  /** Waits until `look` finds something, then tells where and after how long. */
  arrives<T>(side: Side, what: string, look: () => Promise<T | null>): Promise<T>;
}

/** Plays every scene, one after the other. A scene that fails does not end the show. */
export async function playScript(demo: Demo, options: ScriptOptions): Promise<SceneResult[]> {
  const results: SceneResult[] = [];
  for (const [index, { title, play }] of SCENES.entries()) {
    options.signal.throwIfAborted();
    options.say('');
    options.say(`${index + 1}. ${title}`);
    let startedMs = performance.now();
    const tells = (side: Side, what: string) => options.say(`   ${side.padEnd(7)}  ${what}`);
    const stage: Stage = {
      demo,
      tells,
      did(side, what) {
        tells(side, what);
        startedMs = performance.now();
      },
      async arrives(side, what, look) {
        const found = await until(look, options.signal);
        tells(side, `${what}  (${since(startedMs)} ms)`);
        return found;
      },
    };
    const arrived = await play(stage).then(
      () => true,
      (error: unknown) => {
        if (!(error instanceof NotArrived)) throw error;
        options.say(`   it did not arrive within ${LONGEST_WAIT_MS / 1_000} s`);
        return false;
      },
    );
    results.push({ title, arrived, ms: since(startedMs) });
  }
  return results;
}

const SCENES: readonly Scene[] = [
  { title: 'An edit in Clarify arrives in SQL', play: remoteEdit },
  { title: 'An edit in SQL arrives in Clarify', play: localEdit },
  { title: 'A company and a person born in SQL get their ids from Clarify', play: localBirth },
  { title: 'Both sides edit one field: settled by policy, and on record', play: conflict },
  { title: 'A record deleted in Clarify leaves SQL', play: remoteDelete },
];

async function remoteEdit({ demo, did, arrives }: Stage): Promise<void> {
  const { store } = demo.emulator;
  const id = nth(store.ids('person'), 7);
  const title = 'Head of Data';
  store.update('person', id, { job_title: title });
  did('Clarify', `somebody edits a person: job_title = ${title}`);
  await arrives('SQL', `select job_title from clarify.person where id = '${id}'  →  ${title}`, () =>
    one(demo, 'select 1 from clarify.person where id = $1 and job_title = $2', [id, title]),
  );
}

async function localEdit({ demo, did, arrives }: Stage): Promise<void> {
  const { store } = demo.emulator;
  const id = nth(store.ids('deal'), 5);
  const statement = `update clarify.deal set amount = 125000.50 where id = '${id}'`;
  await demo.sql.query(statement);
  did('SQL', statement);
  await arrives('Clarify', `the deal's amount is 125000.50`, async () => {
    const amount = store.get('deal', id)?.attributes['amount'];
    return Number(amount) === 125000.5 ? true : null;
  });
}

async function localBirth({ demo, did, arrives }: Stage): Promise<void> {
  const { store } = demo.emulator;
  const email = 'nora@lighthouse.example';
  const [born] = await demo.sql.query<{ id: string; company_id: string }>(
    `with home as (
       insert into clarify.company (name, domains)
       values ('Lighthouse Labs', '{lighthouse.example}') returning id)
     insert into clarify.person (name, email_addresses, company_id)
     select '{"first_name": "Nora", "last_name": "Lind"}', array[$1], id from home
     returning id, company_id`,
    [email],
  );
  if (born === undefined) throw new NotArrived();
  did('SQL', `insert into clarify.company …, clarify.person …  →  ${born.id}`);
  const person = await arrives('Clarify', 'both are there, and linked', async () => {
    const found = store.all('person').find(({ attributes }) => holds(attributes, email));
    const company = store.get('company', text(found?.attributes['company_id']));
    return company?.attributes['name'] === 'Lighthouse Labs' && found ? found : null;
  });
  await arrives('SQL', `the row is ${person.id} now; current_id() knows the old id`, () =>
    one(
      demo,
      `select 1 from clarify.person where id = $1 and company_id not like 'local:%'
          and clarify_sync.current_id('person', $2) = $1`,
      [person.id, born.id],
    ),
  );
}

function holds(attributes: Readonly<Record<string, Json>>, email: string): boolean {
  return JSON.stringify(attributes['email_addresses'] ?? null).includes(`"${email}"`);
}

/**
 * The edit in SQL is made first and committed last, so that the one in Clarify falls between: no
 * matter how fast the service is, both start from the same value.
 */
async function conflict({ demo, did, tells, arrives }: Stage): Promise<void> {
  const { store } = demo.emulator;
  const id = nth(store.ids('deal'), 9);
  const statement = `update clarify.deal set stage = 'Proposal' where id = '${id}'`;
  store.update('deal', id, { stage: 'Discovery' });
  await until(
    () => one(demo, `select 1 from clarify.deal where id = $1 and stage = 'Discovery'`, [id]),
    AbortSignal.timeout(LONGEST_WAIT_MS),
  );
  await demo.sql.transaction(async (tx) => {
    await tx.query(statement);
    store.update('deal', id, { stage: 'Won' });
  });
  did('SQL', statement);
  did('Clarify', `meanwhile somebody sets the same deal's stage = Won`);
  const logged = await arrives('SQL', 'select … from clarify_sync.conflict has it:', () =>
    one<{ base: string; local: string; remote: string; resolution: string }>(
      demo,
      `select base #>> '{}' as base, local #>> '{}' as local, remote #>> '{}' as remote, resolution
         from clarify_sync.conflict
        where object = 'deal' and record_id = $1 and field = 'stage' and resolution <> 'open'`,
      [id],
    ),
  );
  const { base, local, remote, resolution } = logged;
  tells('SQL', `base ${base}, local ${local}, remote ${remote}: the newer one wins, ${resolution}`);
  const winner = resolution === 'local' ? local : remote;
  await arrives('SQL', `both sides say ${winner}`, async () => {
    const here = await one(demo, 'select 1 from clarify.deal where id = $1 and stage = $2', [
      id,
      winner,
    ]);
    return here !== null && store.get('deal', id)?.attributes['stage'] === winner ? here : null;
  });
}

async function remoteDelete({ demo, did, arrives }: Stage): Promise<void> {
  const { store } = demo.emulator;
  const id = nth(store.ids('task'), 3);
  store.delete('task', id);
  did('Clarify', 'somebody deletes a task');
  await arrives('SQL', `its row is gone; clarify_sync.tombstone keeps what it was`, () =>
    one(
      demo,
      `select 1 from clarify_sync.tombstone where object = 'task' and id = $1
          and not exists (select from clarify.task where id = $1)`,
      [id],
    ),
  );
}

function nth(ids: readonly string[], index: number): string {
  return ids[index] ?? '';
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}
