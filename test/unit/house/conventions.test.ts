import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesBelow, linesMatching, productFiles } from './source-files.js';

const OWN = ['src', 'test', 'scripts', 'initramfs-skel', 'qemu', 'bin'];
const ownFiles = filesBelow(OWN, /./).filter(({ path }) => !path.startsWith('test/unit/house/'));
const typescript = ownFiles.filter(({ path }) => path.endsWith('.ts'));

/** Files of more than 400 lines, and why each is better in one piece. */
const LONG_FILES: Readonly<Record<string, string>> = {
  'test/unit/elf/elf-closure.test.ts': 'the numbered cases of one algorithm, over one fixture',
  'src/doctor/requirements.ts': 'one table in the order of its report, plain data',
  'test/judges/archive.test.ts': 'one archive shown to four judges',
};

describe('conventions of the house', () => {
  test('folders and files are named for what they hold, in kebab-case', () => {
    const wrong = ownFiles
      .map(({ path }) => path)
      .filter((path) => path.split('/').some((part) => /^(utils?|helpers?|common|misc)(\.|$)/.test(part)));
    expect(wrong).toEqual([]);
    const odd = typescript
      .map(({ path }) => path)
      .filter((path) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.(test|setup|d))?\.ts$/.test(basename(path)));
    expect(odd).toEqual([]);
  });

  test('no file has more than 400 lines without a reason', () => {
    const long = ownFiles
      .filter(({ path }) => /\.(ts|mjs|js|sh)$/.test(path))
      .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
      .filter(({ path, lines }) => lines > 400 && LONG_FILES[path] === undefined)
      .map(({ path, lines }) => `${path}: ${lines} lines`);
    expect(long).toEqual([]);
  });

  test('every export of src/ has a doc comment', () => {
    const bare = productFiles.flatMap(({ path, text }) => {
      const lines = text.split('\n');
      const documented = new Set<string>();
      return lines.flatMap((line, index) => {
        const name =
          /^export (?:default )?(?:declare )?(?:abstract )?(?:async )?(?:class|function\*?|const|let|interface|type|enum) (\w+)/.exec(
            line,
          )?.[1];
        if (name === undefined) return [];
        const has = lines[index - 1]?.trimEnd().endsWith('*/') === true;
        if (has) documented.add(name);
        // The type of a documented constant, or a further overload, carries the same name and needs no second comment.
        return has || documented.has(name) ? [] : [`${path}:${index + 1}: ${name}`];
      });
    });
    expect(bare).toEqual([]);
  });

  test('exports have names, and no file only passes on what others export', () => {
    expect(linesMatching(productFiles, /^export (\*|\{[^}]*\}) from/)).toEqual([]);
    const withDefault = productFiles.filter(
      ({ path, text }) => !path.startsWith('src/commands/') && /^export default/m.test(text),
    );
    expect(withDefault.map(({ path }) => path)).toEqual([]);
  });

  test('library code prints nothing and reads nothing of the process: that is for cli, commands and host', () => {
    const library = productFiles.filter(({ path }) => !/^src\/(cli|commands|host)\//.test(path));
    expect(
      linesMatching(
        library,
        /\bconsole\.(log|error|warn|info|debug|table|dir)\(|\bprocess\.(env|exit|exitCode|stdout|stderr|stdin|cwd|kill|on|argv|platform)\b/,
      ),
    ).toEqual([]);
  });

  test('nothing is silenced and nothing is left for later', () => {
    expect(linesMatching(ownFiles, /biome-ignore|eslint-disable|@ts-(ignore|nocheck|expect-error)/)).toEqual(
      [],
    );
    expect(
      linesMatching(typescript, /^(?!\s*(\/?\*|\/\/)).*(\bas any\b|: any(\[\]|[;,)=|]|$)|<any>)/),
    ).toEqual([]);
    expect(linesMatching(ownFiles, /\b(TODO|FIXME|XXX|HACK)\b/)).toEqual([]);
  });

  test('a shellcheck directive names one warning, and a comment before it says why', () => {
    const shell = ownFiles.filter(({ path }) => !path.endsWith('.ts'));
    const wrong = shell.flatMap(({ path, text }) => {
      const lines = text.split('\n');
      return lines.flatMap((line, index) => {
        if (!/shellcheck disable/.test(line)) return [];
        const reason =
          /disable=SC\d+\s+# \S/.test(line) ||
          lines.slice(Math.max(0, index - 2), index).some((before) => /^\s*# \S/.test(before));
        return reason && /disable=SC\d+(\s|$)/.test(line) ? [] : [`${path}:${index + 1}: ${line.trim()}`];
      });
    });
    expect(wrong).toEqual([]);
  });

  test('no test is skipped, focused or expected to fail', () => {
    const tests = typescript.filter(({ path }) => path.startsWith('test/'));
    expect(
      linesMatching(
        tests,
        /\b(test|it|describe)\.(skip|only|todo|fails|skipIf|runIf)\b|\b(xit|xdescribe|fdescribe)\(/,
      ),
    ).toEqual([]);
  });

  test('every dependency is used where it is declared', () => {
    const [manifest] = filesBelow([''], /^package\.json$/);
    const { dependencies, devDependencies } = JSON.parse(manifest!.text) as Record<
      string,
      Record<string, string>
    >;
    const names = (files: typeof ownFiles, name: string) =>
      files.some(({ text }) => new RegExp(`['"]${name}(/[^'"]*)?['"]`).test(text));
    const development = [...typescript, ...filesBelow([''], /^vitest\.config\.ts$/)];
    const unused = [
      ...Object.keys(dependencies!).filter((name) => !names(productFiles, name)),
      // Tools are run, not imported; types are for the compiler.
      ...Object.keys(devDependencies!)
        .filter((name) => !/^@types\/|^@biomejs\/|^typescript$/.test(name))
        .filter((name) => !names(development, name)),
    ];
    expect(unused).toEqual([]);
  });

  test('package-lock.json names no registry', () => {
    const [lock] = filesBelow([''], /^package-lock\.json$/);
    expect(lock?.text).not.toMatch(/"resolved": "http/);
  });
});
