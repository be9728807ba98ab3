import { isIP } from 'node:net';
import { type HostPattern, parseHostPattern } from '../core/network.ts';
import { type Accepted, describe, leafSchema, refuse, type ValueType } from './value-type.ts';

/** A name or address to listen on, without port or brackets. */
export const listenHost: ValueType<string> = textType('host', (text) => {
  const right = 'give an address or a name such as 127.0.0.1, :: or localhost, the port apart';
  return isIP(text) > 0 || isPlainName(patternOf(text), false)
    ? { value: text }
    : refuse(text, 'a host to listen on', right);
});

/** A host as URLs have it: lower case, with a port where it is not the default one. */
export const urlHost: ValueType<string> = textType('host', (text) => {
  const right = 'give a host name such as files.example.com, with :port if need be';
  return isPlainName(patternOf(text), true) || isAddress(text)
    ? { value: new URL(`http://${text}`).host }
    : refuse(text, 'a host', right);
});

/** Whom the forward proxy may reach; the text is kept, `parseHostPattern` reads it again. */
export const hostPattern: ValueType<string> = textType('host pattern', (text) => {
  const parsed = parseHostPattern(text);
  if (parsed.ok) return { value: text };
  return {
    wrong: `${describe(text)} ${parsed.reason}`,
    right: 'give a name, *.suffix, an address or a network such as 10.0.0.0/8',
  };
});

/** An address or a CIDR network. */
export const addressRange: ValueType<string> = textType('address or network', (text) => {
  const pattern = patternOf(text);
  return pattern?.kind === 'network' && pattern.port === undefined
    ? { value: text }
    : refuse(text, 'an address or a network', 'give one such as 10.1.2.3 or 10.0.0.0/8');
});

function textType(name: string, accept: (text: string) => Accepted<string>): ValueType<string> {
  return {
    name,
    json: { type: 'string', minLength: 1 },
    schema: leafSchema((input) =>
      typeof input === 'string'
        ? accept(input)
        : refuse(input, `a ${name}`, 'give a text, in quotes if it looks like a number'),
    ),
    fromText: (text) => text,
    format: (value) => value,
  };
}

function patternOf(text: string): HostPattern | undefined {
  const parsed = parseHostPattern(text);
  return parsed.ok ? parsed.pattern : undefined;
}

function isPlainName(pattern: HostPattern | undefined, portAllowed: boolean): boolean {
  if (pattern?.kind !== 'name' || pattern.subdomains) return false;
  return portAllowed || pattern.port === undefined;
}

function isAddress(text: string): boolean {
  return (
    !text.includes('/') && patternOf(text)?.kind === 'network' && URL.canParse(`http://${text}`)
  );
}
