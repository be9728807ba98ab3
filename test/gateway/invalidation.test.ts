import { expect, test } from 'vitest';
import { untilSettled } from '../support/settled.ts';
import { overSurfaces, type Setup } from './surfaces.ts';

const fresh = { 'Cache-Control': 'max-age=60' };

overSurfaces('invalidation (RFC 9111 section 4.4)', (setup) => {
  /** Stores some paths; afterwards tells which of them are still there. */
  async function holding(...paths: string[]) {
    const made = await setup();
    const { origin, gateway, at } = made;
    for (const path of paths) {
      origin.serve(path, { body: path, headers: fresh });
      await gateway.get(at(path));
    }
    await untilSettled(gateway);
    const left = async () => {
      const found: string[] = [];
      for (const path of paths) {
        const headers = { 'Cache-Control': 'only-if-cached' };
        if ((await gateway.get(at(path), { headers })).status === 200) found.push(path);
      }
      return found;
    };
    return { ...made, left };
  }

  /** Sends a method that the origin answers so; the body that it got. */
  async function change(
    { origin, gateway, at }: Setup,
    path: string,
    method: string,
    status: number,
    fields: Record<string, string> = {},
  ): Promise<string> {
    let received = '';
    origin.handle(path, (request, response) => {
      request.on('data', (chunk: Buffer) => {
        received += chunk.toString();
      });
      request.on('end', () => response.writeHead(status, fields).end());
    });
    const headers = { 'Content-Length': '3' };
    const answer = await gateway.get(at(path), { method, headers, body: 'new' });
    expect(answer.status).toBe(status);
    return received;
  }

  test.each(['POST', 'PUT', 'PATCH', 'DELETE', 'M-SEARCH', 'PROPPATCH'])(
    'a successful %s takes what is stored away, and its body goes through',
    async (method) => {
      const made = await holding('/a', '/b');
      expect(await change(made, '/a', method, 200)).toBe('new');
      expect(await made.left()).toEqual(['/b']);
    },
  );

  test.each([400, 404, 412, 500, 503])('a %i leaves it', async (status) => {
    const made = await holding('/a');
    expect(await change(made, '/a', 'PUT', status)).toBe('new');
    expect(await made.left()).toEqual(['/a']);
  });

  test('a redirect after a change counts as a success', async () => {
    const made = await holding('/a', '/b');
    await change(made, '/a', 'POST', 303, { Location: '/b' });
    expect(await made.left()).toEqual([]);
  });

  test('Location and Content-Location of the same origin go with it, of another origin they do not', async () => {
    const made = await holding('/a', '/location', '/content', '/other');
    await change(made, '/a', 'POST', 201, {
      Location: '/location',
      'Content-Location': `${made.origin.url}/content`,
    });
    expect(await made.left()).toEqual(['/other']);
    const foreign = made.origin.url.replace('127.0.0.1', 'localhost');
    await change(made, '/a', 'POST', 201, { Location: `${foreign}/other` });
    expect(await made.left()).toEqual(['/other']);
  });

  test('OPTIONS changes nothing', async () => {
    const made = await holding('/a');
    await change(made, '/a', 'OPTIONS', 200);
    expect(await made.left()).toEqual(['/a']);
  });
});
