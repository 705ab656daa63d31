/** The value of a cookie; null where the browser sent none of that name. */
export function readCookie(header: string | undefined, name: string): string | null {
  for (const pair of (header ?? '').split(';')) {
    const [key = '', ...value] = pair.split('=');
    if (key.trim() === name) return value.join('=').trim();
  }
  return null;
}

/** For a value without any character that would need escaping. */
export function writeCookie(
  name: string,
  value: string,
  { maxAgeMs, secure }: { readonly maxAgeMs: number | null; readonly secure: boolean },
): string {
  const age = maxAgeMs === null ? '' : `; Max-Age=${Math.floor(maxAgeMs / 1_000)}`;
  return `${name}=${value}; Path=/; HttpOnly; SameSite=Strict${age}${secure ? '; Secure' : ''}`;
}
