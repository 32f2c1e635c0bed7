import { InvalidOptionError } from '../src/errors.ts';

/** The error with which `act` refuses an option. Throws if it does not refuse any. */
export function refusalOf(act: () => unknown): InvalidOptionError {
  try {
    act();
  } catch (error) {
    if (error instanceof InvalidOptionError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
