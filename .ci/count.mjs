// Prints `N passed, N failed, N skipped` of a vitest report: count.mjs REPORT EXIT-STATUS. Plain
// JavaScript: the host's Node runs it.
import { existsSync, readFileSync } from 'node:fs';

const [, , path = '', status = '1'] = process.argv;
const report = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
const passed = report?.numPassedTests ?? 0;
const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
// A file that could not be loaded has no tests to fail.
const broken = (report?.testResults ?? []).filter(
  ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
);
const failed = (report?.numFailedTests ?? 0) + broken.length;
// No report, an unhandled error, a leak: something failed though no test did.
const unexplained = failed === 0 && (status !== '0' || passed === 0) ? 1 : 0;
process.stdout.write(`${passed} passed, ${failed + unexplained} failed, ${skipped} skipped\n`);
