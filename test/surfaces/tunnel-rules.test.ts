import { describe, expect, test } from 'vitest';
import { parseHostPattern } from '../../src/core/network.ts';
import { createForwardProxyRules } from '../../src/surfaces/forward-proxy.ts';

/** What becomes of a tunnel: an admission, or the code of a refusal. */
function judge(
  target: string,
  { allow = [] as string[], listenHost = '127.0.0.1', tunnelPorts = [443], known = [] as string[] },
): string {
  const patterns = allow.flatMap((text) => {
    const parsed = parseHostPattern(text);
    return parsed.ok ? [parsed.pattern] : [];
  });
  const options = { allow: patterns, listenHost, tunnelPorts, known: new Set(known) };
  const [, hostname = '', port = ''] = /^(.*):(\d+)$/.exec(target) ?? [];
  try {
    return createForwardProxyRules(options).admitTunnel(hostname, Number(port));
  } catch (error) {
    return (error as { code: string }).code;
  }
}

const anywhere = { listenHost: '0.0.0.0' };

describe('a tunnel', () => {
  test.each([
    // On loopback every public host, on the ports for tunnels.
    ['example.com:443', {}, 'guarded'],
    ['example.com:8443', {}, 'http_request_denied'],
    ['example.com:8443', { tunnelPorts: [8443] }, 'guarded'],
    ['example.com:443', { tunnelPorts: [] }, 'http_request_denied'],
    ['10.0.0.1:443', {}, 'destination_ip_prohibited'],
    ['[fd00::1]:443', {}, 'destination_ip_prohibited'],
    // Named hosts are trusted, on the ports for tunnels or on their own.
    ['10.0.0.1:443', { allow: ['10.0.0.0/8'] }, 'trusted'],
    ['10.0.0.1:22', { allow: ['10.0.0.0/8'] }, 'http_request_denied'],
    ['build.example.com:22', { allow: ['build.example.com:22'] }, 'trusted'],
    ['build.example.com:443', { allow: ['build.example.com:22'] }, 'guarded'],
    // Beyond loopback only those, and what the gateway is there for.
    ['example.com:443', anywhere, 'http_request_denied'],
    ['example.com:443', { ...anywhere, allow: ['*.com'] }, 'trusted'],
    ['registry.test:443', { ...anywhere, known: ['registry.test:443'] }, 'guarded'],
    ['registry.test:8443', { ...anywhere, known: ['registry.test:8443'] }, 'guarded'],
    ['registry.test:444', { ...anywhere, known: ['registry.test:443'] }, 'http_request_denied'],
    ['10.0.0.1:443', { ...anywhere, known: ['10.0.0.1:443'] }, 'destination_ip_prohibited'],
  ])('to %s with %j is %s', (target, options, expected) => {
    expect(judge(target, options)).toBe(expected);
  });
});
