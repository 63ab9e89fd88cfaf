import { BaseCommand } from '../../cli/base-command.js';
import type { JsonSchema } from '../../decode/json-schema.js';

/** `mkroot nodes schema`: the JSON Schema of nodes.yaml, for editors. */
export default class NodesSchema extends BaseCommand {
  static override summary = 'Print the JSON Schema of nodes.yaml, for editors';

  async run(): Promise<JsonSchema> {
    await this.parse(NodesSchema);
    const { inventoryJsonSchema } = await import('../../inventory/inventory-json-schema.js');
    const schema = inventoryJsonSchema();
    this.log(JSON.stringify(schema, null, 2));
    return schema;
  }
}
