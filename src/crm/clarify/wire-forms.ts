/** How a field's list of strings travels: `{items: […]}` or a bare array. */
export type WireForm = 'items' | 'array';

/**
 * Which form each field uses. Collections travel as `{items}`, and a bare array for one is
 * refused; what a multi-select uses no source settles, so it is learned from what the server sends
 * and accepts.
 */
export interface WireForms {
  of(object: string, field: string): WireForm;
  isCertain(object: string, field: string): boolean;
  learn(object: string, field: string, form: WireForm): void;
  /** What the schema suggests, as long as nothing is certain. */
  guess(object: string, field: string, form: WireForm): void;
}

export function createWireForms(): WireForms {
  const certain = new Map<string, Map<string, WireForm>>();
  const guessed = new Map<string, Map<string, WireForm>>();
  const keep = (
    forms: Map<string, Map<string, WireForm>>,
    [object, field, form]: [string, string, WireForm],
  ) => {
    const ofObject = forms.get(object);
    if (ofObject === undefined) forms.set(object, new Map([[field, form]]));
    else ofObject.set(field, form);
  };
  return {
    of: (object, field) =>
      certain.get(object)?.get(field) ?? guessed.get(object)?.get(field) ?? 'items',
    isCertain: (object, field) => certain.get(object)?.has(field) ?? false,
    learn: (object, field, form) => keep(certain, [object, field, form]),
    guess: (object, field, form) => keep(guessed, [object, field, form]),
  };
}
