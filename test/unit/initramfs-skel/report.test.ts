import { describe, expect, it } from 'vitest';
import { parseNodeReport, REPORT_PORT } from '../../../src/serving/node-report.js';
import { runOnTarget, runWithMocks, shells, type TargetTree } from './target-shell.js';

const BOOT = '0b7f1c86-5a36-4f57-9a5c-4c1f0ce1b0a1';
const tree: TargetTree = { 'proc/sys/kernel/random/boot_id': `${BOOT}\n` };

/** nc keeps what is sent; `wait` is for the background. */
const node = (commandLine: string, then: string) => `
nc() { note nc "$@"; command cat >>"$ROOT/sent"; ${'$'}{nc_fails:-:}; }
read_command_line '${commandLine}'
boot_nic=eth0 node_ip=10.1.1.1 node_mac=52:54:00:00:00:01 nic_address=52:54:00:00:00:01 node_name=n1 MKROOT_IMAGE=compute MKROOT_GENERATION=g1
lease_dns='' lease_domain='' lower_directories=d
${then}
wait`;

/** The requests that went out, each as its headers and its body. */
function requests(sent: string | undefined): { headers: string; body: string }[] {
  return (sent ?? '')
    .split(/(?=POST \/report HTTP)/)
    .filter((part) => part !== '')
    .map((part) => {
      const [headers = '', body = ''] = part.split('\r\n\r\n');
      return { headers, body };
    });
}

