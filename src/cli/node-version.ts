/**
 * What to say when this Node is older than package.json wants, else undefined. `wanted` as in
 * `engines`: `>=24.12`.
 */
export function nodeTooOld(running: string, wanted: string): string | undefined {
  const [needMajor = 0, needMinor = 0] = numbers(wanted);
  const [major = 0, minor = 0] = numbers(running);
  if (major > needMajor || (major === needMajor && minor >= needMinor)) return undefined;
  return `Millrace needs Node ${wanted}, and this is ${running}. After \`npm ci\`, \`npm start\` uses the right one.`;
}

function numbers(version: string): number[] {
  return version.replace(/^\D+/, '').split('.').map(Number);
}
