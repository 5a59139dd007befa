/**
 * The strip of a job: how it stands, start and stop, and the runs there were. What is known is `jobs.js`'s.
 */

import { byId, make, say, tell } from './elements.js';
import { duration, translated } from './i18n.js';
import { toast } from './toast.js';

/** @typedef {import('./wire.js').Run} Run */
/** @typedef {import('./row.js').Manner} Manner */

/**
 * @typedef {object} Listener
 * @property {() => void} started its output is wanted to be seen
 * @property {(cursor: string) => void} go shows the log from a place on
 */

export class JobBar {
  /** What the runs were drawn from. */
  #drawn = '';
  /** @type {Manner | null} */
  #manner = null;

  /**
   * @param {import('./jobs.js').JobWatch} watch
   * @param {Listener} listener
   */
  constructor(watch, listener) {
    this.watch = watch;
    this.listener = listener;
    this.runs = /** @type {HTMLDetailsElement} */ (byId('job-runs'));
    byId('job-start').addEventListener('click', async () => {
      if (await this.#done(watch.start())) listener.started();
    });
    byId('job-stop').addEventListener('click', () => this.#done(watch.stop()));
    byId('job-list').addEventListener('click', (event) => {
      const run = event.target instanceof Element ? event.target.closest('button') : null;
      if (run?.dataset.from === undefined) return;
      this.runs.open = false;
      listener.go(run.dataset.from);
    });
    document.addEventListener('click', (event) => {
      if (event.target instanceof Node && !this.runs.contains(event.target)) this.runs.open = false;
    });
  }

  /**
   * @param {Manner} manner
   * @param {number} now
   * @param {boolean} able whether one can go to a run
   */
  draw(manner, now, able) {
    this.#manner = manner;
    const { job } = this.watch;
    byId('job').hidden = job === null;
    if (job === null) return;
    const run = job.runs[0] ?? null;
    byId('job-start').hidden = job.running || !job.startable;
    byId('job-stop').hidden = !job.running || !job.startable;
    const state = byId('job-state');
    state.dataset.state = stateOf(run);
    const [, said, took] = /** @type {HTMLElement[]} */ ([...state.children]);
    // What is announced does not count seconds.
    say(said, stateText(run, manner.words));
    say(took, run === null ? '' : ` · ${tookText(run, now, manner)}`);
    tell(byId('job-about'), job.about);
    byId('job-about').title = job.about;
    this.runs.hidden = job.runs.length < 2;
    const drawn = JSON.stringify([job.runs, manner.language, able, job.running && this.runs.open ? now : 0]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    byId('job-list').replaceChildren(...job.runs.map((one) => drawRun(one, now, able, manner)));
  }

  /**
   * Says why something was not done.
   * @param {Promise<import('./jobs.js').Answer>} answer
   */
  async #done(answer) {
    const refusal = await answer;
    const { words, language } = /** @type {Manner} */ (this.#manner);
    const done = refusal.status >= 200 && refusal.status <= 299;
    if (!done) toast(refusal.message === '' ? words.notDone : translated(refusal, language));
    return done;
  }
}

/** @param {Run | null} run */
function stateOf(run) {
  if (run === null) return 'never';
  if (run.end === null) return 'running';
  return run.end.kind === 'exit' && run.end.code === 0 ? 'good' : 'bad';
}

/**
 * How a run stands, or how it ended.
 * @param {Run | null} run
 * @param {import('./i18n.js').Words} words
 */
function stateText(run, words) {
  if (run === null) return words.never;
  if (run.end === null) return run.stopped !== null ? words.jobStopping : words.jobRunning;
  const ended = endText(run.end, words);
  if (run.stopped === null) return ended;
  return `${run.stopped === 'timeout' ? words.jobTimeout : words.jobStopped} · ${ended}`;
}

/**
 * How long a run took, so far.
 * @param {Run} run
 * @param {number} now
 * @param {Manner} manner
 */
function tookText(run, now, { language }) {
  return duration(run.end === null ? Math.max(0, now - run.started) : run.took, language);
}

/**
 * @param {import('./wire.js').End} end
 * @param {import('./i18n.js').Words} words
 */
function endText(end, words) {
  switch (end.kind) {
    case 'exit':
      return words.jobExit(String(end.code));
    case 'signal':
      return words.jobSignal(String(end.signal));
    case 'failed':
      return `${words.jobFailed}: ${end.why}`;
    case 'lost':
      return words.jobLost;
  }
}

/**
 * @param {Run} run
 * @param {number} now
 * @param {boolean} able
 * @param {Manner} manner
 */
function drawRun(run, now, able, manner) {
  const item = make('li');
  const button = /** @type {HTMLButtonElement} */ (make('button'));
  button.type = 'button';
  button.dataset.from = run.from;
  button.dataset.state = stateOf(run);
  button.disabled = !able;
  button.title = manner.words.jobShow;
  const began = new Date(run.started).toLocaleString(document.documentElement.lang);
  const dot = make('span', 'dot');
  dot.ariaHidden = 'true';
  button.append(
    dot,
    make('span', 'number', `#${run.run}`),
    make('span', 'when', began),
    make('span', 'end', `${stateText(run, manner.words)} · ${tookText(run, now, manner)}`),
  );
  item.append(button);
  return item;
}
