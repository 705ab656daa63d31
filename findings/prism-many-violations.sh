#!/bin/sh
# Software: @stoplight/prism-cli 5.16.0 (npm), as a validating proxy before a server on this machine.
# A guess:  with --errors=false a violation of the contract is told in the header `sl-violations`, a
#           JSON list, however many there are.
# In truth: from some length on the header says "Too many violations! " and then as much of the list
#           as fits, cut in the middle of a text: no JSON. The more is wrong, the less can be read.
# Hurt:     a test that counts violations by parsing the header fails, or takes the worst answer of
#           all for one without any.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
cd "$work"
npm install --prefix . --silent --ignore-scripts @stoplight/prism-cli@5.16.0
cat >contract.json <<'JSON'
{
  "openapi": "3.1.0",
  "info": { "title": "Items", "version": "1" },
  "paths": {
    "/items": {
      "get": {
        "responses": {
          "200": {
            "description": "Items",
            "content": {
              "application/json": {
                "schema": {
                  "type": "array",
                  "items": { "type": "object", "properties": { "count": { "type": "integer" } } }
                }
              }
            }
          }
        }
      }
    }
  }
}
JSON
cat >see.mjs <<'JS'
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

let wrong = 0;
const server = createServer((_, response) => {
  const items = Array.from({ length: wrong }, () => ({ count: 'many' }));
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(items));
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const upstream = `http://127.0.0.1:${server.address().port}`;
const probe = createServer().listen(0, '127.0.0.1');
await once(probe, 'listening');
const { port } = probe.address();
probe.close();
const program = 'node_modules/@stoplight/prism-cli/dist/index.js';
const args = [program, 'proxy', 'contract.json', upstream, '-p', String(port), '--errors=false'];
const prism = spawn(process.execPath, args, { stdio: 'ignore' });
process.on('exit', () => prism.kill());
const url = `http://127.0.0.1:${port}/items`;
for (let tries = 0; tries < 100; tries += 1) {
  if (await fetch(url).then(Boolean, () => false)) break;
  await sleep(200);
}

async function see(count) {
  wrong = count;
  const header = (await fetch(url)).headers.get('sl-violations');
  console.log(`${count} wrong items:`, header?.length, header?.slice(0, 60), '…', header?.slice(-40));
  return header ?? '';
}
assert.equal(await see(0), '');
assert.equal(JSON.parse(await see(3)).length, 3);
const many = await see(200);
assert.match(many, /^Too many violations! \[/);
assert.throws(() => JSON.parse(many.slice('Too many violations! '.length)));
process.exit();
JS
node see.mjs
