import { discardChange } from '../../src/app/decisions/discard-change.ts';
import { renderSql, TEMPLATE } from '../../src/db/control/schemas.ts';
import { differences, linkDifferences } from '../support/agreement.ts';
import { fieldKey } from './ledger.ts';
import { comeToRest } from './rest.ts';
import { brokenVersions } from './versions.ts';
import type { World } from './world.ts';

export interface Verdict {
  readonly problems: readonly string[];
  /** Why changes were parked, and how often. */
  readonly parked: Readonly<Record<string, number>>;
  readonly passes: number;
}

/** Ends all trouble, lets both sides come to rest, and compares what is with what should be. */
export async function judge(world: World): Promise<Verdict> {
  const problems: string[] = [];
  const parked: Record<string, number> = {};
  world.emulator.faults.clear();
  world.written.calm();
  for (const daemon of world.daemons) daemon.fate.disarm();
  for (const user of world.users) await (world.chance.once(2) ? user.commit() : user.rollback());
  const [daemon] = world.daemons;
  if (!daemon) throw new Error('nobody to sync');
  let passes = 0;
  for (let round = 0; round < 6; round += 1) {
    passes += await comeToRest(world, problems);
    const waiting = await readParked(world);
    if (round === 0) {
      for (const { reason } of waiting) parked[reason] = (parked[reason] ?? 0) + 1;
      problems.push(...waiting.filter((entry) => !isExpected(world, entry)).map(describeParked));
    }
    if (waiting.length === 0 || problems.length > 0) break;
    // A person gives up what is parked; then both sides have to agree after all.
    const session = await daemon.session();
    for (const { id } of waiting) {
      if (await isParked(world, id)) await discardChange(session, id, world.signal);
    }
  }
  const { taken, polls, readBacks, passedOver } = world.written.server;
  if (taken.length > 0) {
    world.log.push(
      `${taken.length} jobs, ${polls} polls, ${readBacks} read back, ${passedOver} passed over`,
    );
  }
  problems.push(...(await readStanding(world)), ...(await compare(world)));
  problems.push(...(await lostLocally(world)), ...(await lostRemotely(world)));
  problems.push(...world.written.server.heldTwice.map((key) => `two open jobs held ${key}`));
  problems.push(...births(world), ...(await excess(world)), ...(await imagined(world)));
  problems.push(...(await revived(world)), ...(await brokenVersions(world)));
  return { problems, parked, passes };
}

interface Parked {
  readonly id: bigint;
  readonly object: string;
  readonly reason: string;
}

const query = async <Row>(world: World, text: string, values: unknown[] = []): Promise<Row[]> =>
  (await world.arena.client.query(text, values)).rows as Row[];

async function readParked(world: World): Promise<Parked[]> {
  const rows = await query<{ id: string; object: string; reason: string }>(
    world,
    `SELECT id, object, split_part(last_error, ':', 1) AS reason FROM clarify_sync.outbox
      WHERE state = 'parked' ORDER BY id`,
  );
  return rows.map((row) => ({ ...row, id: BigInt(row.id) }));
}

async function isParked(world: World, id: bigint): Promise<boolean> {
  const rows = await query(
    world,
    `SELECT 1 FROM clarify_sync.outbox WHERE id = $1 AND state = 'parked'`,
    [id],
  );
  return rows.length > 0;
}

function describeParked({ object, reason, id }: Parked): string {
  return `parked without need: ${object} entry ${id}, ${reason}`;
}

function isExpected(world: World, { reason }: Parked): boolean {
  const { local, remote } = world.ledger;
  const deletes =
    local.some(({ op }) => op === 'delete') || remote.some(({ op }) => op === 'delete');
  switch (reason) {
    case 'conflict-open':
      return world.policy === 'manual';
    // Refers to a row or record that somebody deleted.
    case 'reference-unknown':
    case 'remote-invalid':
      return deletes;
    // Local rows may take a domain or address that two records have.
    case 'remote-duplicate':
      return true;
    // A job has taken it, and passed it over in silence.
    case 'not-kept':
      return world.written.server.passedOver > 0;
    default:
      return false;
  }
}

