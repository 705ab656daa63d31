import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it, test } from 'vitest';
import {
  type DownloadDeps,
  downloadText,
  isPrivate,
} from '../../../../src/crm/wire/signed-download.ts';

const signal = new AbortController().signal;
const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** A store of files; the API is told to be at the same host, so that loopback is allowed. */
async function store(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return `http://127.0.0.1:${port}`;
}

const local = { api: new URL('http://127.0.0.1:1/v1'), userAgent: 'test' };
const live = { api: new URL('https://api.clarify.ai/v1'), userAgent: 'test' };

test('the text comes, and no credentials go', async () => {
  const seen: IncomingMessage['headers'][] = [];
  const url = await store(({ headers }, response) => {
    seen.push(headers);
    response.setHeader('content-type', 'text/vtt');
    response.end('Hällo');
  });
  expect(await downloadText(`${url}/x?signature=y`, local, signal)).toEqual({
    text: 'Hällo',
    contentType: 'text/vtt',
  });
  expect(seen[0]).not.toHaveProperty('authorization');
  expect(seen[0]).not.toHaveProperty('cookie');
});

describe('what a link may not be', () => {
  it.each([
    ['plain http', 'http://files.example/x'],
    ['a file', 'file:///etc/passwd'],
    ['nothing', ''],
    ['one with a password', 'https://me:secret@files.example/x'],
    ['loopback', 'https://127.0.0.1/x'],
    ['loopback by name', 'https://localhost/x'],
    ['loopback in IPv6', 'https://[::1]/x'],
    ['loopback in IPv6 of IPv4', 'https://[::ffff:127.0.0.1]/x'],
    ['loopback in another base', 'https://0x7f000001/x'],
    ['metadata of a cloud', 'https://169.254.169.254/latest'],
    ['a private network', 'https://10.1.2.3/x'],
  ])('%s', async (_what, link) => {
    const refused = downloadText(link, live, signal);
    await expect(refused).rejects.toMatchObject({ code: 'recording-link-unsafe' });
  });

  it('a name that means a private address', async () => {
    const asked: string[] = [];
    const resolve: NonNullable<DownloadDeps['resolve']> = (hostname, { all }, callback) => {
      asked.push(hostname);
      const address = '127.0.0.1';
      callback(null, all === true ? [{ address, family: 4 }] : address, 4);
    };
    const refused = downloadText('https://files.example/x', { ...live, resolve }, signal);
    await expect(refused).rejects.toMatchObject({ code: 'recording-link-unsafe' });
    expect(asked).toEqual(['files.example']);
  });

  it('one that leads on to such an address', async () => {
    const url = await store((_request, response) => {
      response.writeHead(302, { location: 'http://169.254.169.254/latest' }).end();
    });
    await expect(downloadText(url, local, signal)).rejects.toMatchObject({
      code: 'recording-link-unsafe',
    });
  });

  it('one that leads on for ever', async () => {
    let requests = 0;
    const url = await store((_request, response) => {
      requests += 1;
      response.writeHead(302, { location: '/again' }).end();
    });
    await expect(downloadText(url, local, signal)).rejects.toMatchObject({
      code: 'recording-link-unsafe',
    });
    expect(requests).toBe(4);
  });
});

test.each([
  ['expired', 'recording-link-refused', (r: ServerResponse) => void r.writeHead(403).end('no')],
  ['no text', 'recording-not-text', (r: ServerResponse) => void r.end(Buffer.from([0xff, 0xfe]))],
  ['text with a zero', 'recording-not-text', (r: ServerResponse) => void r.end('a\0b')],
  ['cut off', 'recording-unreachable', (r: ServerResponse) => void r.socket?.destroy()],
])('one that is %s is said to be so, without the link', async (_what, code, answer) => {
  const url = await store((_request, response) => answer(response));
  const error: unknown = await downloadText(`${url}/x?signature=hunter2`, local, signal).catch(
    (cause: unknown) => cause,
  );
  expect(error).toMatchObject({ code });
  expect(JSON.stringify(error) + String(error)).not.toContain('hunter2');
});

test('one that never ends is ended', async () => {
  let sent = 0;
  const url = await store((_request, response) => {
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const send = () => {
      while (!response.destroyed && sent < 200) {
        sent += 1;
        if (!response.write(chunk)) return response.once('drain', send);
      }
      return response.end();
    };
    send();
  });
  await expect(downloadText(url, local, signal)).rejects.toMatchObject({
    code: 'recording-too-large',
  });
  expect(sent).toBeLessThan(100);
});

test('a stop ends it', async () => {
  const stopping = new AbortController();
  const url = await store(() => stopping.abort(new Error('stopped')));
  await expect(downloadText(url, local, stopping.signal)).rejects.toThrow('stopped');
});

test.each([
  ['8.8.8.8', false],
  ['2606:4700::1111', false],
  ['files.example', false],
  ['127.1.2.3', true],
  ['::1', true],
  ['fd00::1', true],
  ['::ffff:10.0.0.1', true],
  ['100.64.0.1', true],
  ['app.localhost', true],
])('%s is private: %s', (host, expected) => {
  expect(isPrivate(host)).toBe(expected);
});