describe.each(shells)('reports under $name', (shell) => {
  it('say what the console says, to the address of mkroot.report=, and the head node can read them', () => {
    const { read, calls, kmsg, stderr } = runOnTarget(
      shell,
      node(
        'mkroot.report=10.1.0.1',
        'enter_stage 50\nbase_summary=\'10.1.0.1:/b NFS v3\'\nsay "$base_summary"',
      ),
      tree,
    );
    expect(stderr).toBe('');
    expect(calls).toContain(`nc 10.1.0.1 ${REPORT_PORT}`);
    expect(kmsg).toEqual(['<5>mkroot: [50] base: 10.1.0.1:/b NFS v3']);
    const [request] = requests(read('sent'));
    expect(request?.headers).toBe(`POST /report HTTP/1.0\r\nContent-Length: ${request?.body.length}`);
    expect(parseNodeReport(Buffer.from(request!.body))).toEqual({
      boot: BOOT,
      node: 'n1',
      mac: '52:54:00:00:00:01',
      ip: '10.1.1.1',
      image: 'compute',
      generation: 'g1',
      firmware: 'bios',
      uptime: 3,
      state: 'ok',
      stage: { number: 50, name: 'base' },
      detail: '10.1.0.1:/b NFS v3',
      base: '10.1.0.1:/b NFS v3',
      layers: '',
    });
  });

  it('tell a failure with its next step, three times if need be, and that the firmware is UEFI', () => {
    const { read, calls } = runOnTarget(
      shell,
      node(
        'mkroot.report=10.1.0.9:4711',
        "nc_fails=false\nenter_stage 60\ntrouble 10.0.0.1:/b 'Connection refused' 'attempt 2'",
      ),
      { ...tree, 'sys/firmware/efi/.keep': '' },
    );
    expect(calls.filter((call) => call.startsWith('nc'))).toEqual(Array(3).fill('nc 10.1.0.9 4711'));
    const reports = requests(read('sent')).map(({ body }) => parseNodeReport(Buffer.from(body)));
    expect(reports).toHaveLength(3);
    expect(reports[0]).toMatchObject({
      state: 'failed',
      stage: { number: 60, name: 'layers' },
      detail: '10.0.0.1:/b Connection refused; next: attempt 2',
      firmware: 'uefi',
    });
  });

  it('cannot be forged by text from the network', () => {
    const { read } = runOnTarget(
      shell,
      node('mkroot.report=10.1.0.1', `enter_stage 50\nsay 'a\nstate=up\n\rPOST /x'`),
      tree,
    );
    const [request, ...others] = requests(read('sent'));
    expect(others).toEqual([]);
    expect(parseNodeReport(Buffer.from(request!.body))).toMatchObject({
      state: 'ok',
      detail: 'a?state=up??POST /x',
    });
  });

  it('of a node with as many layers as a union takes can be read: gc keeps what they name', () => {
    const layers = Array.from(
      { length: 170 },
      (_, index) =>
        `cluster 10.77.0.1:/var/lib/mkroot/layers/some-cluster-wide-overlay-${index}/20261120T064707Z-eec447e3`,
    ).join(', ');
    const { read } = runOnTarget(
      shell,
      node('mkroot.report=10.1.0.1', `enter_stage 60\nlayers_summary='${layers}'\nsay "$layers_summary"`),
      tree,
    );
    const [request] = requests(read('sent'));
    const report = parseNodeReport(Buffer.from(request!.body));
    expect(report).toMatchObject({ state: 'ok', stage: { number: 60 }, layers });
    expect(report?.detail).toMatch(/^cluster .* \[\.\.\.\] .*169\/20261120T064707Z-eec447e3$/);
  });

  it('are not sent before there is an address, nor unless they are asked for; a bad address is told', () => {
    const silent = (commandLine: string, then: string) => runOnTarget(shell, node(commandLine, then), tree);
    expect(silent('', 'say x').read('sent')).toBeUndefined();
    expect(silent('mkroot.report=10.1.0.1', "node_mac=''; say x").read('sent')).toBeUndefined();
    for (const value of ['head', '10.1.0.1:x', '10.1.0.1:99999', '10.1.0.1:1:2', '']) {
      const { read, stdout } = silent(`mkroot.report=${value}`, 'say x; echo "$parameter_problems"');
      expect(read('sent')).toBeUndefined();
      expect(stdout).toBe(`mkroot.report=${value} (no ADDRESS[:PORT])\n`);
    }
  });

  it('of the node itself, up and down, come from a unit and from /shutdown, with what was known at the hand-over', () => {
    const { read } = runOnTarget(
      shell,
      node('mkroot.report=10.1.0.1', 'base_summary=b layers_summary=l; write_hand_over'),
      tree,
    );
    const unit = read('run/systemd/system/mkroot-report.service');
    expect(unit).toContain('After=multi-user.target\n');
    expect(unit).toMatch(
      /^ExecStart=-\/run\/initramfs\/bin\/busybox sh \/run\/initramfs\/lib\/mkroot\/report-state up \/run\/initramfs$/m,
    );
    const state = {
      'top/state/report-to': read('run/initramfs/state/report-to')!,
      'top/state/report': read('run/initramfs/state/report')!,
    };
    for (const verb of ['up', 'down']) {
      const sent = runWithMocks(
        shell,
        `nc() { note nc "$@"; command cat >>"$ROOT/sent"; }
mkdir -p "$ROOT/top/lib"; ln -s "$SKELETON/lib/mkroot" "$ROOT/top/lib/mkroot"
PROGRAMS=$PATH
set -- ${verb} "$ROOT/top"
. "$SKELETON/lib/mkroot/report-state"`,
        state,
      );
      expect(sent.stderr).toBe('');
      expect(sent.calls).toEqual([`nc 10.1.0.1 ${REPORT_PORT}`]);
      const [request] = requests(sent.read('sent'));
      expect(parseNodeReport(Buffer.from(request!.body))).toMatchObject({
        node: 'n1',
        boot: BOOT,
        state: verb,
        uptime: 3,
        base: 'b',
        layers: 'l',
      });
    }
  });

  it('leave no unit behind when nobody is told', () => {
    const { read } = runOnTarget(shell, node('', 'base_summary=b layers_summary=l; write_hand_over'), tree);
    expect(read('run/systemd/system/mkroot-report.service')).toBeUndefined();
  });
});
