import { IS_DEVELOPMENT } from './development.ts';
import { InvalidOptionError } from './errors.ts';
import { MAX_DELAY } from './time.ts';

/**
 * What one option accepts and what it is by default. If it may be `off`, it accepts `false` too, and
 * a number becomes `Infinity`. Without a `default`, an absent option stays undefined, or is an error if
 * it is `required`.
 */
export type Rule = NumberRule | ChoiceRule | TypeRule;

/** A duration in (0, 2^31 - 1] ms, a number in [min, max], or a whole number >= min. */
interface NumberRule {
  readonly type: 'duration' | 'number' | 'count';
  readonly default?: number | false;
  readonly off?: boolean;
  readonly required?: boolean;
  readonly min?: number;
  readonly max?: number;
}

/** One of a few values. */
interface ChoiceRule {
  readonly type: 'choice';
  readonly of: readonly unknown[];
  readonly default?: unknown;
  readonly off?: never;
  readonly required?: boolean;
}

/**
 * A value of a type. `method` names a method that the object must have: this recognises its kind.
 * `any` accepts everything; the caller checks more.
 */
interface TypeRule {
  readonly type: 'any' | 'boolean' | 'function' | 'list' | 'object' | 'string';
  readonly default?: unknown;
  readonly off?: boolean;
  readonly required?: boolean;
  readonly method?: string;
}

/**
 * The rules for the interface `Options`: each option has a rule that fits its type. Declare a schema
 * `as const`; {@link resolveOptions} makes the compiler check one against the other.
 */
export type SchemaOf<Options> = {
  readonly [Name in keyof Options]-?: RuleFor<Exclude<Options[Name], undefined>>;
};

/** Is not assignable if `Rules` has a name that `Names` has not. */
type Only<Rules, Names> = { readonly [Name in Exclude<keyof Rules, Names>]: never };

/** The `off` of a rule for a value that may be `false`. */
type OffOf<Value> = false extends Value ? { readonly off: true } : { readonly off?: false };

type RuleFor<Value> = number extends Value
  ? NumberRule & OffOf<Value>
  : [Value] extends [boolean]
    ? TypeRule & { readonly type: 'boolean'; readonly off?: false }
    : string extends Value
      ? TypeRule & OffOf<Value>
      : [Value] extends [string | false]
        ? ChoiceRule & { readonly of: readonly Value[] }
        : TypeRule & OffOf<Value>;

/** The interface `Options` after {@link resolveOptions}: with defaults, and `Infinity` for off. */
export type Resolved<Options, Rules> = {
  readonly [Name in keyof Options & keyof Rules]-?: ResolvedValue<
    Exclude<Options[Name], undefined>,
    Rules[Name]
  >;
};

type ResolvedValue<Value, Rule> =
  | (number extends Value ? number : Value)
  | (Rule extends { readonly default: unknown } | { readonly required: true } ? never : undefined);

/**
 * Validates the options of `given` and adds defaults. `name` says in an error what `given` is.
 *
 * In production only durations are checked, and only for a value > 0.
 *
 * @throws {InvalidOptionError} if a value breaks its rule or a name is unknown.
 */
export function resolveOptions<Options extends object, const Rules extends SchemaOf<Options>>(
  schema: Rules & Only<Rules, keyof Options>,
  given: Options,
  name = 'options',
): Resolved<Options, Rules> {
  checkNames(name, given, Object.keys(schema));
  const values = given as Readonly<Record<string, unknown>>;
  const resolved = Object.entries<Rule>(schema).map(([option, rule]) => [
    option,
    resolveOption(option, rule, values[option]),
  ]);
  // A bundle for production has only the rules that change a value.
  return { ...given, ...Object.fromEntries(resolved) };
}

