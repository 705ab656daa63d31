import type { Json } from '../../domain/json.ts';
import { type Ground, NotArrived, type Scene, type Stage, type Turn } from './demo-script.ts';
import type { Fields } from './fields.ts';

const TITLES = ['Head of Data', 'Account Executive', 'Buyer', 'Chief of Staff', 'Site Manager'];

/** One CRM, as scenes see it. */
export interface DemoCrm {
  /** As people name it. */
  readonly title: string;
  /** Of the mirror tables; the control tables stand in `<schema>_sync`. */
  readonly schema: string;
  ids(object: string): readonly string[];
  update(object: string, id: string, fields: Fields): void;
  /** What the record holds, as its column shows it; null or undefined where it holds nothing. */
  valueOf(object: string, id: string, field: string): unknown;
}

/** A field that is edited. */
export interface DemoField {
  readonly object: string;
  /** What people call one record of it. */
  readonly noun: string;
  readonly field: string;
  /** What people call the field, where that is not its name. */
  readonly called?: string;
}

/** What a scene needs to know of a birth: which object, and how the CRM is seen to have it. */
export interface DemoBirth {
  readonly title: string;
  readonly object: string;
  /** Inserts with `$1`, the e-mail address of the newcomer; returns its `id`. */
  readonly statement: string;
  /** The statement, as it is told. */
  readonly told: string;
  /** The id of who has this e-mail address and stands with its company. */
  find(email: string): string | null;
  /** A further condition on the row. */
  readonly linked?: string;
}

