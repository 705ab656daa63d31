/**
 * Reads the same page again and again, by a build of this program or barely: its bytes are received
 * and thrown away. Run by the bench as a process of its own; prints a {@link PageReport}.
 */
import { Agent, get } from 'node:http';

export interface PageTask {
  readonly url: string;
  /** The workspace's slug, by which the server tells what to answer. */
  readonly workspace: string;
  /** The client's module of a build; null for the bare reader. */
  readonly client: string | null;
  readonly times: number;
}

export interface PageReport {
  /** Of each reading but those that warm up. */
  readonly ms: readonly number[];
  readonly processorMs: readonly number[];
}

const WARM_UP = 5;

async function open({ url, workspace, client }: PageTask): Promise<() => Promise<unknown>> {
  if (client === null) {
    const agent = new Agent({ keepAlive: true });
    const address = `${url}/workspaces/${workspace}/objects/person/resources`;
    return () =>
      new Promise((resolve, reject) => {
        get(address, { agent }, (response) => {
          response.on('data', () => {});
          response.on('end', resolve);
        }).on('error', reject);
      });
  }
  const { createClarifyRemote }: typeof import('../src/crm/clarify/remote.ts') = await import(
    client
  );
  const options = { baseUrl: url, workspace, apiKey: 'key', allowancePercent: 100 };
  const remote = createClarifyRemote(options);
  const label = { singular: 'Person', plural: 'People' };
  const object = { object: 'person', label, fields: [], identity: null, readOnly: null };
  const page = { orderBy: 'created', direction: 'asc', offset: 0, limit: 500 } as const;
  const { signal } = new AbortController();
  return async () => {
    const { records } = await remote.readPage(
      { ...page, object, include: ['deals'] },
      { priority: 'pull', signal },
    );
    if (records.length !== 500) throw new Error('records were lost');
  };
}

const task: PageTask = JSON.parse(process.argv[2] ?? '');
const read = await open(task);
const ms: number[] = [];
const processorMs: number[] = [];
for (let count = -WARM_UP; count < task.times; count += 1) {
  const startedMs = performance.now();
  const before = process.cpuUsage();
  await read();
  const { user, system } = process.cpuUsage(before);
  if (count < 0) continue;
  ms.push(performance.now() - startedMs);
  processorMs.push((user + system) / 1000);
}
process.stdout.write(JSON.stringify({ ms, processorMs } satisfies PageReport), () =>
  process.exit(0),
);
