/** What an HTTP header can carry; a key with a line break in it was pasted wrongly. */
const HEADER_SAFE = /^[\x21-\x7e]+$/;

/** Each says what is wrong, to follow the setting's name; null if nothing. */
export function checkHeaderValue(value: string): string | null {
  return HEADER_SAFE.test(value) ? null : 'holds a space, a line break or a character beyond ASCII';
}

export function checkWebUrl(value: string): string | null {
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) return 'must be an http or https URL';
  if (url.username !== '' || url.password !== '') return 'must hold no user or password';
  return url.search === '' && url.hash === '' ? null : 'must hold no query and no fragment';
}

/** Without a slash at its end. */
export function tidyUrl(value: string): string {
  return value.replace(/\/+$/, '');
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/** Whether what is sent there can be read on its way. */
export function isReadable(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url?.protocol === 'http:' && !isLoopback(url.hostname.replace(/^\[|\]$/g, ''));
}
