import { describe, expect, it } from 'vitest';
import { parseShebang } from '../../../src/rootfs/shebang.js';

describe('parseShebang', () => {
  it.each([
    ['#!/bin/sh\n', { interpreter: '/bin/sh' }],
    ['#! \t/usr/bin/perl -w -T\n', { interpreter: '/usr/bin/perl' }],
    ['#!/bin/sh', { interpreter: '/bin/sh' }],
    ['#!/usr/bin/env python3\n', { interpreter: '/usr/bin/env', program: 'python3' }],
    ['#!/usr/bin/env -S python3 -u\n', { interpreter: '/usr/bin/env', program: 'python3' }],
    [
      '#!/usr/bin/env -S -i -u HOME PATH=/bin A=b bash -e\n',
      { interpreter: '/usr/bin/env', program: 'bash' },
    ],
    ["#!/usr/bin/env -Sperl '-w'\n", { interpreter: '/usr/bin/env', program: 'perl' }],
    ['#!/usr/bin/env\n', { interpreter: '/usr/bin/env' }],
    ['echo\n', undefined],
    ['#!\n/bin/sh', undefined],
    ['', undefined],
  ])('%j', (text, expected) => {
    expect(parseShebang(Buffer.from(text))).toEqual(expected);
  });
});
