import { hotHits } from './hot-hits.ts';

export const hot1k = hotHits({
  name: 'hot-1k',
  title: 'hits of 1 KiB on 32 connections',
  size: 1024,
  connections: 32,
  goal: 1,
});