/** Scenes and turns that every CRM can play. */
export function demoScenes(crm: DemoCrm) {
  const { title, schema } = crm;
  const table = ({ object }: { readonly object: string }) => `${schema}.${object}`;
  const shows = (one: Ground['one'], place: DemoField, id: string, value: Json) =>
    one(`select 1 from ${table(place)} where id = $1 and ${quoted(place.field)} = $2`, [id, value]);
  const holds = ({ object, field }: DemoField, id: string, value: Json) =>
    crm.valueOf(object, id, field) === value ? true : null;

  return {
    remoteEdit(place: DemoField): Scene {
      const { object, noun, field } = place;
      return {
        title: `An edit in ${title} arrives in SQL`,
        async play({ one, did, arrives }) {
          const id = nth(crm.ids(object), 7);
          const value = 'Head of Data';
          crm.update(object, id, { [field]: value });
          did('crm', `somebody edits a ${noun}: ${field} = ${value}`);
          const query = `select ${quoted(field)} from ${table(place)} where id = '${id}'`;
          await arrives('sql', `${query}  →  ${value}`, () => shows(one, place, id, value));
        },
      };
    },

    localEdit(place: DemoField): Scene {
      const { object, noun, field, called } = place;
      return {
        title: `An edit in SQL arrives in ${title}`,
        async play({ sql, did, arrives }) {
          const id = nth(crm.ids(object), 5);
          const statement = `update ${table(place)} set ${quoted(field)} = 125000.50 where id = '${id}'`;
          await sql.query(statement);
          did('sql', statement);
          await arrives('crm', `the ${noun}'s ${called ?? field} is 125000.50`, async () =>
            holds(place, id, 125000.5),
          );
        },
      };
    },

    localBirth({ title: birth, object, statement, told, find, linked }: DemoBirth): Scene {
      return {
        title: birth,
        async play({ one, did, arrives }) {
          const email = 'nora@lighthouse.example';
          const born = await one(statement, [email]);
          if (born === null) throw new NotArrived();
          did('sql', `${told}  →  ${text(born['id'])}`);
          const id = await arrives('crm', 'both are there, and linked', async () => find(email));
          await arrives('sql', `the row is ${id} now; current_id() knows the old id`, () =>
            one(
              `select 1 from ${table({ object })} where id = $1
                  and ${schema}_sync.current_id('${object}', $2) = $1${linked ? ` and ${linked}` : ''}`,
              [id, born['id']],
            ),
          );
        },
      };
    },

    /**
     * The edit in SQL is made first and committed last, so that the one in the CRM falls between: no
     * matter how fast the service is, both start from the same value.
     */
    conflict(place: DemoField, values: { base: string; local: string; remote: string }): Scene {
      const { object, noun, field } = place;
      return {
        title: 'Both sides edit one field: settled by policy, and on record',
        async play({ sql, one, until, did, tells, arrives }) {
          const id = nth(crm.ids(object), 9);
          const statement = `update ${table(place)} set ${quoted(field)} = '${values.local}' where id = '${id}'`;
          crm.update(object, id, { [field]: values.base });
          await until(() => shows(one, place, id, values.base));
          await sql.transaction(async (tx) => {
            await tx.query(statement);
            crm.update(object, id, { [field]: values.remote });
          });
          did('sql', statement);
          did('crm', `meanwhile somebody sets the same ${noun}'s ${field} = ${values.remote}`);
          const logged = await arrives('sql', `select … from ${schema}_sync.conflict has it:`, () =>
            one(
              `select base #>> '{}' as base, local #>> '{}' as local, remote #>> '{}' as remote, resolution
                 from ${schema}_sync.conflict
                where object = $1 and record_id = $2 and field = $3 and resolution <> 'open'`,
              [object, id, field],
            ),
          );
          const [base, local, remote] = [logged['base'], logged['local'], logged['remote']].map(
            text,
          );
          const resolution = text(logged['resolution']);
          tells(
            'sql',
            `base ${base}, local ${local}, remote ${remote}: the newer one wins, ${resolution}`,
          );
          const winner = (resolution === 'local' ? local : remote) ?? '';
          await arrives('sql', `both sides say ${winner}`, async () => {
            const here = await shows(one, place, id, winner);
            return here !== null && holds(place, id, winner) ? here : null;
          });
        },
      };
    },

    remoteDelete(object: string, noun: string, remove: (id: string) => void): Scene {
      return {
        title: `A record deleted in ${title} leaves SQL`,
        async play({ one, did, arrives }) {
          const id = nth(crm.ids(object), 3);
          remove(id);
          did('crm', `somebody deletes a ${noun}`);
          await arrives('sql', `its row is gone; ${schema}_sync.tombstone keeps what it was`, () =>
            one(
              `select 1 from ${schema}_sync.tombstone where object = $1 and id = $2
                  and not exists (select from ${table({ object })} where id = $2)`,
              [object, id],
            ),
          );
        },
      };
    },

    /** The other way round takes longer than anybody watches where no call tells of deletions. */
    localDelete(
      object: string,
      words: { readonly title: string; readonly gone: string },
      isGone: (id: string) => boolean,
    ): Scene {
      return {
        title: words.title,
        async play({ sql, one, did, arrives }: Stage) {
          const id = nth(crm.ids(object), 3);
          const statement = `delete from ${table({ object })} where id = '${id}'`;
          await sql.query(statement);
          did('sql', statement);
          await arrives('crm', words.gone, async () => (isGone(id) ? true : null));
          await arrives('sql', `${schema}_sync.tombstone keeps what it was`, () =>
            one(`select 1 from ${schema}_sync.tombstone where object = $1 and id = $2`, [
              object,
              id,
            ]),
          );
        },
      };
    },

    remoteTurn(place: DemoField): Turn {
      const { object, noun, field } = place;
      return async ({ one, until }, turn) => {
        const id = anyOf(crm.ids(object));
        const value = `${anyOf(TITLES)} ${turn}`;
        crm.update(object, id, { [field]: value });
        await until(() => shows(one, place, id, value));
        return `${title} → SQL   ${noun} ${id}: ${field} = ${value}`;
      };
    },

    localTurn(place: DemoField, step: number): Turn {
      const { object, noun, field } = place;
      return async ({ sql, until }, turn) => {
        const id = anyOf(crm.ids(object));
        const value = step * (turn + 1);
        await sql.query(`update ${table(place)} set ${quoted(field)} = $1 where id = $2`, [
          value,
          id,
        ]);
        await until(async () => holds(place, id, value));
        return `SQL → ${title}   ${noun} ${id}: ${field} = ${value}`;
      };
    },
  };
}

export function nth(ids: readonly string[], index: number): string {
  return ids[index] ?? '';
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function anyOf(items: readonly string[]): string {
  return items[Math.floor(Math.random() * items.length)] ?? '';
}

/** A name as SQL takes it; as people would write it, where no quotes are needed. */
function quoted(name: string): string {
  return /^[a-z_]+$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
