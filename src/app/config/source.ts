/** Settings as they were given, each under the name of its variable. */
export interface Source {
  readonly values: Readonly<Record<string, string | undefined>>;
  /** What a setting is called where it was given. */
  nameOf(variable: string): string;
  readText(path: string): Promise<string>;
  /** Mistakes are added to it. None quotes what a secret held. */
  readonly problems: string[];
}

/** What is wrong with a value, to follow the setting's name; null if nothing. */
export type Check = (value: string) => string | null;

/** Null where nothing was given: an empty value counts as none. */
export function plain({ values }: Source, name: string): string | null {
  return values[name]?.trim() || null;
}

/** A value that may be given as a file that holds it instead. */
export async function secret(source: Source, name: string, check?: Check): Promise<string | null> {
  const value = await readSecret(source, name);
  return value === null ? null : checked(source, { name, value, check });
}

export function checked(
  { nameOf, problems }: Source,
  one: { readonly name: string; readonly value: string; readonly check: Check | undefined },
): string {
  const wrong = one.check?.(one.value) ?? null;
  if (wrong !== null) problems.push(`${nameOf(one.name)} ${wrong}`);
  return one.value;
}

export function isGiven(source: Source, name: string): boolean {
  return plain(source, name) !== null || plain(source, fileOf(name)) !== null;
}

export function fileOf(name: string): string {
  return `${name}_FILE`;
}

async function readSecret(source: Source, name: string): Promise<string | null> {
  const { nameOf, problems } = source;
  const direct = plain(source, name);
  const path = plain(source, fileOf(name));
  if (path === null) return direct;
  const file = nameOf(fileOf(name));
  if (direct !== null) {
    problems.push(`${nameOf(name)} and ${file} are both set: keep one`);
    return null;
  }
  try {
    const text = (await source.readText(path)).trim();
    if (text === '') problems.push(`${file}: ${path} is empty`);
    return text || null;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    problems.push(`${file}: ${path} cannot be read (${code})`);
    return null;
  }
}
