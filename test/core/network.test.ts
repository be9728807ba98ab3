import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type HostPattern,
  isPrivateAddress,
  matchesAddress,
  matchesHost,
  parseHostPattern,
} from '../../src/core/network.ts';

function patterns(...texts: string[]): HostPattern[] {
  return texts.map((text) => {
    const parsed = parseHostPattern(text);
    if (!parsed.ok) throw new Error(`${text} ${parsed.reason}`);
    return parsed.pattern;
  });
}

describe('isPrivateAddress', () => {
  it.each([
    '0.0.0.0',
    '0.1.2.3',
    '10.0.0.1',
    '100.64.0.1',
    '100.100.100.200',
    '127.0.0.1',
    '127.255.255.255',
    '168.63.129.16',
    '169.254.169.254',
    '172.16.0.1',
    '172.31.255.255',
    '192.0.0.192',
    '192.0.2.1',
    '192.168.1.1',
    '198.18.0.1',
    '203.0.113.9',
    '224.0.0.1',
    '240.0.0.1',
    '255.255.255.255',
    '::',
    '::1',
    '::7f00:1',
    '::808:808',
    '::ffff:127.0.0.1',
    '::ffff:a00:1',
    '::ffff:0:127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b::192.168.0.1',
    '64:ff9b:1::8.8.8.8',
    '100::1',
    '2001::1',
    '2001:db8::1',
    '2002:7f00:1::',
    '2002:a00:1::1',
    '3fff::1',
    '4000::1',
    'fc00::1',
    'fd00:ec2::254',
    'fe80::1',
    'fe80::1%eth0',
    'fec0::1',
    'ff02::1',
  ])('refuses %s', (ip) => {
    expect(isPrivateAddress(ip)).toBe(true);
  });

  it.each([
    '1.1.1.1',
    '8.8.8.8',
    '11.0.0.1',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '169.253.255.255',
    '172.15.255.255',
    '172.32.0.0',
    '192.167.255.255',
    '223.255.255.255',
    '::ffff:8.8.8.8',
    '64:ff9b::8.8.8.8',
    '2002:808:808::1',
    '2606:4700:4700::1111',
    '2a00:1450:4001::1',
  ])('lets %s through', (ip) => {
    expect(isPrivateAddress(ip)).toBe(false);
  });

  it.each(['', 'localhost', '127.1', '0x7f.0.0.1', '1.2.3', '1.2.3.4.5', '::g', '[::1]'])(
    'takes what is not an address for private: %j',
    (text) => {
      expect(isPrivateAddress(text)).toBe(true);
    },
  );

  it('judges an IPv4 address the same in every IPv6 form that carries it', () => {
    const octet = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(octet, octet, octet, octet, (a, b, c, d) => {
        const ip = `${a}.${b}.${c}.${d}`;
        const hex = (high: number, low: number): string => ((high << 8) | low).toString(16);
        const expected = isPrivateAddress(ip);
        expect(isPrivateAddress(`::ffff:${ip}`)).toBe(expected);
        expect(isPrivateAddress(`64:ff9b::${ip}`)).toBe(expected);
        expect(isPrivateAddress(`2002:${hex(a, b)}:${hex(c, d)}::1`)).toBe(expected);
      }),
    );
  });
});

describe('host patterns', () => {
  it('an exact name: any case, a final dot, any port unless it names one', () => {
    const list = patterns('Example.COM', 'one.example.org:8443');
    expect(matchesHost(list, 'example.com', 80)).toBe(true);
    expect(matchesHost(list, 'EXAMPLE.com.', 8080)).toBe(true);
    expect(matchesHost(list, 'www.example.com', 80)).toBe(false);
    expect(matchesHost(list, 'one.example.org', 8443)).toBe(true);
    expect(matchesHost(list, 'one.example.org', 443)).toBe(false);
  });

  it('a suffix covers every depth below it, not itself and not a longer label', () => {
    const list = patterns('*.example.com');
    expect(matchesHost(list, 'a.example.com', 80)).toBe(true);
    expect(matchesHost(list, 'a.b.example.com', 80)).toBe(true);
    expect(matchesHost(list, 'example.com', 80)).toBe(false);
    expect(matchesHost(list, 'notexample.com', 80)).toBe(false);
    expect(matchesHost(list, 'example.com.evil.test', 80)).toBe(false);
  });

  it('addresses and networks, IPv6 in brackets, mapped IPv4 as IPv4', () => {
    const list = patterns(
      '10.1.2.3/8',
      '127.0.0.1:9000',
      '[fd00::/8]:443',
      '::1',
      '::ffff:192.0.2.0/120',
    );
    expect(matchesHost(list, '10.255.0.1', 1)).toBe(true);
    expect(matchesHost(list, '11.0.0.1', 1)).toBe(false);
    expect(matchesHost(list, '127.0.0.1', 9000)).toBe(true);
    expect(matchesHost(list, '127.0.0.1', 9001)).toBe(false);
    expect(matchesHost(list, '[fd12::1]', 443)).toBe(true);
    expect(matchesHost(list, '[fd12::1]', 80)).toBe(false);
    expect(matchesHost(list, '[::1]', 80)).toBe(true);
    expect(matchesAddress(list, '::ffff:10.0.0.1')).toBe(true);
    expect(matchesAddress(list, '192.0.2.77')).toBe(true);
    expect(matchesAddress(list, '127.0.0.1')).toBe(false);
    expect(matchesAddress(list, '127.0.0.1', 9000)).toBe(true);
    expect(matchesAddress(list, 'example.com')).toBe(false);
  });

  it('a name never matches an address, nor a network a name', () => {
    expect(matchesHost(patterns('*.0.0.1.example'), '10.0.0.1', 80)).toBe(false);
    expect(matchesHost(patterns('0.0.0.0/0', '::/0'), 'example.com', 80)).toBe(false);
  });

  it('international names meet in their ASCII form', () => {
    expect(matchesHost(patterns('*.bücher.example'), 'www.xn--bcher-kva.example', 80)).toBe(true);
  });

  it.each([
    ['', 'is not a host name'],
    ['*', 'may have a * only at its start, as in *.example.com'],
    ['a.*.example.com', 'may have a * only at its start, as in *.example.com'],
    ['*example.com', 'may have a * only at its start, as in *.example.com'],
    ['exa mple.com', 'is not a host name'],
    ['-bad.example', 'is not a host name'],
    ['1.2.3', 'is not a host name'],
    ['example.com:', 'has a port that is not a number from 1 to 65535'],
    ['example.com:0', 'has a port that is not a number from 1 to 65535'],
    ['example.com:65536', 'has a port that is not a number from 1 to 65535'],
    ['example.com:http', 'has a port that is not a number from 1 to 65535'],
    ['10.0.0.0/33', 'is not a network: write it as 10.0.0.0/8 or fd00::/8'],
    ['10.0.0.0/', 'is not a network: write it as 10.0.0.0/8 or fd00::/8'],
    ['example.com/8', 'is not a network: write it as 10.0.0.0/8 or fd00::/8'],
    ['fd00::/129', 'is not an IPv6 address or network'],
    ['[10.0.0.1]:80', 'has brackets around something other than IPv6'],
    ['[example.com]', 'is not an IPv6 address or network'],
    ['[::1', 'is not a host, address or network'],
    ['http://example.com', 'is a URL: give its host alone'],
  ])('says what is wrong with %j', (text, reason) => {
    expect(parseHostPattern(text)).toEqual({ ok: false, reason });
  });
});
