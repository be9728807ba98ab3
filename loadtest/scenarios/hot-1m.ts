import { hotHits } from './hot-hits.ts';

export const hot1m = hotHits({
  name: 'hot-1m',
  title: 'hits of 1 MiB on 16 connections',
  size: 1024 * 1024,
  connections: 16,
  goal: 0.9,
});
