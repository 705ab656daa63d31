import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { SyncError } from '../../../domain/errors.ts';
import type { OAuthNames } from './oauth-names.ts';

/** Waits on loopback for the browser to come back, once. */
export interface RedirectListener {
  /** Where the authorization server is to send the browser. */
  readonly redirectUri: string;
  /**
   * The parameters the browser came back with. `answer` decides what its page says: what it throws
   * is told there, and thrown here.
   *
   * @throws SyncError `login-timed-out`, or the signal's reason.
   */
  wait<T>(
    answer: (parameters: URLSearchParams) => Promise<T>,
    limits: { readonly signal: AbortSignal; readonly timeoutMs: number },
  ): Promise<T>;
  close(): Promise<void>;
}

/** Another name could lead here from a page elsewhere; this one is in no name server. */
const HOST = '127.0.0.1';
const PATH = '/callback';

/** @throws SyncError `login-port-in-use` */
export async function listenForRedirect(
  port: number,
  names: OAuthNames,
): Promise<RedirectListener> {
  let handle = (_parameters: URLSearchParams, response: ServerResponse): void => {
    sendPage(response, 404, 'Nothing waits for this.');
  };
  const server = createServer((request, response) => {
    const parameters = readParameters(request, server);
    if (parameters === null) sendPage(response, 404, 'There is nothing here.');
    else handle(parameters, response);
  });
  await listen(server, port, names);
  const redirectUri = `http://${HOST}:${portOf(server)}${PATH}`;
  return {
    redirectUri,
    async wait(answer, { signal, timeoutMs }) {
      const deadline = AbortSignal.timeout(timeoutMs);
      const cancelled = AbortSignal.any([signal, deadline]);
      const came = new Promise<{ parameters: URLSearchParams; response: ServerResponse }>(
        (resolve, reject) => {
          const giveUp = () => reject(signal.aborted ? asError(signal.reason) : timedOut());
          cancelled.addEventListener('abort', giveUp, { once: true });
          if (cancelled.aborted) giveUp();
          handle = (parameters, response) => {
            // One answer and no other: a second one is somebody who tries their luck.
            handle = (_parameters, late) => sendPage(late, 404, 'Nothing waits for this.');
            cancelled.removeEventListener('abort', giveUp);
            resolve({ parameters, response });
          };
        },
      );
      const { parameters, response } = await came;
      try {
        const result = await answer(parameters);
        sendPage(response, 200, 'You are signed in. You may close this page.');
        return result;
      } catch (error) {
        sendPage(
          response,
          400,
          'You are not signed in; the terminal says why. You may close this page.',
        );
        throw error;
      }
    },
    async close() {
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      server.closeIdleConnections();
      await closed;
    },
  };
}

/** Null for everything that is not the redirect. */
function readParameters(request: IncomingMessage, server: Server): URLSearchParams | null {
  const authority = `${HOST}:${portOf(server)}`;
  const target = request.url ?? '/';
  if (request.method !== 'GET' || request.headers.host !== authority) return null;
  if (!URL.canParse(target, `http://${authority}`)) return null;
  const url = new URL(target, `http://${authority}`);
  return url.pathname === PATH ? url.searchParams : null;
}

async function listen(server: Server, port: number, names: OAuthNames): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, HOST, resolve);
    });
  } catch (cause) {
    throw new SyncError(`port ${port} of ${HOST}, for the browser to come back to, is not free`, {
      code: 'login-port-in-use',
      disposition: 'halt',
      hint: `set ${names.port} to another, or to none for any free one`,
      cause,
    });
  }
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

function timedOut(): SyncError {
  return new SyncError('nobody came back from the browser in time', {
    code: 'login-timed-out',
    disposition: 'halt',
    hint: 'run `clarify-sync login` again, and open the address on this machine',
  });
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new DOMException('stopped', 'AbortError');
}

/** Words of our own alone: nothing of the request comes back. */
function sendPage(response: ServerResponse, status: number, says: string): void {
  response.writeHead(status, {
    'cache-control': 'no-store',
    connection: 'close',
    'content-security-policy': "default-src 'none'",
    'content-type': 'text/html; charset=utf-8',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
  response.end(
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>clarify-sync</title><p>${says}</p></html>\n`,
  );
}
