import { z } from 'zod';
import { BOOT_FIRMWARE } from './firmware.js';
import { IMAGE_TRANSPORTS } from './image-transport.js';

const seconds = z.number().min(0);
const pattern = z.string().refine(isPattern, 'is no regular expression');

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

const ACTION =
  /^(?:(?:nfs|dhcp|http) (?:start|stop|pause|resume)|nfs take-over|link [1-9] (?:up|down)|press (?:power|ctrl-alt-delete)|cut power)$/;

const stepSchema = z.strictObject({
  when: z
    .union([seconds, z.strictObject({ console: pattern }), z.strictObject({ check: z.string() })])
    .describe(
      'Seconds after the step before (the first one: after power-on), a line of the console, or a check that the node reported.',
    ),
  do: z
    .string()
    .regex(ACTION, 'is no action')
    .describe(
      '`nfs`, `dhcp` or `http` with `start`, `stop` (killed), `pause` or `resume`; `nfs take-over` by the standby; `link N up`, `link N down`; `press power`, `press ctrl-alt-delete`; `cut power`.',
    ),
});

const expectationSchema = z
  .strictObject({
    console: pattern.optional().describe('A line that the console must show.'),
    dhcp: pattern
      .optional()
      .describe("A line that the DHCP server's log must show, in the place of `console`."),
    times: z.int().min(1).optional().describe('How many such lines at least; 1 by default.'),
    never: z.boolean().optional().describe('No such line may be seen.'),
    proves: z.string().min(1).describe('What is proved when it is seen, in words.'),
  })
  .refine(({ console, dhcp }) => (console === undefined) !== (dhcp === undefined), {
    error: 'needs one of console and dhcp',
  });

/** What may differ from one boot of a scenario to the next. */
const bootFields = {
  commandLine: z
    .string()
    .optional()
    .describe(
      'Words for the kernel instead of the usual ones, which name base, cluster and host layer and the host name.',
    ),
  init: z
    .enum(['system', 'guest'])
    .optional()
    .describe(
      '`guest`: process 1 is a shell that runs the script below and powers off; neither the system nor the self-check is started.',
    ),
  start: z
    .enum(['direct', 'pxe'])
    .optional()
    .describe(
      '`pxe`: by the firmware, as a real node; `direct` (the default, unless a firmware is named): QEMU loads kernel and initrd itself.',
    ),
  firmware: z
    .enum(BOOT_FIRMWARE)
    .optional()
    .describe(
      'What the machine boots by; with it `start` is `pxe`. UEFI loads iPXE over TFTP, `uefi-http` over HTTP; its card is virtio_net.',
    ),
  nics: z
    .array(z.enum(['lab', 'elsewhere']))
    .min(1)
    .max(8)
    .optional()
    .describe(
      'Network devices in the order of their slots: on the network of the lab, or on one where nobody answers.',
    ),
  bootNic: z.int().min(1).max(8).optional().describe('Which of them the node boots from, counted from 1.'),
  mac: z
    .string()
    .regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/, 'is no MAC address')
    .optional()
    .describe('Of the device that the node boots from.'),
  hostname: z.string().optional().describe('Name that the node must have in the end.'),
  transport: z
    .enum(IMAGE_TRANSPORTS)
    .optional()
    .describe('How the base comes to the node, if not as a directory over NFS.'),
  servers: z
    .array(z.string())
    .optional()
    .describe('Addresses of servers that the base is to be had from; the lab has one, 10.77.0.1.'),
  standby: z
    .boolean()
    .optional()
    .describe(
      'A second NFS server with the same files waits to take over the address 10.77.0.5, which the first one has beside its own.',
    ),
  disk: z
    .int()
    .min(16)
    .optional()
    .describe(
      "MiB of an ext4 with the label scratch that lasts through the scenario's boots: a disk of the node, and /kept/top.ext4 on the server.",
    ),
  blankDisk: z
    .boolean()
    .optional()
    .describe('The disk holds nothing at first, as one that comes from its maker.'),
  diskBefore: z
    .int()
    .min(16)
    .optional()
    .describe('MiB of a second disk that the node finds before the other one; it holds nothing at first.'),
  httpFaults: z
    .array(z.enum(['cut', 'short', 'flip', 'stall', 'slow', 'none']))
    .optional()
    .describe(
      'What the HTTP server does to one answer after the other: closes half-way, serves half of the file, flips a bit, falls silent, sends at 4 MiB/s.',
    ),
  memory: z.int().min(32).optional().describe('MiB of the node; 1024 by default.'),
  nfsVersion: z.enum(['3', '4.1', '4.2']).optional(),
  dhcp: z
    .strictObject({
      off: z.boolean().optional().describe('There is no DHCP server until a step starts it.'),
      hostname: z.string().optional().describe('Name that the DHCP server gives the node (option 12).'),
      rootPath: z.string().optional().describe('Option 17.'),
      leaseSeconds: z.int().min(120).optional().describe('How long a lease lasts; an hour by default.'),
      options: z
        .array(z.string().regex(/^[A-Za-z0-9:.,/-]+$/, 'is no option'))
        .optional()
        .describe(
          'Further options as dnsmasq writes them: `option:mtu,9000`, `option:dns-server,10.77.0.1`.',
        ),
      delay: z.int().min(1).max(10).optional().describe('Seconds that the server takes for an answer.'),
      other: z
        .strictObject({ rootPath: z.string().optional().describe('Its option 17.') })
        .optional()
        .describe(
          'A second DHCP server on the same network, at 10.77.0.2, that knows nothing of the first one and names itself as gateway.',
        ),
    })
    .optional(),
  mtu: z
    .int()
    .min(576)
    .max(16_000)
    .optional()
    .describe('Bytes of the largest packet on the network of the lab; 1500 by default.'),
  vlan: z
    .int()
    .min(1)
    .max(4094)
    .optional()
    .describe(
      'The device that the node boots from is at a port where only frames with the tag of this VLAN count.',
    ),
  tftp: z
    .enum(['silent'])
    .optional()
    .describe('`silent`: the firmware is sent to a TFTP server that never answers.'),
  clock: z
    .string()
    .regex(/^\d{4}-\d\d-\d\d$/, 'is no date')
    .optional()
    .describe('Date of the node’s hardware clock at power-on, as 2000-01-01.'),
  timeServer: z
    .string()
    .regex(/^\d{4}-\d\d-\d\d$/, 'is no date')
    .optional()
    .describe(
      'An NTP server at 10.77.0.1, named by DHCP (option 42), on whose clock this date begins when it is started.',
    ),
  files: z
    .record(z.string().regex(/^\/[^/]/, 'is no absolute path'), z.string())
    .optional()
    .describe('Files of the node’s host layer, by path.'),
  persistent: z
    .string()
    .optional()
    .describe(
      "/etc/mkroot/persistent of the node. The lab exports /kept to write to, which lasts through the scenario's boots.",
    ),
  guest: z
    .string()
    .optional()
    .describe(
      'Shell script that the node runs after the self-check; it reports by `report NAME pass|fail DETAIL`.',
    ),
  reports: z.array(z.string()).optional().describe('Checks that the script must have reported.'),
  steps: z.array(stepSchema).optional().describe('What happens from outside, one after the other.'),
  expect: z.array(expectationSchema).optional(),
  end: z
    .string()
    .regex(/^(?:power-off|reset|seen|init-\d\d-[a-z-]+)$/, 'is no end')
    .optional()
    .describe(
      '`power-off` (the default), `reset`: the machine resets itself or its power is cut, `seen`: every line that is expected was on the console, or a stage such as `init-70-overlay`.',
    ),
  endWithin: seconds.optional().describe('Seconds from the last step to the end.'),
  timeout: seconds.optional().describe('Seconds from power-on to the end; 240 by default.'),
};

