#!/bin/sh
# Software: jsforce 3.10.26 (npm), on Node 22.23.3, against a small server that answers as the Bulk
#           API 2.0 does and echoes the uploaded lines.
# A guess:  rows go up as CSV and the results come back as lists of records; a Date goes up as the
#           ISO text that create() sends for it.
# In truth: a Date goes up as its milliseconds (1774742400000). Results are parsed with comma,
#           semicolon, pipe, caret, backquote and tab as separators all at once: one value such as
#           "Skiing;Rowing" (what a multi-select field is written as, and what jsforce itself
#           uploads unquoted) where the server does not quote it, and instead of a list the caller
#           gets the raw text, without an error; its length is then that of the text.
# Hurt:     loaders that note the id of every record that was made: those ids are lost, and a repeat
#           of the load makes the records again.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent jsforce@3.10.26 node@22.23.3
cat >see.mjs <<'JS'
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import jsforce from 'jsforce';

let uploaded = '';
const server = createServer(async (request, response) => {
  const body = (await request.toArray()).join('');
  const { method, url } = request;
  const send = (status, type, text) => response.writeHead(status, { 'content-type': type }).end(text);
  if (url.endsWith('/batches')) {
    uploaded = body;
    return send(201, 'text/plain', '');
  }
  const [header, ...lines] = uploaded.trim().split('\n');
  const rows = lines.map((line, index) => `001${index},true,${line}`);
  const results = [`sf__Id,sf__Created,${header}`, ...rows].join('\n');
  if (url.endsWith('/successfulResults')) return send(200, 'text/csv', results);
  if (/\/(failedResults|unprocessedrecords)$/i.test(url)) return send(200, 'text/csv', header);
  const state = method === 'GET' ? 'JobComplete' : 'Open';
  return send(200, 'application/json', JSON.stringify({ id: '750', state }));
}).listen(0, '127.0.0.1');
await once(server, 'listening');

const instanceUrl = `http://127.0.0.1:${server.address().port}`;
const connection = new jsforce.Connection({ instanceUrl, accessToken: 'any', version: '60.0' });
async function load(input) {
  const job = { object: 'Contact', operation: 'insert', input, pollInterval: 20, pollTimeout: 9000 };
  const { successfulResults } = await connection.bulk2.loadAndWaitForResults(job);
  console.log('uploaded:', uploaded.trim().split('\n'), 'results:', successfulResults);
  return successfulResults;
}

const plain = await load([{ Name: 'Ann', Since__c: new Date('2026-03-29T00:00:00Z') }]);
assert.ok(Array.isArray(plain) && plain.length === 1);
assert.match(uploaded, /Ann,1774742400000/);
const several = await load([{ Name: 'Ann', Sports__c: 'Skiing;Rowing' }, { Name: 'Bo' }]);
assert.match(uploaded, /Ann,Skiing;Rowing/);
assert.equal(typeof several, 'string');
server.close();
process.exit();
JS
node_modules/node/bin/node see.mjs