async function readStanding(world: World): Promise<string[]> {
  const rows = await query<{ problem: string }>(
    world,
    `SELECT format('entry %s of %s %s is %s', id, object, record_id, state) AS problem
       FROM clarify_sync.outbox AS o
      WHERE state = 'sending' OR state = 'pending'
     UNION ALL
     SELECT format('conflict logged %s times: %s %s %s', count(*), object, record_id, field)
       FROM clarify_sync.conflict GROUP BY object, record_id, field, base, local, remote HAVING count(*) > 1
     UNION ALL
     SELECT format('tombstone of a record that stands: %s %s', t.object, t.id)
       FROM clarify_sync.tombstone AS t JOIN unnest($1::text[], $2::text[]) AS r(object, id) USING (object, id)`,
    recordIds(world),
  );
  const problems = rows.map(({ problem }) => problem);
  for (const { qualified, object, columns } of world.arena.tables) {
    const table = renderSql(qualified, TEMPLATE);
    for (const { column, field } of columns) {
      if (field.kind !== 'reference') continue;
      const local = await query<{ id: string }>(
        world,
        `SELECT id FROM ${table} WHERE "${column}" LIKE 'local:%'`,
      );
      problems.push(...local.map(({ id }) => `${object} ${id}: ${column} has an id given here`));
    }
    const born = await query<{ id: string }>(
      world,
      `SELECT id FROM ${table} WHERE id LIKE 'local:%'`,
    );
    problems.push(...born.map(({ id }) => `${object} ${id}: still has the id given here`));
  }
  // A value that was there before may be in conflict once more.
  return problems.filter((problem) => {
    const [, field = ''] = /^conflict logged \d+ times: (.*)$/.exec(problem) ?? [];
    return !world.ledger.repeated.has(field);
  });
}

function recordIds({ arena, emulator }: World): [string[], string[]] {
  const pairs = arena.tables.flatMap(({ object }) =>
    emulator.store.ids(object).map((id) => [object, id] as const),
  );
  return [pairs.map(([object]) => object), pairs.map(([, id]) => id)];
}

async function compare(world: World): Promise<string[]> {
  const [daemon] = world.daemons;
  if (!daemon) return [];
  const { emulator } = world;
  const session = await daemon.session();
  const sql = (text: string) => query<Record<string, unknown>>(world, text);
  const between = { emulator, session, sql };
  return [...(await differences(between)), ...(await linkDifferences(between))];
}

/** Committed writes of users that left no trace: not in Clarify, not overwritten, not on record. */
async function lostLocally(world: World): Promise<string[]> {
  const { ledger } = world;
  const ids = await currentIds(world);
  const now = (object: string, id: string) => ids.get(`${object} ${id}`) ?? id;
  const lost: string[] = [];
  for (const write of ledger.local) {
    const { op, object, order, field, value } = write;
    const id = now(object, write.id);
    const known = [id, ...formerIds(ids, object, id)];
    const later = ledger.local.some(
      (other) =>
        other.order > order &&
        other.object === object &&
        now(object, other.id) === id &&
        (other.op !== 'update' || other.field === field),
    );
    if (later) continue;
    if (op === 'delete') {
      if (ledger.merged.has(id)) continue;
      const stands = world.emulator.store.get(object, id) !== null;
      if (stands && !(await isOnRecord(world, object, known, null)))
        lost.push(`delete of ${object} ${id} came to nothing`);
      continue;
    }
    if (field === null || value === null) continue;
    const seen =
      op === 'insert'
        ? ledger.bearers.has(value)
        : known.some((each) => isSeen(world, object, each, field, value));
    if (!seen && !(await isOnRecord(world, object, known, { field, value })))
      lost.push(`${op} of ${object} ${id} ${field} ${value} was lost`);
  }
  return lost;
}

/** What was sent to a record that was merged into another since has arrived. */
function formerIds(ids: ReadonlyMap<string, string>, object: string, id: string): string[] {
  return [...ids].flatMap(([former, current]) =>
    current === id && former.startsWith(`${object} `) ? [former.slice(object.length + 1)] : [],
  );
}

function isSeen(
  { ledger }: World,
  object: string,
  id: string,
  field: string,
  value: string,
): boolean {
  return ledger.values.get(fieldKey(object, id, field))?.has(value) === true;
}

/** Cancelled or discarded, or lost to the other side with a conflict to show for it. */
async function isOnRecord(
  world: World,
  object: string,
  ids: readonly string[],
  change: { readonly field: string; readonly value: string } | null,
): Promise<boolean> {
  const rows = await query(
    world,
    `SELECT 1 FROM clarify_sync.outbox
      WHERE object = $1 AND record_id = ANY($2::text[]) AND state IN ('cancelled', 'parked')
        AND (CASE WHEN $3::text IS NULL THEN op = 'delete' ELSE ${holds("changes -> $3 -> 'value'", '$4')} END)
     UNION ALL
     SELECT 1 FROM clarify_sync.conflict
      WHERE object = $1 AND record_id = ANY($2::text[]) AND field = $3 AND ${holds('local', '$4')}`,
    [object, ids, change?.field ?? null, change?.value ?? null],
  );
  return rows.length > 0;
}

/** Whether a JSON value is what the ledger writes so: a column with a scale has 1006 as 1006.0000. */
function holds(json: string, text: string): string {
  const number = `CASE WHEN ${text}::text ~ '^-?[0-9.]+$' THEN ${text}::text::jsonb END`;
  return `(${json} = to_jsonb(${text}::text) OR ${json} = ${number})`;
}

async function currentIds(world: World): Promise<Map<string, string>> {
  const rows = await query<{ object: string; old_id: string; id: string }>(
    world,
    'SELECT object, old_id, clarify_sync.current_id(object, old_id) AS id FROM clarify_sync.id_map',
  );
  return new Map(rows.map(({ object, old_id, id }) => [`${object} ${old_id}`, id]));
}

