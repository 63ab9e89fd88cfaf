import { describe, expect, it } from 'vitest';
import { expandTokens } from '../../../src/elf/dynamic-string-tokens.js';

const values = { ORIGIN: '/opt/app', LIB: 'lib/x86_64-linux-gnu' };

describe('expandTokens', () => {
  it.each([
    ['$ORIGIN/lib', '/opt/app/lib', true],
    [`\${ORIGIN}lib`, '/opt/applib', true],
    ['/usr/$LIB/x', '/usr/lib/x86_64-linux-gnu/x', false],
    [`/usr/\${LIB}`, '/usr/lib/x86_64-linux-gnu', false],
    ['/plain', '/plain', false],
    ['/a/$OTHER/$', '/a/$OTHER/$', false],
    ['/a/$ORIGINAL', '/a/$ORIGINAL', false],
  ])('%s becomes %s', (path, expected, usesOrigin) => {
    expect(expandTokens(path, values)).toEqual({ path: expected, usesOrigin });
  });

  it('discards a path whose token has no value', () => {
    expect(expandTokens('/usr/lib/$PLATFORM', values)).toBeUndefined();
    expect(expandTokens(`/usr/lib/\${PLATFORM}/x`, values)).toBeUndefined();
  });
});
