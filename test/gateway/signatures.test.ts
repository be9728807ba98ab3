import { describe, expect, test } from 'vitest';
import { Client } from '../support/client.ts';
import { testGateway } from '../support/gateway.ts';
import { httpOrigin } from '../support/http-origin.ts';
import { until } from '../support/until.ts';

describe('a signature is that of the version that a client was given', () => {
  const document = '/core/os/x86_64/core.db';
  const signature = `${document}.sig`;

  async function signed() {
    const origin = await httpOrigin();
    const headers = { 'Cache-Control': 'max-age=60' };
    const publishSigned = (version: number) => {
      origin.serve(document, { body: `database ${version}`, headers });
      origin.serve(signature, { body: `signature ${version}` });
    };
    publishSigned(1);
    const gateway = await testGateway({
      mounts: [{ path: '/arch', ecosystem: 'pacman', url: origin.url }],
    });
    const reader = () => {
      const own = new Client();
      return async (path: string, headers: Record<string, string> = {}) => {
        const { status, body } = await own.send(`${gateway.url}/arch${path}`, { headers });
        return status === 200 ? body.toString() : status;
      };
    };
    const asked = () => origin.requests.map(({ target, status }) => `${status} ${target}`);
    return { origin, publishSigned, reader, asked };
  }

  test('and stays so when the upstream moves on; fresh nothing is asked', async () => {
    const { publishSigned, reader, asked } = await signed();
    const [early, late] = [reader(), reader()];
    expect([await early(document), await early(signature)]).toEqual(['database 1', 'signature 1']);
    // Whether the signature fits is seen by the database's being the same after it.
    await until(() => asked().length === 3);
    expect(asked()[2]).toBe(`304 ${document}`);
    expect([await late(document), await late(signature)]).toEqual(['database 1', 'signature 1']);
    expect(asked()).toHaveLength(3);
    publishSigned(2);
    const fresh = { 'Cache-Control': 'no-cache' };
    expect([await late(document, fresh), await late(signature)]).toEqual([
      'database 2',
      'signature 2',
    ]);
    expect(await early(signature)).toBe('signature 1');
  });

  test('one that came too late is not kept, and the document is asked for anew', async () => {
    const { publishSigned, reader, asked } = await signed();
    const get = reader();
    await get(document);
    publishSigned(2);
    expect(await get(signature)).toBe('signature 2');
    const later = reader();
    await until(async () => (await later(document)) === 'database 2');
    expect(await later(signature)).toBe('signature 2');
    const count = asked().filter((line) => line.endsWith(signature)).length;
    await get(signature);
    expect(asked().filter((line) => line.endsWith(signature))).toHaveLength(count + 1);
  });

  test('that none is there is kept for a moment, as elsewhere', async () => {
    const { origin, reader, asked } = await signed();
    origin.serve(signature, { body: '', status: 404 });
    const get = reader();
    await get(document);
    expect([await get(signature), await get(signature)]).toEqual([404, 404]);
    expect(asked().filter((line) => line.endsWith(signature))).toHaveLength(1);
  });
});
