import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BootReport } from '../../../src/vm/boot-report.js';
import { decodeScenario, loadScenarios } from '../../../src/vm/load-scenarios.js';
import { bootsOf, type Scenario } from '../../../src/vm/scenario.js';
import { ScenarioDirector } from '../../../src/vm/scenario-director.js';
import { repeatSummary, scenarioReport, scenarioSummary } from '../../../src/vm/scenario-report.js';
import { memoryFileSystem } from '../../support/memory-file-system.js';

const shipped = join(import.meta.dirname, '../../../qemu/scenarios');
const check = (name: string, detail = '') => ({ name, passed: true, detail });

describe('scenario files', () => {
  it('that are shipped can all be read, and expect or compare something', () => {
    const scenarios = readdirSync(shipped).map((file) =>
      decodeScenario(readFileSync(join(shipped, file), 'utf8'), file.replace('.yaml', '')),
    );
    expect(scenarios.length).toBeGreaterThan(10);
    for (const scenario of scenarios) {
      for (const boot of bootsOf(scenario)) {
        const seen = [...(boot.expect ?? []), ...(boot.reports ?? []), boot.hostname ?? []].flat();
        expect(seen, `${scenario.name}: ${boot.title}`).not.toEqual([]);
      }
    }
  });

  it('with mistakes are refused with every mistake and its place', () => {
    const text = `title: x
items: [5.5]
steps:
  - when: 3
    do: nfs explode
expect:
  - consol: y
    proves: z
end: perhaps
`;
    try {
      decodeScenario(text, 'wrong');
      expect.unreachable();
    } catch (error) {
      const details = (error as { details: readonly string[] }).details.join('\n');
      expect(details).toContain('wrong.yaml:5:9: steps[0].do "nfs explode" is no action');
      expect(details).toMatch(/wrong\.yaml:7:\d+: unknown field "consol".*console/);
      expect(details).toContain('wrong.yaml:9:6: end "perhaps" is no end');
    }
  });

  it('expect lines of one log each', () => {
    expect(() => decodeScenario('title: x\nitems: []\nexpect:\n  - proves: y\n', 'none')).toThrowError();
  });

  it('are found by name, all at once, or with the nearest name', () => {
    const fs = memoryFileSystem({
      '/s/first.yaml': 'title: One\nitems: []\n',
      '/s/second.yaml': 'title: Two\nitems: []\n',
      '/s/README.md': '',
    });
    expect(loadScenarios(fs, '/s', ['all']).map(({ name }) => name)).toEqual(['first', 'second']);
    expect(loadScenarios(fs, '/s', ['second']).map(({ title }) => title)).toEqual(['Two']);
    expect(() => loadScenarios(fs, '/s', ['secnd'])).toThrow(/"secnd".*second/);
  });

  it('may have several boots, each the scenario with its own fields in place', () => {
    const scenario = decodeScenario(
      'title: x\nitems: []\nend: init-70-overlay\nboots:\n  - title: a\n  - title: b\n    end: reset\n',
      'many',
    );
    expect(bootsOf(scenario).map(({ title, end }) => `${title} ${end}`)).toEqual([
      'a init-70-overlay',
      'b reset',
    ]);
  });
});

