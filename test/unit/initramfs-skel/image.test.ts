import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { runOnTarget, shells, type TargetTree } from './target-shell.js';

const network = `boot_nic=eth0 node_ip=10.77.0.58 node_mac=52:54:00:00:00:01 node_name=n001
lease_dns='' lease_domain='' lease_siaddr=10.77.0.1 lease_serverid=10.77.0.2 lease_rootpath=''
`;
const contents = 'squashfs of ten thousand files';
const digest = createHash('sha256').update(contents).digest('hex');
const url = (servers = '10.0.0.5', size = contents.length) =>
  `http://${servers}/images/c/root.squashfs,sha256=${digest},size=${size}`;

/** wget that does what a server does: `serve HAVE` tells how many bytes are here, and appends to $file. */
const wget = (body: string) => `
kill() { return 1; }
wget() {
  note wget "$@"
  file=$3 url=$4
  have=0; [ ! -e "$file" ] || have=$(stat -c %s "$file")
  ${body}
}`;
const rest = `printf '%s' '${contents}' | tail -c +$((have + 1)) >>"$file"`;
const fetch = (body: string, base = url(), then = '') =>
  `read_command_line 'mkroot.base=${base}'\n${network}${wget(body)}
enter_stage 50; mount_base_layer; echo "$base_summary"; ${then}`;
const fetches = (calls: readonly string[]) => calls.filter((call) => call.startsWith('wget'));

