/**
 * The bare loop everything is measured against: fetches pages, parses them and COPYs them into a
 * table with the mirror's columns and key. It knows neither errors nor limits, edits nor resuming,
 * and keeps as many requests in flight as the backfill does.
 *
 * Run by the bench as a process of its own; prints a {@link BareReport}.
 */
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

export interface BareTask {
  readonly url: string;
  readonly apiKey: string;
  readonly workspace: string;
  readonly databaseUrl: string;
  readonly table: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly records: number;
  readonly inFlight: number;
  readonly column: '_created_at' | '_updated_at';
  /** Only records from this instant on. */
  readonly from: string | null;
}

export interface BareReport {
  readonly records: number;
  readonly ms: number;
  /** From the first request to the last row. */
  readonly processorMs: number;
}

interface Resource {
  readonly id: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

const PAGE = 500;
const PAGES_PER_COPY = 4;

async function fetchPage(task: BareTask, offset: number): Promise<readonly Resource[]> {
  const query = new URLSearchParams({
    'sortOrder[column]': task.column,
    'sortOrder[dir]': 'ASC',
    'page[offset]': String(offset),
    'page[limit]': String(PAGE),
    ...(task.from === null ? {} : { [`filter[${task.column}][Is on or after]`]: task.from }),
  });
  const response = await fetch(
    `${task.url}/workspaces/${task.workspace}/objects/person/resources?${query.toString()}`,
    { headers: { authorization: `api-key ${task.apiKey}`, 'user-agent': 'bare-loop' } },
  );
  const body: { data: Resource[] } = JSON.parse(await response.text());
  return body.data;
}

function toText(type: string, value: unknown): string {
  if (value === null || value === undefined) return '\\N';
  let text: string;
  if (type === 'ARRAY') {
    const items = Array.isArray(value) ? value : (value as { items: unknown[] }).items;
    text = `{${items.map((item) => JSON.stringify(item)).join(',')}}`;
  } else text = typeof value === 'string' ? value : JSON.stringify(value);
  return /[\\\t\n\r]/.test(text)
    ? text
        .replaceAll('\\', '\\\\')
        .replaceAll('\t', '\\t')
        .replaceAll('\n', '\\n')
        .replaceAll('\r', '\\r')
    : text;
}

async function copy(client: pg.Client, task: BareTask, lines: readonly string[]): Promise<void> {
  const names = task.columns.map(({ name }) => pg.escapeIdentifier(name)).join(', ');
  const target = client.query(copyFrom(`COPY ${task.table} (${names}) FROM STDIN`));
  await pipeline([Buffer.from(`${lines.join('\n')}\n`)], target);
}

async function work(task: BareTask, offsets: number[]): Promise<number> {
  const client = new pg.Client({ connectionString: task.databaseUrl });
  await client.connect();
  let records = 0;
  let lines: string[] = [];
  for (let offset = offsets.shift(); offset !== undefined; offset = offsets.shift()) {
    for (const { id, attributes } of await fetchPage(task, offset)) {
      const values = task.columns.map(({ name, type }) =>
        name === 'id' || name === '_key'
          ? id
          : name === '_synced_at'
            ? 'now'
            : toText(type, attributes[name]),
      );
      lines.push(values.join('\t'));
      records += 1;
    }
    if (lines.length < PAGE * PAGES_PER_COPY) continue;
    await copy(client, task, lines);
    lines = [];
  }
  if (lines.length > 0) await copy(client, task, lines);
  await client.end();
  return records;
}

const task: BareTask = JSON.parse(process.argv[2] ?? '');
const offsets = Array.from({ length: Math.ceil(task.records / PAGE) }, (_, page) => page * PAGE);
const startedMs = performance.now();
const usedBefore = process.cpuUsage();
const counts = await Promise.all(Array.from({ length: task.inFlight }, () => work(task, offsets)));
const records = counts.reduce((sum, count) => sum + count, 0);
const used = process.cpuUsage(usedBefore);
const report: BareReport = {
  records,
  ms: performance.now() - startedMs,
  processorMs: (used.user + used.system) / 1000,
};
process.stdout.write(JSON.stringify(report));
