import { afterAll, beforeAll, expect, test } from 'vitest';
import { syncOnce } from '../../../src/app/sync-once.ts';
import { differences } from '../../support/agreement.ts';
import { openWorkspace, type TestWorkspace } from '../../support/workspace.ts';

// Whatever users put on three tables while both sides edit, in any order: no other object stops, no
// edit is lost or sent twice, and all is equal once the last of it is taken away (invariants 2, 4, 7, 10).

const OBJECTS = ['person', 'company', 'task'] as const;
const COLUMN = { person: 'job_title', company: 'name', task: 'title' } as const;
type Named = (typeof OBJECTS)[number];

interface Cause {
  readonly up: (object: Named) => string;
  readonly down: (object: Named) => string;
}

const trigger = (events: string, body: string): Cause => ({
  up: (object) => `
    CREATE FUNCTION public.on_${object}() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE r record; BEGIN IF TG_OP = 'DELETE' THEN r := OLD; ELSE r := NEW; END IF;
      IF hashtext(r.id) % 3 = 0 THEN ${body} END IF; RETURN r; END $$;
    CREATE TRIGGER on_row BEFORE ${events} ON clarify.${object} FOR EACH ROW EXECUTE FUNCTION public.on_${object}()`,
  down: (object) => `DROP FUNCTION public.on_${object}() CASCADE`,
});

const CAUSES: readonly Cause[] = [
  {
    up: (object) =>
      `ALTER TABLE clarify.${object} ADD CONSTRAINT odd CHECK (${COLUMN[object]} NOT LIKE '%7%') NOT VALID`,
    down: (object) => `ALTER TABLE clarify.${object} DROP CONSTRAINT odd`,
  },
  {
    up: (
      object,
    ) => `ALTER TABLE clarify.${object} ADD CONSTRAINT apart EXCLUDE (${COLUMN[object]} WITH =)
                       WHERE (${COLUMN[object]} LIKE 'same%') DEFERRABLE INITIALLY DEFERRED`,
    down: (object) => `ALTER TABLE clarify.${object} DROP CONSTRAINT apart`,
  },
  {
    up: (
      object,
    ) => `CREATE TABLE public.about_${object} (id text REFERENCES clarify.${object} (id));
                     INSERT INTO public.about_${object} SELECT id FROM clarify.${object} ORDER BY hashtext(id) LIMIT 8`,
    down: (object) => `DROP TABLE public.about_${object}`,
  },
  trigger('INSERT OR UPDATE', `RAISE 'no' USING ERRCODE = 'ABCDE';`),
  trigger('UPDATE OR DELETE', 'PERFORM 1 FROM public.dropped;'),
  trigger('INSERT OR UPDATE OR DELETE', 'RETURN NULL;'),
  trigger('DELETE', `RAISE feature_not_supported;`),
];

let workspace: TestWorkspace;
beforeAll(async () => {
  const sizes = { person: 12, company: 8, deal: 6, task: 12, meeting: 0, message: 0, c_project: 0 };
  workspace = await openWorkspace({
    emulator: { sizes },
    config: { massDelete: { rows: 1_000, percent: 100 } },
  });
});
afterAll(() => workspace.stop());

/** The same numbers for the same seed. */
function chance(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

test.each([1, 2, 3])(
  'seed %i',
  async (seed) => {
    const { emulator, sql, session, signal } = workspace;
    const { store } = emulator;
    const below = chance(seed);
    const pick = <T>(items: readonly T[]): T => items[below(items.length)] as T;
    const standing = new Map<string, () => string>();
    const sync = () => syncOnce(session, { signal });
    /** A user whose statement is refused has lost nothing. */
    const tried = (text: string) =>
      sql(text).then(
        () => true,
        () => false,
      );
    let n = seed * 1_000;
    const value = () => (below(4) === 0 ? `same ${below(3)}` : `value ${(n += 1)}`);
    const edit = async (object: Named) => {
      const column = COLUMN[object];
      const here = (await sql(`SELECT id FROM clarify.${object}`)).map(({ id }) => String(id));
      const there = store.ids(object);
      const id = pick(here);
      switch (below(7)) {
        case 0:
          store.create(object, { [column]: value() });
          break;
        case 1:
          if (there.length > 4) store.delete(object, pick(there));
          break;
        case 2:
          await tried(`INSERT INTO clarify.${object} (${column}) VALUES ('${value()}')`);
          break;
        case 3:
          if (here.length > 4) await tried(`DELETE FROM clarify.${object} WHERE id = '${id}'`);
          break;
        case 4:
        case 5:
          await tried(`UPDATE clarify.${object} SET ${column} = '${value()}' WHERE id = '${id}'`);
          break;
        default:
          store.update(object, pick(there), { [column]: value() });
      }
    };
    await sync();
    for (let round = 0; round < 7; round += 1) {
      const object = pick(OBJECTS);
      const cause = pick(CAUSES);
      const down = standing.get(object);
      if (down === undefined) {
        if (await tried(cause.up(object))) standing.set(object, () => cause.down(object));
      } else {
        await sql(down());
        standing.delete(object);
      }
      for (let each = 0; each < 10; each += 1) await edit(pick(OBJECTS));
      const [deal = ''] = store.ids('deal');
      await sql(`UPDATE clarify.deal SET name = 'round ${n}' WHERE id = $1`, [deal]);
      const { objects } = await sync();
      expect(store.get('deal', deal)?.attributes).toMatchObject({ name: `round ${n}` });
      const failed = objects.filter(
        ({ state, error }) => state !== 'ok' && error?.code !== 'object-unavailable',
      );
      expect(failed).toEqual([]);
    }
    for (const down of standing.values()) await sql(down());
    await sync();
    const outcome = await sync();
    expect(outcome.left).toMatchObject({ pending: 0, blocked: 0, setAside: 0 });
    expect(await sql('SELECT object, id, kind, code FROM clarify_sync.deferred')).toEqual([]);
    expect(await differences(workspace)).toEqual([]);
  },
  180_000,
);
