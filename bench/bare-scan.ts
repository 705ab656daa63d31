/**
 * The bare loop a full scan is measured against: fetches the same pages of a list of records, each
 * a list of values by attribute, parses them and COPYs them into a table with the mirror's columns
 * and key. It knows neither errors nor limits, ties nor records that move.
 *
 * Run by the bench as a process of its own; prints a `BareReport`.
 */
import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { BareReport } from './bare-loop.ts';

export interface BareScanTask {
  readonly url: string;
  readonly apiKey: string;
  readonly databaseUrl: string;
  readonly object: string;
  readonly table: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly records: number;
  readonly inFlight: number;
}

type Value = Readonly<Record<string, unknown>>;
interface Item {
  readonly id: { readonly record_id: string };
  readonly values: Readonly<Record<string, readonly Value[]>>;
}

const PAGE = 500;
const PAGES_PER_COPY = 4;

async function fetchPage(task: BareScanTask, offset: number): Promise<readonly Item[]> {
  const response = await fetch(`${task.url}/v2/objects/${task.object}/records/query`, {
    method: 'POST',
    headers: { authorization: `Bearer ${task.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      limit: PAGE,
      offset,
      sorts: [{ attribute: 'created_at', direction: 'asc' }],
    }),
  });
  const body: { data: Item[] } = JSON.parse(await response.text());
  return body.data;
}

/** What a value is, of those that the sample records have. */
function told(value: Value): unknown {
  switch (value['attribute_type']) {
    case 'currency':
      return value['currency_value'];
    case 'select':
      return (value['option'] as Value)['title'];
    case 'status':
      return (value['status'] as Value)['title'];
    case 'email-address':
      return value['email_address'];
    case 'domain':
      return value['domain'];
    case 'phone-number':
      return value['phone_number'];
    case 'actor-reference':
      return value['referenced_actor_id'];
    case 'record-reference':
      return value['target_record_id'];
    case 'personal-name':
    case 'location':
    case 'interaction':
      return value;
    default:
      return value['value'];
  }
}

function toText(type: string, values: readonly Value[] | undefined): string {
  if (values === undefined || values.length === 0) return '\\N';
  let text: string;
  if (type === 'ARRAY') text = `{${values.map((one) => JSON.stringify(told(one))).join(',')}}`;
  else {
    const one = told(values[0] ?? {});
    if (one === null || one === undefined) return '\\N';
    text = typeof one === 'string' ? one : JSON.stringify(one);
  }
  return /[\\\t\n\r]/.test(text)
    ? text
        .replaceAll('\\', '\\\\')
        .replaceAll('\t', '\\t')
        .replaceAll('\n', '\\n')
        .replaceAll('\r', '\\r')
    : text;
}

function line(task: BareScanTask, { id, values }: Item): string {
  const texts = task.columns.map(({ name, type }) => {
    switch (name) {
      case 'id':
      case '_key':
        return id.record_id;
      case '_synced_at':
        return 'now';
      case '_created_at':
        return toText(type, values['created_at']);
      case '_created_by':
        return toText(type, values['created_by']);
      case '_updated_at':
        return String(Object.values(values).flat().at(-1)?.['active_from']);
      default:
        return toText(type, values[name]);
    }
  });
  return texts.join('\t');
}

async function copy(client: pg.Client, task: BareScanTask, lines: readonly string[]) {
  const names = task.columns.map(({ name }) => pg.escapeIdentifier(name)).join(', ');
  const target = client.query(copyFrom(`COPY ${task.table} (${names}) FROM STDIN`));
  await pipeline([Buffer.from(`${lines.join('\n')}\n`)], target);
}

async function work(task: BareScanTask, offsets: number[]): Promise<number> {
  const client = new pg.Client({ connectionString: task.databaseUrl });
  await client.connect();
  let records = 0;
  let lines: string[] = [];
  for (let offset = offsets.shift(); offset !== undefined; offset = offsets.shift()) {
    for (const item of await fetchPage(task, offset)) {
      lines.push(line(task, item));
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

const task: BareScanTask = JSON.parse(process.argv[2] ?? '');
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
