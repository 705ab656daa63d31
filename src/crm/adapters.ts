import type { Adapter, ObjectDialect } from './adapter.ts';
import { attio } from './attio/adapter.ts';
import { brevo } from './brevo/adapter.ts';
import { clarify } from './clarify/adapter.ts';
import { kizen } from './kizen/adapter.ts';

/** Every CRM there is: the one place that knows them. The first is meant where none is named. */
const ADAPTERS: readonly [Adapter, ...Adapter[]] = [clarify, attio, kizen, brevo];

export const adapterNames: readonly string[] = ADAPTERS.map(({ name }) => name);

export const adapterTitles: readonly string[] = ADAPTERS.map(({ title }) => title);

export const defaultAdapter: Adapter = ADAPTERS[0];

/** Null where there is none of this name. */
export function adapterNamed(name: string): Adapter | null {
  return ADAPTERS.find((adapter) => adapter.name === name) ?? null;
}

/** What every one of them can be given, with the name of its variable. */
export function everySetting(): readonly Adapter['settings'][number][] {
  return ADAPTERS.flatMap(({ settings }) => settings);
}

/** Every key that objects of some CRM have of their own, where it is not known of which. */
export async function everyDialect(): Promise<ObjectDialect> {
  const dialects = await Promise.all(ADAPTERS.map(async ({ objects }) => await objects?.()));
  return dialects.reduce<ObjectDialect>(
    (all, dialect) => ({
      ...all,
      ...(dialect?.fieldShorthand !== undefined && { fieldShorthand: dialect.fieldShorthand }),
      keys: { ...all.keys, ...dialect?.keys },
      fieldKeys: { ...all.fieldKeys, ...dialect?.fieldKeys },
    }),
    { keys: {}, fieldKeys: {} },
  );
}