describe('the director of a scenario', () => {
  it('does the steps in order: by time since the one before, by a line, by a check of the node', () => {
    const director = new ScenarioDirector({
      steps: [
        { when: 5, do: 'nfs pause' },
        { when: { console: 'ready' }, do: 'nfs resume' },
        { when: { check: 'now' }, do: 'press power' },
      ],
    });
    expect(director.due(4_999, [])).toBeUndefined();
    director.line('ready'); // Too early: it counts from the step before.
    expect(director.due(5_000, [])).toBe('nfs pause');
    expect(director.due(6_000, [])).toBeUndefined();
    director.line('\u001b[0m[  1.0] ready\r');
    expect(director.due(7_000, [])).toBe('nfs resume');
    expect(director.due(8_000, [])).toBeUndefined();
    expect(director.due(9_000, [check('now')])).toBe('press power');
    expect(director.due(10_000, [check('now')])).toBeUndefined();
    expect(director.sinceLastStep(10_000)).toBe(1);
  });

  it('says what did not happen: a step, a line, a report, an end in time', () => {
    const boot = {
      steps: [{ when: 1, do: 'nfs stop' }],
      expect: [{ console: 'Power down', proves: 'it went down' }],
      reports: ['ready'],
      endWithin: 120,
    };
    const director = new ScenarioDirector(boot);
    expect(director.problem(9_000, [])).toBe('the step "nfs stop" did not become due');
    director.due(1_000, []);
    expect(director.problem(9_000, [])).toBe('the console never showed /Power down/');
    director.line('reboot: Power down');
    expect(director.problem(9_000, [])).toBe('the node did not report ready');
    expect(director.problem(122_000, [check('ready')])).toMatch(/121 s after the last step, allowed are 120/);
    expect(director.problem(120_000, [check('ready')])).toBeUndefined();
    expect(director.proved).toEqual(['it went down']);
  });

  it("reads the DHCP server's log as well, and counts", () => {
    const director = new ScenarioDirector({
      expect: [{ dhcp: 'DHCPACK', times: 2, proves: 'it was renewed' }],
    });
    director.line('DHCPACK');
    director.dhcpLine('dnsmasq-dhcp: DHCPACK(br0) 10.77.0.199');
    expect(director.complete).toBe(false);
    expect(director.problem(1_000, [])).toBe("the DHCP server's log showed /DHCPACK/ 1 of 2 times");
    director.dhcpLine('dnsmasq-dhcp: DHCPACK(br0) 10.77.0.199');
    expect(director.complete).toBe(true);
    expect(director.proved).toEqual(['it was renewed']);
  });

  it('may expect that a line is never seen', () => {
    const director = new ScenarioDirector({
      expect: [{ dhcp: 'DHCPNAK', never: true, proves: 'nothing was refused' }],
    });
    director.dhcpLine('DHCPACK(br0) 10.77.0.199');
    expect(director.complete).toBe(true);
    expect(director.proved).toEqual(['nothing was refused']);
    director.dhcpLine('DHCPNAK(br0) 10.77.0.199');
    expect(director.problem(1_000, [])).toBe("the DHCP server's log showed /DHCPNAK/");
  });

  it('knows when every step was done and every expected line was seen', () => {
    const director = new ScenarioDirector({
      steps: [{ when: 1, do: 'nfs stop' }],
      expect: [{ console: 'timed out', proves: 'it was told' }],
    });
    director.line('Connection timed out');
    expect(director.complete).toBe(false);
    director.due(1_000, []);
    expect(director.complete).toBe(true);
  });
});

describe('the report of a scenario', () => {
  const boot = (id: string, failure?: BootReport['failure']) =>
    ({
      milestones: [{ id: 'power-on', title: 'power-on', phase: 'firmware', atMs: 1500, detail: '' }],
      checks: [check('machine-id', id)],
      proved: ['it booted'],
      endedMs: 1500,
      secondsFromLastStep: 1,
      ...(failure === undefined ? {} : { failure, logs: '/logs' }),
    }) as unknown as BootReport;
  const scenario = (fields: Partial<Scenario>) => ({ name: 's', title: 'T', items: ['5.3'], ...fields });

  it('compares what the boots reported', () => {
    const boots = [boot('a'), boot('b'), boot('a')];
    const held = scenarioReport(
      scenario({ same: { 'machine-id': [1, 3] }, differ: { 'machine-id': [1, 2] } }),
      boots,
    );
    expect(held.result).toBe('pass');
    expect(held.proved).toContain('machine-id is the same in boots 1, 3: a');
    const wrong = scenarioReport(scenario({ differ: { 'machine-id': [1, 3] } }), boots);
    expect(wrong.reason).toBe('not so: machine-id is different in boots 1, 3 (a, a)');
    expect(scenarioReport(scenario({ same: { none: [1, 2] } }), boots).result).toBe('fail');
  });

  it('of several rounds tells how many pass and how long their ends took', () => {
    const lasting = (seconds: number) =>
      scenarioReport(scenario({}), [{ ...boot('a'), endedMs: 90_000, secondsFromLastStep: seconds }]);
    const failed = scenarioReport(scenario({}), [boot('a', { reason: 'it did not come', console: [] })]);
    expect(repeatSummary([lasting(61), lasting(55), lasting(70), failed])).toEqual([
      's: 3 of 4 pass, 55 to 70 s after the last step, median 61 s',
    ]);
    // Where nothing was done to the node its whole boot is no figure of its end.
    expect(repeatSummary([lasting(90)])).toEqual(['s: 1 of 1 pass']);
  });

  it('prints what was proved, or the reason, the console and where the logs are', () => {
    expect(scenarioSummary(scenarioReport(scenario({}), [boot('a')]))).toEqual([
      'PASS  s (5.3): T',
      '        it booted',
      '        one boot, 1.5 s, 1 s after the last step',
    ]);
    const failed = boot('a', { milestone: 'multi-user', reason: 'it did not come', console: ['last words'] });
    const lines = scenarioSummary(scenarioReport(scenario({}), [failed]));
    expect(lines).toContain('      | last words');
    expect(lines).toContain('      did not come: multi-user. it did not come');
    expect(lines.at(-1)).toBe('      Logs: /logs');
  });
});
