import type { TestGateway } from './gateway.ts';

/** Once no fill is under way: what was fetched is stored, and its record visible. */
export async function untilSettled(gateway: Pick<TestGateway, 'admin'>): Promise<void> {
  for (;;) {
    const { fills } = (await gateway.admin('/api/stats')) as { fills: { active: number } };
    if (fills.active === 0) return;
  }
}
