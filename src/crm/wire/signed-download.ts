import { lookup as resolveName } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { BlockList, isIP } from 'node:net';
import got, { RequestError } from 'got';
import { RemoteError } from '../../domain/errors.ts';

export interface DownloadDeps {
  /** The API's own address: what it may be itself, a link of its may be too. */
  readonly api: URL;
  readonly userAgent: string;
  /** Default the system's. */
  readonly resolve?: LookupFunction;
}

export interface Downloaded {
  readonly text: string;
  readonly contentType: string | null;
}

const MOST_BYTES = 16 * 1024 * 1024;
const MOST_REDIRECTS = 3;
const WITHIN_MS = 60_000;

/**
 * Fetches the text behind a signed link. Such a link leads to another origin by nature, so that it
 * is treated as anybody's: no credentials of ours go along, nothing behind it may be in a private
 * network, it has to be https unless the API itself is not, and it ends at a size and a time.
 *
 * @throws RemoteError with a code that begins with `recording-`; its message holds no part of the
 * link, which is a key.
 */
export async function downloadText(
  link: string,
  deps: DownloadDeps,
  signal: AbortSignal,
): Promise<Downloaded> {
  const { api } = deps;
  const until = AbortSignal.any([signal, AbortSignal.timeout(WITHIN_MS)]);
  let url = check(link, api);
  for (let redirects = 0; ; redirects += 1) {
    const answer = await fetchOnce(url, deps, until).catch((error: unknown) => {
      signal.throwIfAborted();
      throw error instanceof RequestError ? explain(error) : error;
    });
    if (!('location' in answer)) return answer;
    if (redirects === MOST_REDIRECTS || !URL.canParse(answer.location, url.href)) {
      throw failure('recording-link-unsafe', 'its link leads on and on');
    }
    url = check(new URL(answer.location, url).href, api);
  }
}

type Fetched = Downloaded | { readonly location: string };

async function fetchOnce(
  url: URL,
  { api, userAgent, resolve = resolveName }: DownloadDeps,
  signal: AbortSignal,
): Promise<Fetched> {
  const stream = got.stream(url, {
    headers: { accept: '*/*', 'user-agent': userAgent },
    dnsLookup: url.hostname === api.hostname ? undefined : publicOnly(resolve),
    followRedirect: false,
    retry: { limit: 0 },
    throwHttpErrors: false,
    signal,
  });
  // The loop below tells of what goes wrong; got goes on to tell once that has ended.
  stream.on('error', () => {});
  const chunks: Buffer[] = [];
  let bytes = 0;
  const body: AsyncIterable<Buffer> = stream;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) {
      stream.destroy();
      throw failure('recording-too-large', `it is larger than ${MOST_BYTES} bytes`);
    }
    chunks.push(chunk);
  }
  const { response } = stream;
  if (response === undefined) throw new Error('got ended a stream without an answer');
  const { statusCode: status, headers } = response;
  if (status >= 300 && status < 400 && headers.location !== undefined) {
    return { location: headers.location };
  }
  if (status < 200 || status > 299) {
    throw failure('recording-link-refused', `its link answers ${status}`, status);
  }
  return { text: decode(Buffer.concat(chunks)), contentType: headers['content-type'] ?? null };
}

function decode(bytes: Buffer): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (!text.includes('\0')) return text;
  } catch {
    // Said below.
  }
  throw failure('recording-not-text', 'it is no text');
}

function check(link: string, api: URL): URL {
  const url = URL.canParse(link) ? new URL(link) : null;
  const isSecure =
    url?.protocol === 'https:' || (url?.protocol === 'http:' && api.protocol === 'http:');
  if (url === null || !isSecure || url.username !== '' || url.password !== '') {
    throw failure('recording-link-unsafe', 'its link is no https address');
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (url.hostname !== api.hostname && isPrivate(host)) throw privateAddress();
  return url;
}

const PRIVATE = new BlockList();
for (const [network, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  PRIVATE.addSubnet(network, bits, 'ipv4');
}
for (const [network, bits] of [
  ['::', 127],
  ['64:ff9b::', 96],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  PRIVATE.addSubnet(network, bits, 'ipv6');
}

/** A name that says so itself, or an address of a network that is not everybody's. */
export function isPrivate(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return host === 'localhost' || host.endsWith('.localhost');
  return PRIVATE.check(host, family === 4 ? 'ipv4' : 'ipv6');
}

/** Looks at the address that is connected to: a name may mean another one a moment later. */
function publicOnly(resolve: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, options, (error, address, family) => {
      const found = Array.isArray(address) ? address.map((one) => one.address) : [address];
      if (error === null && found.some(isPrivate)) callback(privateAddress(), address, family);
      else callback(error, address, family);
    });
  };
}

function privateAddress(): RemoteError {
  return failure('recording-link-unsafe', 'its link leads into a private network');
}

function explain(error: RequestError): RemoteError {
  // Ours, from the look-up.
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof RemoteError) return cause;
  }
  return failure('recording-unreachable', 'what its link leads to does not answer');
}

function failure(code: string, says: string, status: number | null = null): RemoteError {
  return new RemoteError(`a recording’s transcript was not fetched: ${says}`, {
    code,
    disposition: 'retry',
    status,
  });
}
