import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { type Postgres, query } from '../postgres.ts';
import type { Finished } from '../process.ts';
import { type Emulator, withDatabase, withEmulator } from '../stage.ts';
import { usedSince } from './backfill-beside.ts';
import type { OpenPusher, Pusher } from './pushers.ts';
import type { WholeRun } from './turns.ts';

export interface PushedBeside extends WholeRun {
  readonly writes: number;
  readonly reads: number;
  /** Of the people edited on the other side before the run, and during it, those whose edit is gone. */
  readonly overwritten: number;
  readonly overwrittenMeanwhile: number;
  /** Rows that were to be sent and never arrived, one that was refused left out. */
  readonly lost: number;
}

export interface Scene {
  readonly people: number;
  readonly rows: number;
  /** Of the rows, edited on the other side meanwhile: half before the run, half while it is on. */
  readonly editedThere: number;
  /** Of the rows, in a transaction that began before the others' and commits after the run. */
  readonly committedLate: number;
  /** One row has a value that the CRM refuses. */
  readonly isOneRefused: boolean;
}

const HERE = 'Pushed';
const THERE = 'Edited there';
const REFUSED = 'No such stage';
const BETWEEN_EDITS_MS = 40;

/** Sends two fields of so many rows, with a CRM and a database of its own; runs again where some are late. */
export async function pushBeside(
  postgres: Postgres,
  open: OpenPusher,
  scene: Scene,
): Promise<PushedBeside> {
  return await withEmulator(scene.people, async (emulator) =>
    withDatabase(postgres, async (databaseUrl) => {
      const pusher = await open(emulator, databaseUrl);
      try {
        return await play(scene, { postgres, emulator, databaseUrl, pusher });
      } finally {
        await pusher.close();
      }
    }),
  );
}

interface Staged {
  readonly postgres: Postgres;
  readonly emulator: Emulator;
  readonly databaseUrl: string;
  readonly pusher: Pusher;
}

async function play(scene: Scene, staged: Staged): Promise<PushedBeside> {
  const { postgres, emulator, databaseUrl, pusher } = staged;
  // Whatever is done once is done by then.
  await pusher.push();
  const people = await query(databaseUrl, `SELECT id FROM ${pusher.table} ORDER BY id`);
  const ids = people.slice(0, scene.rows).map(({ id }) => String(id));
  const late = ids.slice(0, scene.committedLate);
  const inTime = ids.slice(late.length);
  const every = Math.floor(inTime.length / scene.editedThere);
  const edited = inTime.filter((_, index) => index % every === 0).slice(0, scene.editedThere);
  const before = Math.ceil(edited.length / 2);
  // Beside one that is edited, in the middle of a batch.
  const refused = scene.isOneRefused ? inTime[every * before + 1] : undefined;

  const holder = new pg.Client({ connectionString: databaseUrl });
  await holder.connect();
  try {
    await holder.query('BEGIN');
    await holder.query(updateOf(pusher), [late, refused]);
    await query(databaseUrl, updateOf(pusher), [inTime, refused]);
    await emulator.act('reset-stats', {});
    const usedBefore = await postgres.processorMs();
    await Promise.all(edited.slice(0, before).map((id) => editThere(emulator, id)));
    const editing = editSteadily(emulator, edited.slice(before));
    const finished = await pusher.push();
    const usedMs = await usedSince(postgres, usedBefore);
    await editing;
    const requests = await countRequests(emulator);
    await holder.query('COMMIT');
    if (late.length > 0) await pusher.push();
    const titles = await readPeople(emulator);
    const isGone = (id: string) => titles.get(id) !== THERE;
    const isLost = (id: string) =>
      !edited.includes(id) && id !== refused && titles.get(id) !== HERE;
    return {
      ...rates(finished, scene.rows),
      databaseMicros: usedMs === null ? null : (usedMs * 1000) / scene.rows,
      ...requests,
      overwritten: edited.slice(0, before).filter(isGone).length,
      overwrittenMeanwhile: edited.slice(before).filter(isGone).length,
      lost: ids.filter(isLost).length,
    };
  } finally {
    await holder.end();
  }
}

function updateOf({ table, stamp }: Pusher): string {
  return `UPDATE ${table}
     SET job_title = '${HERE}'${stamp},
         lifecycle = CASE WHEN id = $2 THEN '${REFUSED}' WHEN lifecycle = 'Lead' THEN 'Customer' ELSE 'Lead' END
   WHERE id = ANY($1::text[])`;
}

function rates(finished: Finished, rows: number) {
  return {
    perSecond: (rows * 1000) / finished.elapsedMs,
    clientMicros: (finished.processorMs * 1000) / rows,
    residentBytes: finished.residentBytes,
  };
}

async function editThere(emulator: Emulator, id: string): Promise<void> {
  await emulator.act('edit', { object: 'person', id, fields: { job_title: THERE } });
}

async function editSteadily(emulator: Emulator, ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    await sleep(BETWEEN_EDITS_MS);
    await editThere(emulator, id);
  }
}

async function countRequests(emulator: Emulator) {
  const endpoints = Object.entries((await emulator.stats()).endpoints);
  const sum = (isRead: boolean) =>
    endpoints
      .filter(([name]) => name.startsWith('GET ') === isRead)
      .reduce((total, [, { requests }]) => total + requests, 0);
  return { reads: sum(true), writes: sum(false) };
}

const PAGE = 500;

/** What the CRM has for a job title of each person. */
async function readPeople(emulator: Emulator): Promise<ReadonlyMap<string, unknown>> {
  const titles = new Map<string, unknown>();
  for (let offset = 0; offset < emulator.people; offset += PAGE) {
    const page = new URLSearchParams({ 'page[offset]': `${offset}`, 'page[limit]': `${PAGE}` });
    const answer = await fetch(
      `${emulator.url}/workspaces/${emulator.workspace}/objects/person/resources?${page.toString()}`,
      { headers: { authorization: `api-key ${emulator.apiKey}`, 'user-agent': 'bench' } },
    );
    const { data }: { data: { id: string; attributes: Record<string, unknown> }[] } = JSON.parse(
      await answer.text(),
    );
    for (const { id, attributes } of data) titles.set(id, attributes['job_title']);
  }
  return titles;
}
