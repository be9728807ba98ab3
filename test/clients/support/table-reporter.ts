import type { Reporter, TestCase, TestModule, TestSuite, Vitest } from 'vitest/node';
import { columns } from './columns.ts';
import { type Exception, type Shown, tableOf } from './table.ts';

/** Prints at the end of a run which client has shown what, from the `meta` of suites and tests. */
export class TableReporter implements Reporter {
  #vitest: Vitest | undefined;

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((each) => [...each.children.allTests()]).flatMap(shownBy);
    const exceptions = modules.flatMap((each) => [...each.children.allSuites()].flatMap(exceptBy));
    if (tests.length > 0) this.#vitest?.logger.log(`\n${tableOf(tests, exceptions)}\n`);
  }
}

function shownBy(test: TestCase): Shown[] {
  const { shows } = test.meta();
  const client = clientOf(test.parent);
  if (shows === undefined || client === undefined) return [];
  const { state } = test.result();
  return [{ client, cells: shows, state: state === 'pending' ? 'skipped' : state }];
}

function clientOf(suite: TestSuite | TestModule): string | undefined {
  if (suite.type === 'module') return undefined;
  const { client } = suite.meta();
  return client === undefined ? clientOf(suite.parent) : client || suite.name;
}

function exceptBy(suite: TestSuite): Exception[] {
  const { client, cannot } = suite.meta();
  if (client === undefined || cannot === undefined) return [];
  return columns.flatMap((column) => {
    const reason = cannot[column];
    return reason === undefined ? [] : [{ client: client || suite.name, column, reason }];
  });
}
