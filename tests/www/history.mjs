/**
 * A server's side of a log's history, in memory: files of text, and the answers to what a page asks about them. Cursors
 * are `FILE:OFFSET`.
 */

export class History {
  /** @param {string[]} files the oldest first */
  constructor(files) {
    this.files = files;
    /** Characters that one message holds at most. */
    this.most = 40;
  }

  get end() {
    return `${this.files.length - 1}:${this.files.at(-1).length}`;
  }

  /** Everything the answer to `ask` is made of, in order. */
  answer(ask) {
    const [[kind, body]] = Object.entries(ask);
    const parts = kind === 'older' ? this.#older(body) : this.#newer(body);
    return parts.map(([json, text]) => JSON.stringify(json) + (text === undefined ? '' : `\n${text}`));
  }

  #older({ id, before, lines }) {
    let [file, to] = place(before);
    const answer = [];
    let left = lines;
    while (left > 0) {
      const text = this.files[file];
      let from = to;
      while (from > 0 && left > 0 && (from === to || to - from < this.most)) {
        const line = text.lastIndexOf('\n', from - 2) + 1;
        from = line;
        left -= 1;
      }
      const begins = from === 0 && file > 0 ? { begins: 'rotated' } : {};
      const stretch = { id, from: `${file}:${from}`, to: `${file}:${to}`, bytes: to - from, ...begins };
      if (to > 0 || (answer.length === 0 && file > 0)) answer.push([{ older: stretch }, text.slice(from, to)]);
      if (from === 0 && file === 0) return [...answer, [{ done: { id, more: false } }]];
      [file, to] = from === 0 ? [file - 1, this.files[file - 1].length] : [file, from];
    }
    return [...answer, [{ done: { id, more: true } }]];
  }

  #newer({ id, after, lines }) {
    let [file, from] = place(after);
    const answer = [];
    let left = lines;
    while (left > 0) {
      const text = this.files[file];
      let to = from;
      while (to < text.length && left > 0 && (to === from || to - from < this.most)) {
        to = text.indexOf('\n', to) + 1 || text.length;
        left -= 1;
      }
      const begins = from === 0 && file > 0 ? { begins: 'rotated' } : {};
      const stretch = { id, from: `${file}:${from}`, to: `${file}:${to}`, bytes: to - from, ...begins };
      if (to > from) answer.push([{ newer: stretch }, text.slice(from, to)]);
      if (to < text.length) from = to;
      else if (file === this.files.length - 1) return [...answer, [{ done: { id, more: false } }]];
      else [file, from] = [file + 1, 0];
    }
    return [...answer, [{ done: { id, more: true } }]];
  }
}

/** @param {string} cursor */
function place(cursor) {
  return cursor.split(':').map(Number);
}