describe.each(shells)('a base that is one file under $name', (shell) => {
  it('on NFS is mounted where it lies: the directory, then the file', () => {
    const { calls, stdout, kmsg } = runOnTarget(
      shell,
      `read_command_line 'mkroot.base=10.0.0.5:/images/c/g/root.squashfs,nconnect=2 mkroot.host=/h'\n${network}
mount_base_layer; mount_upper_layers; echo "$base_summary"`,
    );
    expect(kmsg).toEqual([]);
    expect(calls).toEqual([
      'mount -t nfs -o ro,hard,tcp,nolock,nocto,noatime,actimeo=2592000,vers=3,nconnect=2 10.0.0.5:/images/c/g /run/mkroot/archive',
      'modprobe -a -q loop squashfs',
      'mount -t squashfs -o ro,loop /run/mkroot/archive/root.squashfs /run/mkroot/base',
      'mount -t nfs -o ro,hard,tcp,nolock,nocto,noatime,actimeo=2592000,vers=3 10.0.0.5:/h /run/mkroot/host',
    ]);
    expect(stdout).toBe('10.0.0.5:/images/c/g/root.squashfs NFS v3\n');
  });

  it('may lie in the root of what is exported', () => {
    const { calls, stdout } = runOnTarget(
      shell,
      `read_command_line 'mkroot.base=nfs4:10.0.0.5:/root.squashfs'\n${network}\nmount_base_layer; echo "$base_summary"`,
    );
    expect(calls[0]).toMatch(/ 10\.0\.0\.5:\/ \/run\/mkroot\/archive$/);
    expect(calls.at(-1)).toContain(' /run/mkroot/archive/root.squashfs /run/mkroot/base');
    expect(stdout).toBe('10.0.0.5:/root.squashfs NFS v4.1\n');
  });

  it('an initrd without the modules says which one is needed', () => {
    const { kmsg } = runOnTarget(
      shell,
      `read_command_line 'mkroot.base=/i/root.erofs'\n${network}
mount() { case $2 in erofs) echo "mount: mounting x on y failed: No such device" >&2; return 1 ;; esac; }
enter_stage 50; mount_base_layer`,
    );
    expect(kmsg[0]).toContain(
      'FAILED [50] base: 10.77.0.1:/i/root.erofs cannot be mounted as erofs: No such device (an initrd for it: mkroot initrd --transport); next: reboot',
    );
  });

  it('over HTTP is fetched into a memory file system of its size, verified, and mounted from there', () => {
    const { calls, stdout, kmsg, stderr } = runOnTarget(shell, fetch(rest));
    expect(stderr).toBe('');
    expect(kmsg).toEqual([]);
    expect(calls.filter((call) => !/^sleep/.test(call))).toEqual([
      `mount -t tmpfs -o mode=0700,nr_inodes=16,size=${contents.length} mkroot-archive /run/mkroot/archive`,
      'wget -c -O /run/mkroot/archive/root.squashfs http://10.0.0.5/images/c/root.squashfs',
      'modprobe -a -q loop squashfs',
      'mount -t squashfs -o ro,loop /run/mkroot/archive/root.squashfs /run/mkroot/base',
    ]);
    expect(stdout).toBe('http://10.0.0.5/images/c/root.squashfs, 0 MiB in memory, sha256 verified\n');
    const dracut = runOnTarget(shell, fetch(rest).replace('mkroot.base=', 'root=live:'));
    expect(dracut.stdout).toBe(stdout);
  });

  it('is not asked for without a digest and a size, nor where the memory is too small', () => {
    const refused = (base: string, tree: TargetTree = {}) => {
      const { calls, kmsg, status } = runOnTarget(shell, fetch(rest, base), tree);
      expect([status, fetches(calls)]).toEqual([99, []]);
      return kmsg.at(-1);
    };
    expect(refused('http://10.0.0.5/r.squashfs')).toContain('lacks sha256= or size=; next: reboot');
    expect(refused(`http://10.0.0.5/r.squashfs,sha256=${'x'.repeat(64)},size=5`)).toContain(
      'lacks sha256= or size=',
    );
    expect(refused('http://10.0.0.5/r.img,sha256=0,size=5')).toContain(
      'is not http://server[:port]/path.squashfs',
    );
    expect(refused('http://$(reboot)/r.squashfs,sha256=0,size=5')).toContain('is not http://server');
    const small = { 'proc/meminfo': 'MemTotal: 500000 kB\nMemFree: 1 kB\nMemAvailable: 400000 kB\n' };
    expect(refused(url('10.0.0.5', 300 * 1_048_576), small)).toContain(
      'FAILED [50] base: 10.0.0.5 the memory is too small: 300 MiB are to be fetched, 128 MiB have to stay free, 390 MiB are available; next: reboot',
    );
  });

  it('a connection that breaks is gone on with where it broke, at the next server of the list', () => {
    const broken = `case $url in *//10.0.0.5*) printf '%s' '${contents.slice(0, 10)}' | tail -c +$((have + 1)) >>"$file"; echo 'wget: connection closed prematurely' >&2; return 1 ;; esac; echo "$have" >>"$ROOT/resumed"; ${rest}`;
    const { calls, kmsg, read, stdout } = runOnTarget(shell, fetch(broken, url('10.0.0.5+10.0.0.6:8080')));
    const servers = fetches(calls).map((call) => /\/\/([\d.:]+)/.exec(call)?.[1]);
    expect(servers.at(-1)).toBe('10.0.0.6:8080');
    expect(stdout).toContain('http://10.0.0.6:8080/');
    if (servers.length > 1) {
      expect(read('resumed')).toBe('10\n');
      expect(kmsg[0]).toMatch(
        /10\.0\.0\.5:8080 connection closed prematurely, 0 of 0 KiB are here; next: attempt 2 of 8 in 0 s/,
      );
    }
  });

  it('a server that is a name is asked for at the DNS servers of the lease, and knows by which name it was meant', () => {
    const named = (servers: string, answer: string) =>
      runOnTarget(
        shell,
        fetch(rest, url(servers)).replace(
          'enter_stage 50',
          `lease_dns=10.0.0.2\nnslookup() { note nslookup "$@"; ${answer}; }\nenter_stage 50`,
        ),
      );
    const known = named('head:8080', "printf 'Name:\\thead\\nAddress: 10.0.0.7\\n'");
    expect(fetches(known.calls)).toEqual([
      'wget -c -O /run/mkroot/archive/root.squashfs http://10.0.0.7:8080/images/c/root.squashfs --header Host: head:8080',
    ]);
    expect(known.stdout).toContain('http://head:8080/images/c/root.squashfs, ');
    const unknown = named('head+10.0.0.5', 'return 1');
    expect(unknown.stdout).toContain('http://10.0.0.5/');
    for (const line of unknown.kmsg) {
      expect(line).toContain('head cannot be resolved to an address by DNS (10.0.0.2); next: attempt 2 of 8');
    }
    expect(fetches(unknown.calls)).toHaveLength(1);
  });

  it('a byte that is wrong is found, all of it thrown away and fetched anew; if it stays wrong the boot ends', () => {
    const flipped = `if [ ! -e "$ROOT/second" ]; then : >"$ROOT/second"; printf 'S%s' '${contents.slice(1)}' >"$file"; return; fi; echo "$have" >"$ROOT/had"; ${rest}`;
    const once = runOnTarget(shell, fetch(flipped));
    expect(once.kmsg[0]).toMatch(
      /10\.0\.0\.5 what came is not what was asked for: its sha256 is [0-9a-f]{64}; next: attempt 2 of 8/,
    );
    expect(once.read('had')).toBe('0\n');
    expect(once.stdout).toContain('sha256 verified');
    const always = runOnTarget(shell, fetch(`printf 'S%s' '${contents.slice(1)}' >"$file"`));
    expect(always.status).toBe(99);
    expect(always.kmsg.at(-1)).toMatch(/its sha256 is [0-9a-f]{64} \(8 attempts\); next: reboot/);
    expect(always.calls.filter((call) => call.startsWith('mount -t squashfs'))).toEqual([]);
  });

  it('a file that is too short or too long at the server is said to be', () => {
    const short = runOnTarget(shell, fetch(`printf '%s' '${contents.slice(0, 9)}' >"$file"`));
    expect(short.kmsg[0]).toContain(
      '10.0.0.5 the file there is shorter than size=, 0 of 0 KiB are here; next: attempt 2',
    );
    const long = runOnTarget(shell, fetch(`printf '%s' '${contents}+' >"$file"`));
    expect(long.kmsg[0]).toContain(
      `10.0.0.5 the file there is longer than size=${contents.length}; next: attempt 2`,
    );
  });

  it('a server that sends nothing for 20 s is left, whatever wget thinks; one that is slow is waited for and told of', () => {
    const running = (until: string) =>
      `kill() { case $1 in -9) note kill; echo >"$ROOT/killed" ;; *) [ ! -e "$ROOT/killed" ] && ${until} ;; esac; }\n`;
    const still = runOnTarget(
      shell,
      fetch(rest).replace(
        'enter_stage 50',
        `${running('true')}wget() { note wget "$@"; }\nhttp_attempts=1; enter_stage 50`,
      ),
    );
    expect(still.calls.filter((call) => call === 'sleep 1')).toHaveLength(20);
    expect(still.kmsg.at(-1)).toContain(
      '10.0.0.5 no byte for 20 s, 0 of 0 KiB are here (1 attempts); next: reboot',
    );
    const slow = runOnTarget(
      shell,
      fetch(rest, url('10.0.0.5', 40), '').replace(
        'enter_stage 50',
        `${running('[ "$(grep -c "^sleep 1$" "$ROOT/calls")" -lt 35 ]')}
wget() { :; }
size_of() { answer=$(grep -c "^sleep 1$" "$ROOT/calls"); }
http_attempts=1; enter_stage 50`,
      ),
    );
    expect(slow.kmsg.filter((line) => /mkroot: \d+ of \d+ MiB from 10\.0\.0\.5/.test(line))).toHaveLength(2);
    expect(slow.kmsg.at(-1)).not.toContain('no byte for');
  });

  it('with a base in memory the layers go there, too, and no server is left that the last resort would ask', () => {
    const { calls, stdout, read } = runOnTarget(
      shell,
      `cp() { note cp "$@"; }\nread_command_line 'mkroot.base=${url()} mkroot.cluster=10.0.0.7:/c mkroot.host=10.0.0.7:/h'
${network}${wget(rest)}
mount_base_layer; mount_upper_layers; echo "$layers_summary"`,
    );
    expect(calls.slice(calls.findIndex((call) => call.includes('/run/mkroot/host')))).toEqual([
      'mount -t nfs -o ro,hard,tcp,nolock,nocto,noatime,actimeo=2592000,vers=3 10.0.0.7:/h /run/mkroot/host',
      'mount -t tmpfs -o mode=0755 mkroot-host /run/mkroot/copy',
      'cp -a /run/mkroot/host/. /run/mkroot/copy/',
      'umount /run/mkroot/host',
      'mount --move /run/mkroot/copy /run/mkroot/host',
      'mount -o remount,ro /run/mkroot/host',
      ...['cluster'].flatMap((name) => [
        `mount -t nfs -o ro,hard,tcp,nolock,nocto,noatime,actimeo=2592000,vers=3 10.0.0.7:/c /run/mkroot/${name}`,
        `mount -t tmpfs -o mode=0755 mkroot-${name} /run/mkroot/copy`,
        `cp -a /run/mkroot/${name}/. /run/mkroot/copy/`,
        `umount /run/mkroot/${name}`,
        `mount --move /run/mkroot/copy /run/mkroot/${name}`,
        `mount -o remount,ro /run/mkroot/${name}`,
      ]),
    ]);
    expect(stdout).toBe('host 10.0.0.7:/h, cluster 10.0.0.7:/c\n');
    expect(read('run/initramfs/state/servers')).toBe('');
  });
});

