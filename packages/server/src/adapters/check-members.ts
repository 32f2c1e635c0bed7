import { InvalidOptionError } from '@wirebeat/core';

/** @throws {InvalidOptionError} unless `value` has all these methods. `wanted` says what it should be. */
export function checkMembers(
  option: string,
  value: unknown,
  members: readonly string[],
  wanted: string,
): void {
  const isObject = typeof value === 'object' && value !== null;
  const has = (member: string) => typeof Reflect.get(value as object, member) === 'function';
  if (!isObject || !members.every(has)) throw new InvalidOptionError(option, wanted, value);
}
