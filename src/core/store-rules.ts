/**
 * Whether a shared cache keeps a response that sets a cookie.
 * - `explicit`: where it says how long it is fresh, or that it is public
 * - `always`: as any other response
 * - `never`
 */
export const setCookieRules = ['explicit', 'always', 'never'] as const;
export type SetCookieRule = (typeof setCookieRules)[number];