const bootSchema = z.strictObject(bootFields);

/** A scenario file, qemu/scenarios/NAME.yaml. */
export const scenarioSchema = z.strictObject({
  title: z.string().min(1).describe('What is shown to hold, as a sentence.'),
  items: z.array(z.string()).describe('Items of the list of what the boot runtime must get right.'),
  quick: z.boolean().optional().describe('Part of every run of the tests.'),
  needs: z
    .array(z.string().regex(/^\//, 'is no absolute path'))
    .optional()
    .describe('Files that the root must have. For a root without one of them `all` leaves the scenario out.'),
  ...bootFields,
  boots: z
    .array(z.strictObject({ title: z.string().min(1), ...bootFields }))
    .optional()
    .describe(
      'Several boots, one after the other; each is the scenario with these fields in place of its own.',
    ),
  same: z
    .record(z.string(), z.array(z.int().min(1)))
    .optional()
    .describe('Check -> boots whose details must be equal.'),
  differ: z
    .record(z.string(), z.array(z.int().min(1)))
    .optional()
    .describe('Check -> boots of which no two may have the same detail.'),
});

/** One boot of a scenario: what is different from a plain boot test. */
export type ScenarioBoot = z.infer<typeof bootSchema>;

/** Something that is done to a node or its servers from outside. */
export type ScenarioStep = z.infer<typeof stepSchema>;

/** A line that has to be seen during a boot. */
export type Expectation = z.infer<typeof expectationSchema>;

/** A scenario by its file's name. */
export interface Scenario extends z.infer<typeof scenarioSchema> {
  readonly name: string;
}

/** The boots of a scenario, each complete. */
export function bootsOf(scenario: Scenario): readonly (ScenarioBoot & { readonly title: string })[] {
  const {
    boots,
    name: _,
    items: _items,
    quick: _quick,
    needs: _needs,
    same: _same,
    differ: _differ,
    ...common
  } = scenario;
  return boots === undefined ? [common] : boots.map((boot) => ({ ...common, ...boot }));
}
