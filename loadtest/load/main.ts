import { answerCalls } from '../processes/worker.ts';
import { type AlternateJob, type AlternateResult, alternate } from './alternate.ts';
import { type DownloadsJob, type DownloadsResult, downloads } from './downloads.ts';
import { type RateJob, type RateResult, rate } from './rate.ts';

/** What the load's process answers. */
export type LoadCalls = {
  readonly rate: { readonly takes: RateJob; readonly gives: RateResult };
  readonly alternate: { readonly takes: AlternateJob; readonly gives: AlternateResult };
  readonly downloads: { readonly takes: DownloadsJob; readonly gives: DownloadsResult };
};

answerCalls<LoadCalls>({ rate, alternate, downloads });