/** Edits in the app that were overwritten although nobody had seen them. */
async function lostRemotely(world: World): Promise<string[]> {
  const { ledger, emulator, switches } = world;
  // A re-read before a push cannot show what does not show yet.
  if ((switches.visibilityDelayMs ?? 0) > 0) return [];
  const lost: string[] = [];
  for (const { op, object, id, field, value, racing, order } of ledger.remote) {
    if (op !== 'update' || field === null || value === null || racing) continue;
    const record = emulator.store.get(object, id);
    const stands = record?.attributes[field];
    // The ledger knows texts and numbers alone.
    if (record === null || (typeof stands !== 'object' && String(stands) === value)) continue;
    const later = ledger.remote.some(
      (other) =>
        other.order > order && other.object === object && other.id === id && other.field === field,
    );
    if (later || ledger.merged.has(id) || isMatched(world, object, id)) continue;
    const rows = await query(
      world,
      `SELECT 1 FROM clarify_sync.outbox
        WHERE object = $1 AND ${holds("changes -> $2 -> 'base'", '$3')}
       UNION ALL
       SELECT 1 FROM clarify_sync.conflict
        WHERE object = $1 AND record_id = $4 AND field = $2 AND ${holds('remote', '$3')}`,
      [object, field, value, id],
    );
    if (rows.length === 0) lost.push(`edit of ${object} ${id} ${field} was overwritten unseen`);
  }
  return lost;
}

/** Whether creates from here were matched with it: they overwrite it by their nature. */
function isMatched({ ledger }: World, object: string, id: string): boolean {
  const markers = ledger.values.get(fieldKey(object, id, 'marker'));
  return (
    (markers?.size ?? 0) > 1 ||
    [...(markers ?? [])].some(
      (marker) => marker.startsWith('m') && [...(ledger.bearers.get(marker) ?? [])].length > 1,
    )
  );
}

/** Every row born here became at most one record, unless somebody deleted the first at once. */
function births({ ledger }: World): string[] {
  const deleted = new Set(ledger.remote.filter(({ op }) => op === 'delete').map(({ id }) => id));
  return [...ledger.bearers].flatMap(([marker, bearers]) => {
    const kept = [...bearers].filter((id) => !deleted.has(id));
    return kept.length > 1 ? [`${marker} was created ${bearers.size} times`] : [];
  });
}

/** Conflicts about fields that nobody wrote in the app. */
async function imagined(world: World): Promise<string[]> {
  const { remote, merged } = world.ledger;
  // A reference to what is gone is cleared by the CRM itself, whoever deleted it.
  const rows = await query<{ object: string; record_id: string; field: string }>(
    world,
    `SELECT object, clarify_sync.current_id(object, record_id) AS record_id, field
       FROM clarify_sync.conflict AS c
      WHERE policy <> 'deleted' AND NOT (remote #>> '{}' IS NULL AND EXISTS (
              SELECT FROM clarify_sync.tombstone AS t WHERE t.id = c.base #>> '{}'))`,
  );
  return rows.flatMap(({ object, record_id, field }) => {
    const real = remote.some(
      ({ op, id, field: written }) => id === record_id && (op === 'create' || written === field),
    );
    return real || merged.has(record_id) || isMatched(world, object, record_id)
      ? []
      : [`conflict about ${object} ${record_id} ${field}, which nobody edited in the app`];
  });
}

/** Local values that lost a conflict for good, and stand in Clarify all the same. */
async function revived({ arena, ledger, emulator }: World): Promise<string[]> {
  const { rows } = await arena.client.query<Record<'object' | 'id' | 'field' | 'local', string>>(
    `SELECT object, clarify_sync.current_id(object, record_id) AS id, field, local #>> '{}' AS local
       FROM clarify_sync.conflict
      WHERE resolution = 'remote' AND resolved_by <> 'agreement' AND policy <> 'deleted'
        AND jsonb_typeof(local) IN ('string', 'number')`,
  );
  return rows.flatMap(({ object, id, field, local }) => {
    const stands = emulator.store.get(object, id)?.attributes[field];
    const isText = typeof stands === 'string' || typeof stands === 'number';
    // Links and values out of a few may come back by somebody's will.
    const mayReturn =
      field.endsWith('_id') ||
      ledger.repeated.has(fieldKey(object, id, field)) ||
      ledger.merged.has(id);
    return isText && String(stands) === local && !mayReturn
      ? [`${object} ${id} ${field} holds a local value that lost its conflict`]
      : [];
  });
}

/** An edit storm ends in a bounded number of writes. */
async function excess(world: World): Promise<string[]> {
  const [row] = await query<{ entries: number }>(
    world,
    'SELECT count(*)::int AS entries FROM clarify_sync.outbox',
  );
  const most = 40 + 4 * (row?.entries ?? 0);
  return world.writeRequests > most
    ? [`${world.writeRequests} requests that write, for ${row?.entries} changes`]
    : [];
}
