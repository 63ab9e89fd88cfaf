import { describe, expect, it } from 'vitest';
import type { Milestone } from '../../../src/vm/milestones.js';
import { spans, Timeline, timelineTable } from '../../../src/vm/timeline.js';
import { phases, timelineSvg } from '../../../src/vm/timeline-svg.js';

const milestones: readonly Milestone[] = [
  { id: 'power-on', title: 'power-on', phase: 'firmware' },
  { id: 'kernel', title: 'kernel starts', phase: 'kernel' },
  { id: 'layers', title: 'layers', phase: 'initramfs' },
  { id: 'end', title: 'power-off <now>', phase: 'system' },
];

function booted(...ids: readonly string[]): Timeline {
  const timeline = new Timeline(milestones);
  ids.forEach((id, index) => {
    timeline.add({ kind: 'milestone', id, detail: '' }, (index + 1) * 1000);
  });
  return timeline;
}

describe('Timeline', () => {
  it('keeps the first time of a milestone and says what was news', () => {
    const timeline = booted('kernel');
    expect(timeline.add({ kind: 'milestone', id: 'kernel', detail: '' }, 9000)).toBe(false);
    expect(timeline.at('kernel')).toBe(1000);
    expect(timeline.add({ kind: 'milestone', id: 'init-99-new', detail: '' }, 9000)).toBe(false);
  });

  it('takes a milestone that was skipped for passed when a later one came', () => {
    expect(booted('kernel').missing?.id).toBe('layers');
    expect(booted('kernel', 'end').missing).toBeUndefined();
  });

  it('keeps the first reason for a failure', () => {
    const timeline = booted();
    timeline.add({ kind: 'failure', detail: 'first' }, 1);
    timeline.add({ kind: 'failure', detail: 'second' }, 2);
    expect(timeline.failure).toBe('first');
  });
});

describe('the picture of a timeline', () => {
  const { reached } = booted('kernel', 'layers', 'end');

  it('gives each stretch to the phase that was running', () => {
    expect(spans(reached).map(({ running, toMs }) => [running, toMs])).toEqual([
      ['firmware', 1000],
      ['kernel', 2000],
      ['initramfs', 3000],
    ]);
    expect(phases(spans(reached)).reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)).toBe(3000);
  });

  it('escapes text that came from the node', () => {
    const svg = timelineSvg(reached);
    expect(svg).toContain('power-off &lt;now&gt;');
    expect(svg).not.toContain('<now>');
  });

  it('shows the milestone that did not come', () => {
    expect(timelineSvg(booted('kernel').reached, 'layers')).toMatch(/layers<\/text>.*did not come/s);
  });

  it('draws a boot that got nowhere', () => {
    expect(timelineSvg(booted().reached)).toMatch(/^<svg .*<\/svg>$/s);
  });

  it('is a table of times and steps for the terminal', () => {
    expect(timelineTable(booted('kernel').reached)).toEqual([
      '  time s     step  milestone',
      '    0.00           power-on',
      '    1.00  +  1.00  kernel starts',
    ]);
  });
});
