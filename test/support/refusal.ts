import { MkrootError } from '../../src/errors.js';

/** The error that a call ends with; fails if it ends well, or with a foreign error. */
export function refusalOf(call: () => unknown): MkrootError {
  try {
    call();
  } catch (error) {
    if (error instanceof MkrootError) return error;
    throw error;
  }
  throw new Error('The call should have been refused');
}
