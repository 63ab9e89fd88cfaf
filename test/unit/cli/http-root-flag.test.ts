import { expect, it } from 'vitest';
import { checkHttpRoot } from '../../../src/cli/http-root-flag.js';
import { ExitCode } from '../../../src/errors.js';

it.each(['http://10.1.0.1/', 'http://head:8080/boot/', 'https://head.example/'])(
  '--http-root takes %s',
  (url) => {
    expect(checkHttpRoot(url)).toBe(url);
  },
);

it.each(['ftp://x/', '10.1.0.1:8080', 'http://', '', 'http://x/?a=b', '/srv'])(
  '--http-root does not take "%s", and says so itself',
  (url) => {
    expect(() => checkHttpRoot(url)).toThrow(
      expect.objectContaining({
        exitCode: ExitCode.Usage,
        message: `Cannot use --http-root "${url}": it is no http:// or https:// URL`,
      }),
    );
  },
);
