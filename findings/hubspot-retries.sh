#!/bin/sh
# Software: @hubspot/api-client 14.0.1 (npm), against a server on this machine.
# A guess:  numberOfApiCallRetries: 3 repeats a call up to three times; a 429 is repeated after the
#           time that its Retry-After names; making a record is not repeated, as it may exist.
# In truth: the number counts the calls: 3 repeats twice and 1 never. A 429 is repeated only if its
#           body carries one of two texts (else it is an error at once), after 10 s or 1 s of the
#           client's own choice: Retry-After is not read. POST is repeated after a 5xx like all else.
# Hurt:     whoever set 1 and believes in one retry; a gateway's 429 in the middle of an import;
#           contacts without an e-mail address and all kinds of notes, made twice.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent @hubspot/api-client@14.0.1
cat >see.mjs <<'JS'
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Client } from '@hubspot/api-client';

let answer;
let calls = [];
const server = createServer((request, response) => {
  calls.push(Date.now());
  const { status, body } = calls.length <= answer.failures ? answer : { status: 201, body: {} };
  const headers = { 'content-type': 'application/json', 'retry-after': '3' };
  response.writeHead(status, headers).end(JSON.stringify(body));
}).listen(0, '127.0.0.1');
await once(server, 'listening');

async function create(numberOfApiCallRetries, failing) {
  answer = failing;
  calls = [];
  const basePath = `http://127.0.0.1:${server.address().port}`;
  const client = new Client({ accessToken: 'any', basePath, numberOfApiCallRetries });
  const note = { properties: { hs_note_body: 'hello' }, associations: [] };
  const outcome = await client.crm.objects.notes.basicApi.create(note).then(
    () => 'made',
    (error) => `error ${error.code}`,
  );
  const waits = calls.slice(1).map((at, index) => Math.round((at - calls[index]) / 100) / 10);
  console.log(`retries ${numberOfApiCallRetries}, ${failing.status}: ${outcome}, ${calls.length} calls`, waits);
  return [outcome, calls.length, ...waits];
}
const broken = { status: 503, body: {}, failures: 9 };
assert.deepEqual((await create(1, broken)).slice(0, 2), ['error 503', 1]);
assert.deepEqual((await create(3, broken)).slice(0, 2), ['error 503', 3]);
assert.deepEqual((await create(2, { ...broken, failures: 1 })).slice(0, 2), ['made', 2]);

const gateway = { status: 429, body: { message: 'Too many requests' }, failures: 1 };
assert.deepEqual(await create(3, gateway), ['error 429', 1]);
const secondly = { ...gateway, body: { message: 'You have reached your secondly limit.' } };
const [outcome, count, wait] = await create(3, secondly);
assert.deepEqual([outcome, count], ['made', 2]);
assert.ok(wait < 2.5, 'waits less than the three seconds that were asked for');
server.closeAllConnections();
process.exit();
JS
node see.mjs
