import { z } from 'zod';
import type { JsonSchema } from '../decode/json-schema.js';
import { suggestion } from '../decode/nearest-name.js';
import { parseYaml } from '../decode/parse-yaml.js';
import { problemReport } from '../decode/problem.js';
import { readText } from '../decode/read-text.js';
import { schemaProblems } from '../decode/schema-problems.js';
import { ExitCode, MkrootError } from '../errors.js';
import type { BytePath } from '../ports/byte-path.js';
import type { ReadFileSystem } from '../ports/file-system.js';
import { type Scenario, scenarioSchema } from './scenario.js';

/**
 * Scenarios by name, in the order of their names; `all` stands for every one.
 * @throws MkrootError NotFound with the nearest name, InvalidInput with every problem of a file.
 */
export function loadScenarios(
  fs: ReadFileSystem,
  directory: BytePath,
  wanted: readonly string[],
): readonly Scenario[] {
  const known = fs
    .readdir(directory)
    .flatMap((file) => /^([a-z0-9-]+)\.yaml$/.exec(file)?.[1] ?? [])
    .sort();
  for (const name of wanted) {
    if (name === 'all' || known.includes(name)) continue;
    throw new MkrootError(
      `Cannot find the scenario "${name}": there is none of that name${suggestion(name, known)}`,
      { exitCode: ExitCode.NotFound, details: [`Scenarios: ${known.join(', ')}`] },
    );
  }
  return known
    .filter((name) => wanted.includes('all') || wanted.includes(name))
    .map((name) => decodeScenario(readText(fs, 'scenario', `${directory}/${name}.yaml`), name));
}

/** Decodes the text of a scenario. @throws MkrootError InvalidInput that lists every problem. */
export function decodeScenario(text: string, name: string): Scenario {
  const file = `${name}.yaml`;
  const yaml = parseYaml(text, file, { textFields: ['items', 'nfsVersion', 'mac'] });
  const decoded = scenarioSchema.safeParse(yaml.value);
  const problems = [
    ...yaml.problems,
    ...(yaml.wellFormed && !decoded.success
      ? schemaProblems(decoded.error.issues, {
          yaml,
          schema: () => z.toJSONSchema(scenarioSchema, { io: 'input' }) as JsonSchema,
          whole: 'the scenario',
        })
      : []),
  ];
  if (problems.length > 0 || !decoded.success) {
    throw problemReport(
      { what: 'scenario', file, hint: 'Every field is explained in src/vm/scenario.ts.' },
      problems,
    );
  }
  return { ...decoded.data, name };
}
