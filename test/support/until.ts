const limitMs = 10_000;

/** Resolves once the condition holds, looked at every turn of the event loop; rejects after 10 s. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what = 'condition',
): Promise<void> {
  const start = performance.now();
  while (!(await condition())) {
    if (performance.now() - start > limitMs) throw new Error(`never came true: ${what}`);
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
}
