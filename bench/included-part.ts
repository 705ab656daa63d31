import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { BEFORE_FLEETS, buildAt } from './baseline.ts';
import { atMost, median, show } from './figures.ts';
import type { PageReport, PageTask } from './page-read.ts';
import type { Told } from './parts.ts';
import { runNode } from './process.ts';

const RECORDS = 500;
const INCLUDED_BYTES = 28_000_000;
const TIMES = 15;
const MEGABYTE = 1_000_000;

type Place = 'none' | 'first' | 'middle' | 'last';

interface Read {
  /** Medians, milliseconds. */
  readonly ms: number;
  readonly processorMs: number;
  readonly residentBytes: number;
}

/**
 * A page with related records, whole, beside the same page without; and what receiving them takes,
 * which no client is spared.
 */
export async function includedPart({ tell, sizes }: Told): Promise<void> {
  const before = pathToFileURL(
    (await buildAt(BEFORE_FLEETS)).replace('main.js', CLIENT_BEFORE),
  ).href;
  const now = new URL(`../src/${CLIENT.replace('.js', '.ts')}`, import.meta.url).href;
  const server = await startServer();
  try {
    for (const place of ['first', 'middle', 'last'] as const) {
      const rounds: Map<string, Read>[] = [];
      for (let round = 0; round < sizes.rounds; round += 1) {
        const sides = [
          ['without', now, 'none'],
          ['ours', now, place],
          ['before', before, place],
          ['bare', null, place],
        ] as const;
        const reads = new Map<string, Read>();
        for (const [name, client, page] of round % 2 === 0 ? sides : sides.toReversed())
          reads.set(
            name,
            await readPages({ url: server.url, client, workspace: page, times: TIMES }),
          );
        rounds.push(reads);
      }
      const each = (name: string, measure: keyof Read) =>
        median(rounds.map((reads) => reads.get(name)?.[measure] ?? Number.NaN));
      const what = `a page with 28 MB of included records, ${place} in it`;
      const without = each('without', 'processorMs');
      const [ours, old, bare] = ['ours', 'before', 'bare'].map((name) => each(name, 'processorMs'));
      const [oursMs = 0, oldMs = 0, bareMs = 0] = [ours, old, bare];
      tell({
        name: `${what}, processor time to that of the page without and of receiving it`,
        value: oursMs / (without + bareMs),
        unit: 'times',
        limit: atMost(1.2),
        note: `${show(oursMs)} ms, ${show(without)} without, ${show(bareMs)} to receive and throw it away; ${show(oldMs)} by the build before; wall clock ${show(each('ours', 'ms'))} ms, ${show(each('without', 'ms'))} without, ${show(each('before', 'ms'))} before`,
      });
      tell({
        name: `${what}, resident memory to that without`,
        value: each('ours', 'residentBytes') / each('without', 'residentBytes'),
        unit: 'times',
        limit: atMost(1.2),
        note: `${show(each('ours', 'residentBytes') / MEGABYTE)} MB`,
      });
    }
  } finally {
    await server.stop();
  }
}

const CLIENT = 'crm/clarify/remote.js';
const CLIENT_BEFORE = 'clarify/remote.js';

async function readPages(task: PageTask): Promise<Read> {
  const finished = await runNode(['--import', 'tsx', 'bench/page-read.ts', JSON.stringify(task)]);
  const { ms, processorMs }: PageReport = JSON.parse(finished.stdout);
  const { residentBytes } = finished;
  return { ms: median(ms), processorMs: median(processorMs), residentBytes };
}

/** Answers with a page of people; the workspace's name says where in it `included` stands. */
async function startServer(): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const answers = new Map<string, Buffer>();
  for (const place of ['none', 'first', 'middle', 'last'] as const)
    answers.set(place, write(place));
  const server = createServer(({ url = '' }, response) => {
    const body = answers.get(/workspaces\/(\w+)/.exec(url)?.[1] ?? '') ?? Buffer.from('{}');
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on no port');
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function write(place: Place): Buffer {
  const data = `"data":[${Array.from({ length: RECORDS }, (_, n) => person(n)).join(',')}]`;
  const one = person(0);
  const count = place === 'none' ? 0 : Math.ceil(INCLUDED_BYTES / (one.length + 1));
  const included = `"included":[${Array.from({ length: count }, () => one).join(',')}]`;
  const rest = `"links":{"next":null,"prev":null},"meta":{"total_records":${RECORDS}}`;
  const members = { first: [included, data, rest], last: [data, rest, included] };
  const order = place === 'first' || place === 'last' ? members[place] : [data, included, rest];
  return Buffer.from(`{${order.join(',')}}`);
}

function person(n: number): string {
  const id = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
  const _created_at = new Date(1_700_000_000_000 + n).toISOString();
  const name = { first_name: 'Ada', last_name: `Love "${n}"`, full_name: `Ada Love "${n}"` };
  const attributes = {
    _id: id,
    _created_at,
    _updated_at: _created_at,
    _created_by: 'user_01',
    _updated_by: 'user_01',
    _merged_ids: { items: [] },
    name,
    email_addresses: { items: [`ada.${n}@example.com`] },
    phone_numbers: { items: ['+1 555 0100', '+1 555 0101'] },
    job_title: 'Analyst',
    company_id: id,
    score: n,
    notes: { text: [{ type: 'paragraph', children: [{ text: 'a line\nand another' }] }] },
  };
  const relationships = { deals: { data: [{ type: 'deal', id }], meta: { count: 1 } } };
  return JSON.stringify({ type: 'person', id, attributes, relationships });
}
