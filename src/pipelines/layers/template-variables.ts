import type { Inventory } from '../../inventory/inventory.js';
import type { Variables } from '../../inventory/inventory-schema.js';
import type { Network, Node } from '../../inventory/node.js';
import { resolveNodes } from '../../inventory/resolve-node.js';
import type { TemplateVariables } from '../../layers/overlay-templates.js';

/**
 * What templates know, by scope. Every name is always there, null where nobody gave a value, so that a mistyped one is an
 * error; docs/layers.md lists them.
 */
export class TemplateValues {
  readonly #everywhere: TemplateVariables;

  constructor(
    private readonly inventory: Inventory,
    /** All nodes, resolved, in the order of the inventory. */
    readonly nodes: readonly Node[] = resolveNodes(inventory),
  ) {
    this.#everywhere = {
      cluster: {
        domain: inventory.domain ?? null,
        dns: inventory.dns,
        ntp: inventory.ntp,
        servers: [...inventory.servers.values()].map((server) => ({ ...server })),
        networks: [...inventory.networks.values()].map(networkValues),
      },
      groups: [...inventory.groups.keys()],
      nodes: nodes.map((node) => ({
        name: node.name,
        fqdn: fqdn(node),
        ip: node.ip,
        mac: node.mac ?? null,
        group: node.group,
        image: node.image,
      })),
    };
  }

  /** For overlays of scope cluster. */
  cluster(): TemplateVariables {
    return { ...this.#everywhere, variables: this.#variables() };
  }

  /** For overlays of scope group. */
  group(name: string, image: string): TemplateVariables {
    const group = this.inventory.groups.get(name);
    return {
      ...this.#everywhere,
      group: { name, image, description: group?.description ?? null },
      variables: this.#variables(group?.source.settings.variables),
    };
  }

  /**
   * For overlays of scope node.
   * @param onNodes is called when a template asks for the list of all nodes.
   */
  node(node: Node, onNodes?: () => void): TemplateVariables {
    const values = {
      ...this.group(node.group, node.image),
      variables: node.variables,
      node: {
        name: node.name,
        fqdn: fqdn(node),
        domain: node.domain ?? null,
        ip: node.ip,
        mac: node.mac ?? null,
        group: node.group,
        image: node.image,
        network: networkValues(node.network),
        prefix: node.prefix,
        netmask: node.netmask,
        gateway: node.gateway ?? null,
        mtu: node.mtu ?? null,
        vlan: node.vlan ?? null,
        dns: node.dns,
        ntp: node.ntp,
        servers: node.servers,
        persistent: node.persistent.map((one) => ({
          path: one.path,
          server: one.server,
          export: one.export ?? null,
          readOnly: one.readOnly,
          options: one.options ?? null,
        })),
      },
    };
    const { nodes } = this.#everywhere;
    return Object.defineProperty(values, 'nodes', {
      enumerable: true,
      get: () => {
        onNodes?.();
        return nodes;
      },
    });
  }

  #variables(nearer: Variables = {}): Variables {
    return { ...this.inventory.cluster.settings.variables, ...nearer };
  }
}

function fqdn({ name, domain }: Pick<Node, 'name' | 'domain'>): string {
  return domain === undefined ? name : `${name}.${domain}`;
}

function networkValues({ name, address, prefix, netmask, broadcast, gateway, mtu, vlan }: Network) {
  return {
    name,
    address,
    prefix,
    netmask,
    broadcast,
    gateway: gateway ?? null,
    mtu: mtu ?? null,
    vlan: vlan ?? null,
  };
}