/** Validates one option. Returns its default if it is undefined. @throws {InvalidOptionError} */
export function resolveOption(
  option: string,
  rule: NumberRule & { readonly default: number | false },
  given: unknown,
): number;
export function resolveOption(option: string, rule: NumberRule, given: unknown): number | undefined;
export function resolveOption(option: string, rule: Rule, given: unknown): unknown;
export function resolveOption(option: string, rule: Rule, given: unknown): unknown {
  const value = given === undefined ? rule.default : given;
  if (value === undefined && !(IS_DEVELOPMENT && rule.required)) return value;
  const mayBeOff = !IS_DEVELOPMENT || rule.off || given === undefined;
  if (value === false && mayBeOff) return offOf(rule);
  if (!accepts(rule, value)) throw new InvalidOptionError(option, expectedBy(rule), value);
  return value;
}

/** Returns what a part that is off has in place of its value. */
function offOf({ type }: Rule): unknown {
  return type === 'duration' || type === 'count' ? Number.POSITIVE_INFINITY : false;
}

function accepts(rule: Rule, value: unknown): boolean {
  // In production, only what could cause a flood is refused: the other checks were made before.
  if (!IS_DEVELOPMENT) return rule.type !== 'duration' || (value as number) > 0;
  switch (rule.type) {
    case 'duration':
      return typeof value === 'number' && value > 0 && value <= MAX_DELAY;
    case 'number':
    case 'count': {
      const { type, min = 0, max = Number.MAX_SAFE_INTEGER } = rule;
      const isNumber = type === 'count' ? Number.isInteger(value) : typeof value === 'number';
      return isNumber && (value as number) >= min && (value as number) <= max;
    }
    case 'choice':
      return rule.of.includes(value);
    case 'list':
      return Array.isArray(value);
    case 'object': {
      const { method } = rule;
      if (method === undefined) return isObject(value);
      return typeof (value as Record<string, unknown> | null)?.[method] === 'function';
    }
    case 'any':
      return true;
    default:
      return typeof value === rule.type;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Completes the sentence "Expected `name` to be …". Only errors in development have one. */
function expectedBy(rule: Rule): string {
  return IS_DEVELOPMENT ? sentenceOf(rule) + (rule.off ? ', or false' : '') : '';
}

function sentenceOf(rule: Rule): string {
  switch (rule.type) {
    case 'duration':
      return `a number > 0 and <= ${MAX_DELAY} (ms)`;
    case 'number':
      return `a number in [${rule.min}, ${rule.max}]`;
    case 'count': {
      const { min = 0, max } = rule;
      return max === undefined ? `a whole number >= ${min}` : `a whole number in [${min}, ${max}]`;
    }
    case 'choice':
      return listed(rule.of.map((one) => (one === false ? 'false' : `'${one}'`)));
    case 'object':
      return rule.method === undefined ? 'an object' : `an object with ${rule.method}()`;
    default:
      return `a ${rule.type}`;
  }
}

/** Returns "a, b or c". */
function listed(words: readonly string[]): string {
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`;
}

/**
 * In development, accepts an object. Its own names must be `known`, and it must have no others, as an
 * instance of a class has: a socket in place of options would be ignored. In production, accepts anything.
 *
 * @throws {InvalidOptionError}
 */
export function checkNames(option: string, value: unknown, known: readonly string[]): void {
  if (!IS_DEVELOPMENT) return;
  if (!isObject(value)) throw new InvalidOptionError(option, 'an object', value);
  if (inheritsNames(value)) throw new InvalidOptionError(option, 'a plain object', value);
  const unknown = Object.keys(value).find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const given = (value as Record<string, unknown>)[unknown];
  throw new InvalidOptionError(unknown, 'absent', given, known);
}

/** Whether an object has names from its class. Those of every object, in any realm, do not count. */
function inheritsNames(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (!isObject(prototype) || Object.getPrototypeOf(prototype) === null) return false;
  const names = Object.getOwnPropertyNames(prototype);
  return names.some((name) => name !== 'constructor') || inheritsNames(prototype);
}
