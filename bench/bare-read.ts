/**
 * The bare loop that a reading of unchanged records is measured against: fetches the same pages one
 * after the other and parses them, and that is all.
 *
 * Run by the bench as a process of its own; prints a `BareReport`.
 */
import type { BareReport } from './bare-loop.ts';

export interface BareReadTask {
  readonly crm: string;
  readonly url: string;
  readonly apiKey: string;
  readonly workspace: string;
  /** Of Kizen. */
  readonly userId?: string;
  readonly businessId?: string;
  readonly object: string;
  readonly records: number;
}

const PAGE = 500;
const LONG_PAGE = 1_000;

function ask(task: BareReadTask, offset: number): Promise<Response> {
  if (task.crm === 'attio') {
    return fetch(`${task.url}/v2/objects/${task.object}/records/query`, {
      method: 'POST',
      headers: { authorization: `Bearer ${task.apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        limit: PAGE,
        offset,
        sorts: [{ attribute: 'created_at', direction: 'asc' }],
      }),
    });
  }
  if (task.crm === 'brevo') {
    const query = `limit=${LONG_PAGE}&offset=${offset}&sort=asc`;
    return fetch(`${task.url}/${task.object}?${query}`, { headers: { 'api-key': task.apiKey } });
  }
  if (task.crm === 'kizen') {
    const query = `page=${offset / LONG_PAGE + 1}&page_size=${LONG_PAGE}&ordering=created`;
    return fetch(`${task.url}/records/${task.object}/search?${query}`, {
      method: 'POST',
      headers: {
        'x-api-key': task.apiKey,
        'x-user-id': task.userId ?? '',
        'x-business-id': task.businessId ?? '',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ query: [], and: true }),
    });
  }
  const query = `page[limit]=${PAGE}&page[offset]=${offset}&sortOrder[column]=_created_at&sortOrder[dir]=ASC`;
  return fetch(
    `${task.url}/workspaces/${task.workspace}/objects/${task.object}/resources?${query}`,
    { headers: { authorization: `api-key ${task.apiKey}`, 'user-agent': 'bench' } },
  );
}

interface Body {
  readonly data?: readonly unknown[];
  readonly contacts?: readonly unknown[];
  readonly results?: readonly unknown[];
}

const task: BareReadTask = JSON.parse(process.argv[2] ?? '');
const startedMs = performance.now();
const usedBefore = process.cpuUsage();
let records = 0;
while (records < task.records) {
  const body: Body = JSON.parse(await (await ask(task, records)).text());
  const { length } = body.data ?? body.contacts ?? body.results ?? [];
  if (length === 0) break;
  records += length;
}
const used = process.cpuUsage(usedBefore);
const report: BareReport = {
  records,
  ms: performance.now() - startedMs,
  processorMs: (used.user + used.system) / 1000,
};
process.stdout.write(JSON.stringify(report));
