import { describe, expect, it } from 'vitest';
import { NodeVigil, withVigilCheck } from '../../../src/vm/node-vigil.js';

const looks = (...passed: readonly boolean[]) =>
  passed.map((holds, index) => ({
    name: `look-${index + 1}`,
    passed: holds,
    detail: holds ? 'abc' : 'its layers read as xyz',
  }));

describe('a node that stays up while something happens', () => {
  it('is up at its first look, and reset after two looks that began when it was over', async () => {
    const vigil = new NodeVigil();
    let up = false;
    void vigil.up.then(() => {
      up = true;
    });
    expect(vigil.due(0, [])).toBeUndefined();
    await Promise.resolve();
    expect(up).toBe(false);
    expect(vigil.due(1, looks(true, true))).toBeUndefined();
    await Promise.resolve();
    expect(up).toBe(true);
    vigil.release();
    expect(vigil.due(2, looks(true, true, true, true))).toBeUndefined();
    expect(vigil.due(3, looks(true, true, true, true, true))).toBe('press ctrl-alt-delete');
    expect(vigil.due(4, looks(true, true, true, true, true, true))).toBeUndefined();
  });

  it('was undisturbed if every look was like the first, and there were enough', () => {
    const other = { name: 'hostname', passed: true, detail: 'n1' };
    expect(withVigilCheck([other, ...looks(true, true, true)])).toEqual([
      other,
      { name: 'undisturbed', passed: true, detail: 'its layers read the same 3 times' },
    ]);
    expect(withVigilCheck(looks(true, false, true)).at(-1)).toMatchObject({
      passed: false,
      detail: 'its layers read as xyz',
    });
    expect(withVigilCheck(looks(true)).at(-1)).toMatchObject({ passed: false });
  });
});
