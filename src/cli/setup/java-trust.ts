import { keystorePassword } from './keystore.ts';
import { materialPath } from './places.ts';
import type { Ask, FileEdit } from './tool.ts';

/** The keystore for a tool that runs in Java, and the options by which Java takes it. */
export function javaTrust(
  { place, trust }: Ask,
  tool: string,
): { readonly file: FileEdit; readonly options: readonly string[] } | undefined {
  if (trust === undefined) return undefined;
  const path = materialPath(place, `${tool}-ca.jks`);
  const about = "the public authorities and the gateway's own, as a Java keystore";
  const options = Object.entries(javaTrustProperties(path)).map(
    ([name, value]) => `-D${name}=${value}`,
  );
  return { file: { path, content: trust.keystore(), about }, options };
}

/** The properties of Java by which it takes a keystore. */
export function javaTrustProperties(path: string): Readonly<Record<string, string>> {
  return {
    'javax.net.ssl.trustStore': path,
    'javax.net.ssl.trustStorePassword': keystorePassword,
  };
}
