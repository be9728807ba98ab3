import { hotHits } from './hot-hits.ts';

export const hot64k = hotHits({
  name: 'hot-64k',
  title: 'hits of 64 KiB on 32 connections',
  size: 64 * 1024,
  connections: 32,
  goal: 0.9,
});
