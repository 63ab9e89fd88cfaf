import { expect, it } from 'vitest';
import { ExitCode } from '../../../../src/errors.js';
import { askWhy } from '../../../../src/pipelines/initrd/ask-why.js';
import { memoryFileSystem } from '../../../support/memory-file-system.js';

it('an empty name, as an unset shell variable gives one, is a mistake of the command line', () => {
  expect(() => askWhy(memoryFileSystem(), '/initrd.img', '')).toThrow(
    expect.objectContaining({
      exitCode: ExitCode.Usage,
      message: 'Cannot explain "": it is no path, nor the last part of one',
    }),
  );
});
