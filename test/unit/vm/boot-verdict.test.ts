import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../src/vm/boot-verdict.js';
import { Timeline } from '../../../src/vm/timeline.js';

const whole = new Timeline([{ id: 'power-on', title: 'power-on', phase: 'firmware' }]);
const evidence = {
  timeline: whole,
  problem: undefined,
  checks: [{ name: 'hostname', passed: true, detail: 'node' }],
  requiredChecks: ['hostname'],
  consoleTail: ['last line'],
};

describe('the verdict on a boot', () => {
  it('is a pass when every milestone came and every check holds', () => {
    expect(failureOf(evidence)).toBeUndefined();
  });

  it('is a failure when a check does not hold, was never made, or the machine had a problem', () => {
    const broken = { name: 'hostname', passed: false, detail: 'localhost' };
    expect(failureOf({ ...evidence, checks: [broken] })?.reason).toBe('check hostname: localhost');
    expect(failureOf({ ...evidence, checks: [] })?.reason).toContain('did not report hostname');
    expect(failureOf({ ...evidence, problem: 'the machine still ran' })).toEqual({
      reason: 'the machine still ran',
      console: ['last line'],
    });
  });

  it('names the milestone that did not come', () => {
    const timeline = new Timeline([
      { id: 'power-on', title: 'power-on', phase: 'firmware' },
      { id: 'kernel', title: 'kernel starts', phase: 'kernel' },
    ]);
    expect(failureOf({ ...evidence, timeline })?.milestone).toBe('kernel starts');
  });
});
