/** The two words that become a boolean. */
export const BOOLEAN = ['true', 'false'] as const;

type Choice = readonly string[];
export interface ChoiceRule<C extends Choice = Choice> {
  readonly choices: C;
  readonly about: string;
}
export interface NumberRule {
  readonly min: number;
  readonly max: number;
  readonly about: string;
}
export type SwitchRules = Readonly<Record<string, ChoiceRule | NumberRule>>;

export const whole = (about: string, min = 0): NumberRule => ({ min, max: 2 ** 53 - 1, about });
export const oneOf = <const C extends Choice>(choices: C, about: string): ChoiceRule<C> => ({
  choices,
  about,
});

/** What every emulator has. */
export const SHARED_RULES = {
  clockSkewMs: { min: -1e12, max: 1e12, about: 'added to the clock' },
  latencyMs: whole('every answer waits this long'),
} as const satisfies SwitchRules;

type SwitchValue<R> = R extends { readonly choices: readonly (infer C)[] }
  ? C extends 'true' | 'false'
    ? boolean
    : C
  : number;

/** The values that switches of these rules have. */
export type SwitchesOf<R extends SwitchRules> = { -readonly [K in keyof R]: SwitchValue<R[K]> };
export type SharedSwitches = SwitchesOf<typeof SHARED_RULES>;

type Parsed = Readonly<Record<string, string | number | boolean>>;

export interface SwitchTable {
  /** For help texts: every switch, what it takes, and what it is about. */
  readonly names: readonly {
    readonly name: string;
    readonly takes: string;
    readonly about: string;
  }[];
  /**
   * Reads one switch as given on a command line or in JSON.
   *
   * @returns the switch alone, by its name.
   * @throws RangeError naming the switch and what it takes.
   */
  parse(name: string, value: unknown): Parsed;
}

export function switchTable(rules: SwitchRules): SwitchTable {
  const names = Object.entries(rules).map(([name, rule]) => ({
    name,
    takes: 'choices' in rule ? rule.choices.join('|') : `${rule.min}..${rule.max}`,
    about: rule.about,
  }));
  return {
    names,
    parse(name, value) {
      const rule = Object.hasOwn(rules, name) ? rules[name] : undefined;
      if (rule === undefined) {
        const known = names.map((each) => each.name).join(', ');
        throw new RangeError(`no switch is called "${name}"; there are ${known}`);
      }
      return { [name]: 'choices' in rule ? choice(name, rule, value) : number(name, rule, value) };
    },
  };
}

function choice(name: string, { choices }: ChoiceRule, value: unknown): string | boolean {
  const chosen = choices.find((each) => each === String(value));
  if (chosen === undefined) throw new RangeError(`${name} is one of ${choices.join(', ')}`);
  return choices === BOOLEAN ? chosen === 'true' : chosen;
}

function number(name: string, { min, max }: NumberRule, value: unknown): number {
  const given = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof given !== 'number' || !(given >= min && given <= max)) {
    throw new RangeError(`${name} is a number from ${min} to ${max}`);
  }
  return given;
}
