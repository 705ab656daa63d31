#!/bin/sh
# Software: attio-ts-sdk 2.3.0 with zod 4.6.7 (npm), against a server on this machine.
# A guess:  "retry & rate-limit aware, Retry-After": a query that meets a 429 in the middle of a list
#           waits as long as it is told and goes on; a call that misses an argument fails at once.
# In truth: it goes by the method. GET waits and goes on; but every query of records is a POST, and
#           POST, PUT and DELETE are given up at the first 429 or 503, deletions and upserts too: a
#           list read with `paginate: true` is lost with the pages it had. A call that misses its id
#           is "retried" for some three seconds without a request, and told as a network error.
# Hurt:     whoever reads a large object, or whose workspace has another integration that uses the
#           same limit; whoever looks for a network fault behind a typing mistake.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent --ignore-scripts attio-ts-sdk@2.3.0 zod@4.6.7
cat >see.mjs <<'JS'
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import * as attio from 'attio-ts-sdk';

const uuid = (n) => `11111111-1111-4111-8111-${String(n).padStart(12, '0')}`;
const record = (n) => ({
  id: { workspace_id: uuid(1), object_id: uuid(2), record_id: uuid(n) },
  created_at: '2026-01-01T00:00:00.000000000Z',
  web_url: 'https://app.example/record',
  values: {},
});
const type = { 'content-type': 'application/json' };
const limited = {
  status_code: 429,
  type: 'rate_limit_error',
  code: 'rate_limit_exceeded',
  message: 'Rate limit exceeded, please try again later',
};

let answers;
let calls = [];
const server = createServer((request, response) => {
  request.resume().on('end', () => {
    calls.push(Date.now());
    const body = answers[calls.length - 1] ?? answers.at(-1);
    if (body !== 429) return response.writeHead(200, type).end(JSON.stringify(body));
    const after = new Date(Date.now() + 2_000).toUTCString();
    response.writeHead(429, { ...type, 'retry-after': after }).end(JSON.stringify(limited));
  });
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const baseUrl = `http://127.0.0.1:${server.address().port}`;
const client = attio.createAttioClient({ apiKey: 'k', baseUrl });

async function see(name, given, call) {
  answers = given;
  calls = [];
  const startedMs = Date.now();
  const outcome = await call().then(
    () => 'done',
    (error) => `${error.name}: ${String(error.message).split('\n')[0]}`,
  );
  const ms = Date.now() - startedMs;
  console.log(`${name}: ${calls.length} calls in ${ms} ms, ${outcome}`);
  return { calls: calls.length, ms, outcome };
}
const one = { client, object: 'people', recordId: uuid(3) };
const read = await see('a record', [429, { data: record(3) }], () => attio.getRecord(one));
assert.deepEqual([read.calls, read.outcome], [2, 'done']);

const pages = [{ data: [record(3), record(4)] }, 429, { data: [record(5)] }];
const list = { client, object: 'people', limit: 2, paginate: true };
const listed = await see('a list of two pages', pages, () => attio.queryRecords(list));
assert.equal(listed.calls, 2);
assert.match(listed.outcome, /Rate limit exceeded/);

const gone = await see('a deletion', [429, {}], () => attio.deleteRecord(one));
assert.equal(gone.calls, 1);
assert.match(gone.outcome, /Rate limit exceeded/);
const upsert = { client, object: 'people', matchingAttribute: 'email_addresses', values: {} };
const set = await see('an upsert', [429, { data: record(3) }], () => attio.upsertRecord(upsert));
assert.equal(set.calls, 1);

const path = { object: 'people' };
const mistaken = await see('a call without its id', [{ data: record(3) }], () =>
  attio.getV2ObjectsByObjectRecordsByRecordId({ client, path }),
);
assert.equal(mistaken.calls, 0);
assert.match(mistaken.outcome, /Retry attempts exhausted/);
assert.ok(mistaken.ms > 2_000, 'it is tried several times');
server.closeAllConnections();
process.exit();
JS
node see.mjs