describe.each(shells)('several servers under $name', (shell) => {
  const order = (mac: string) =>
    runOnTarget(shell, `node_mac=${mac}; order_servers a+b+c; echo "$answer"`).stdout.trim();

  it('a node begins with the one that its MAC comes to, and goes round from there', () => {
    const macs = Array.from({ length: 24 }, (_, index) => `52:54:00:00:00:${(index + 16).toString(16)}`);
    const script = macs.map((mac) => `node_mac=${mac}; order_servers a+b+c; echo "$answer"`).join('\n');
    const orders = runOnTarget(shell, script).stdout.trim().split('\n');
    expect(new Set(orders)).toEqual(new Set(['a b c', 'b c a', 'c a b']));
    for (const one of ['a b c', 'b c a', 'c a b'])
      expect(orders.filter((found) => found === one).length).toBeGreaterThan(2);
    expect(order(macs[3]!)).toBe(orders[3]);
  });

  const mounted = (mac: string, answers: string) =>
    runOnTarget(
      shell,
      `read_command_line 'mkroot.base=10.0.0.1+10.0.0.2+10.0.0.3:/r,port=2050 mkroot.host=/h'\n${network}node_mac=${mac}
server_answers() { note probe "$@"; case $1 in ${answers}) return 0 ;; esac; return 1; }
enter_stage 50; mount_base_layer; mount_upper_layers; echo "$base_summary, $layers_summary"`,
    );

  it('one that does not answer is passed over without a mount, and the layers come from the one that does', () => {
    const { calls, kmsg, stdout } = mounted('52:54:00:00:00:01', '10.0.0.2');
    expect(stdout).toBe('10.0.0.2:/r NFS v3, host 10.0.0.2:/h\n');
    expect(calls.filter((call) => call.startsWith('mount')).map((call) => call.split(' ')[5])).toEqual([
      '10.0.0.2:/r',
      '10.0.0.2:/h',
    ]);
    for (const line of kmsg)
      expect(line).toMatch(/FAILED \[50\] base: 10\.0\.0\.[13] does not answer; next: the next server/);
    expect(calls.find((call) => call.startsWith('probe'))).toMatch(/ 2050 3$/);
  });

  it('are asked at the port of NFS, wherever it is told and whatever port mountd has', () => {
    const run = (words: string) =>
      runOnTarget(
        shell,
        `read_command_line '${words}'\n${network}server_answers() { note probe "$@"; }
enter_stage 50; mount_base_layer; echo "$base_summary"`,
      );
    const near = run('mkroot.base=10.0.0.1+10.0.0.1:/r,port=2050,mountport=20048');
    expect(near.calls[0]).toBe('probe 10.0.0.1 2050 3');
    expect(near.read('run/initramfs/state/servers')).toBe('10.0.0.1 2050 3\n');
    const far = run(
      'mkroot.base=10.0.0.1+10.0.0.1:/r mkroot.nfsopts=port=2050,mountport=20048,mountvers=3,vers=4.1',
    );
    expect(far.calls[0]).toBe('probe 10.0.0.1 2050 4');
    expect(far.read('run/initramfs/state/servers')).toBe('10.0.0.1 2050 4\n');
    expect(far.calls[1]).toContain(',vers=4.1,clientaddr=10.77.0.58,');
    expect(run('mkroot.base=10.0.0.1:/r,mountvers=3 mkroot.nfsopts=vers=4.1').stdout).toBe(
      '10.0.0.1:/r NFS v4.1\n',
    );
  });

  it('one whose name DNS does not know is passed over, and ends nothing', () => {
    const named = (servers: string) =>
      runOnTarget(
        shell,
        `read_command_line 'mkroot.base=${servers}:/r'\n${network}lease_dns=10.0.0.9
order_servers() { answer="\${1%%+*} \${1#*+}"; }
nslookup() { note nslookup "$@"; return 1; }
server_answers() { [ "$1" = 10.0.0.1 ]; }
enter_stage 50; mount_base_layer; echo "$base_summary"`,
      );
    const { kmsg, stdout, calls } = named('b+10.0.0.1');
    expect(stdout).toBe('10.0.0.1:/r NFS v3\n');
    expect(kmsg).toEqual([
      '<3>mkroot: FAILED [50] base: b cannot be resolved to an address by DNS (10.0.0.9); next: the next server',
    ]);
    expect(calls.filter((call) => call.startsWith('mount'))[0]).toContain(' 10.0.0.1:/r ');
    // Nobody is left: eight attempts, and the end names a server and why.
    const none = named('b+c');
    expect(none.status).toBe(99);
    expect(none.kmsg.at(-1)).toMatch(
      /[bc]:\/r cannot be resolved to an address by DNS \(10\.0\.0\.9\) \(NFS v4\.1, 8 attempts\); next: reboot/,
    );
    expect(none.calls.filter((call) => call.startsWith('mount'))).toEqual([]);
  });

  it('one that answers and does not mount is followed by the next after both versions', () => {
    const { calls } = runOnTarget(
      shell,
      `read_command_line 'mkroot.base=10.0.0.1+10.0.0.2:/r'\n${network}
server_answers() { :; }
mount() { note mount "$@"; echo 'mount: mounting x on y failed: Stale file handle' >&2; return 1; }
enter_stage 50; mount_base_layer`,
    );
    const tried = calls
      .filter((call) => call.startsWith('mount'))
      .map((call) => `${/vers=[\d.]+/.exec(call)?.[0]} ${/10\.0\.0\.\d/.exec(call)?.[0]}`);
    expect(tried).toHaveLength(8);
    expect(tried[0]?.slice(-1)).toBe(tried[1]?.slice(-1));
    expect(tried[2]?.slice(-1)).toBe(tried[3]?.slice(-1));
    expect(tried[2]?.slice(-1)).not.toBe(tried[0]?.slice(-1));
    expect(tried[4]).toBe(tried[0]);
  });

  it('the probe is an NFS NULL call that ends with the answer', () => {
    const { read, calls, stdout } = runOnTarget(
      shell,
      `nc() { note nc "$@"; head -c 44 | od -A n -v -t x1 >"$ROOT/packet"; printf abcdefgh; }
server_answers 10.0.0.9 2049 4 && echo answers; nc() { :; }; server_answers 10.0.0.9 2049 3 || echo silent`,
    );
    expect(stdout).toBe('answers\nsilent\n');
    expect(calls).toContain('nc 10.0.0.9 2049');
    expect(read('packet')?.replace(/\s+/g, '')).toContain('800000286d6b72740000000000000002000186a300000004');
  });
});
