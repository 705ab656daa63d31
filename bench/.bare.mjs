import { pipeline } from 'node:stream/promises';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

const PAGE = 500;
const PAGES_PER_COPY = 4;
async function fetchPage(task2, offset) {
  const query = new URLSearchParams({
    'sortOrder[column]': task2.column,
    'sortOrder[dir]': 'ASC',
    'page[offset]': String(offset),
    'page[limit]': String(PAGE),
    ...(task2.from === null ? {} : { [`filter[${task2.column}][Is on or after]`]: task2.from }),
  });
  const response = await fetch(
    `${task2.url}/workspaces/${task2.workspace}/objects/person/resources?${query.toString()}`,
    { headers: { authorization: `api-key ${task2.apiKey}`, 'user-agent': 'bare-loop' } },
  );
  const body = JSON.parse(await response.text());
  return body.data;
}
function toText(type, value) {
  if (value === null || value === void 0) return '\\N';
  let text;
  if (type === 'ARRAY') {
    const items = Array.isArray(value) ? value : value.items;
    text = `{${items.map((item) => JSON.stringify(item)).join(',')}}`;
  } else text = typeof value === 'string' ? value : JSON.stringify(value);
  return /[\\\t\n\r]/.test(text)
    ? text
        .replaceAll('\\', '\\\\')
        .replaceAll('	', '\\t')
        .replaceAll('\n', '\\n')
        .replaceAll('\r', '\\r')
    : text;
}
async function copy(client, task2, lines) {
  const names = task2.columns.map(({ name }) => pg.escapeIdentifier(name)).join(', ');
  const target = client.query(copyFrom(`COPY ${task2.table} (${names}) FROM STDIN`));
  await pipeline(
    [
      Buffer.from(`${lines.join('\n')}
`),
    ],
    target,
  );
}
async function work(task2, offsets2) {
  const client = new pg.Client({ connectionString: task2.databaseUrl });
  await client.connect();
  let records2 = 0;
  let lines = [];
  for (let offset = offsets2.shift(); offset !== void 0; offset = offsets2.shift()) {
    for (const { id, attributes } of await fetchPage(task2, offset)) {
      const values = task2.columns.map(({ name, type }) =>
        name === 'id' ? id : name === '_synced_at' ? 'now' : toText(type, attributes[name]),
      );
      lines.push(values.join('	'));
      records2 += 1;
    }
    if (lines.length < PAGE * PAGES_PER_COPY) continue;
    await copy(client, task2, lines);
    lines = [];
  }
  if (lines.length > 0) await copy(client, task2, lines);
  await client.end();
  return records2;
}
const task = JSON.parse(process.argv[2] ?? '');
const offsets = Array.from({ length: Math.ceil(task.records / PAGE) }, (_, page) => page * PAGE);
const startedMs = performance.now();
const counts = await Promise.all(Array.from({ length: task.inFlight }, () => work(task, offsets)));
const records = counts.reduce((sum, count) => sum + count, 0);
process.stdout.write(JSON.stringify({ records, ms: performance.now() - startedMs }));
